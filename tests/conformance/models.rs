//! The models of the test kit: as they are, and with one fault each.

mod broken;
mod memory;
mod scanning;

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    memory::register(rows);
    scanning::register(rows);
    broken::register(rows);
}
