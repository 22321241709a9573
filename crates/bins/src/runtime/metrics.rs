//! The numbers that a process tells of itself: for Prometheus at `/metrics`, and for CloudWatch on the standard output.

pub mod catalogue;
mod cloudwatch;
mod emit;
mod gauges;
mod meter;
mod process;
mod prometheus;
#[cfg(test)]
mod tests;

pub use cloudwatch::{MAX_METRICS_OF_A_LINE, Told, lines};
pub use emit::Emitter;
pub use meter::{Mark, Marks, Meter, Sample};
pub use prometheus::{CONTENT_TYPE, exposition};
