//! What people get to see: tables and sentences, without colours, as wide as their terminal.
//!
//! Rows come in, a text goes out. Names out of images and advisories are foreign: what could steer a terminal is
//! taken out of them.

mod answer;
mod packages;
mod report;
mod rows;
mod scan;
mod stock;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use answer::{MAX_TABLE_ROWS, answer_text, csv_row, json_row};
pub use packages::packages_text;
pub use report::{FindingView, ReasonView, ReportView};
pub use rows::{
    AffectedRow, CoverageRow, CoverageSummary, DeadRow, HistoryRow, QueueRow, TagsRow, WantedRow,
    affected_text, coverage_text, dead_text, history_text, json_lines, queue_text, stats_text, tags_text,
    wanted_text,
};
pub use scan::{Filter, scan_exit, scan_text};
pub use stock::stock_text;
pub use table::Screen;
