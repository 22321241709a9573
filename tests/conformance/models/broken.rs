//! Models with one fault each: the law that the fault breaks must notice it.

mod change_feed;
mod clock;
mod event_store;
mod layer_index;
mod queue;
mod registry;
mod report_archive;
mod report_sink;
mod scanner;

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    clock::register(rows);
    queue::register(rows);
    event_store::register(rows);
    layer_index::register(rows);
    report_archive::register(rows);
    report_sink::register(rows);
    registry::register(rows);
    scanner::register(rows);
    change_feed::register(rows);
}
