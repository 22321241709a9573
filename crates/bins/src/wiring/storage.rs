//! Where events, requests and reports are kept: a room for each port, opened as the configuration says.

mod file;
mod lake;
mod queue;
mod sink;
mod store;

pub(super) use file::StateFile;
pub use lake::Lake;
pub(super) use queue::queue;
pub(super) use sink::sink;
pub(super) use store::{Stores, stores};
