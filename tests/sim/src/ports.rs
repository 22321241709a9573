//! The ports as a process sees them: the models of the testkit behind wires that may fail.

mod feed;
mod queue;
mod registry;
mod scanner;
mod storage;
mod streams;

pub(crate) use self::feed::SimFeed;
pub(crate) use self::queue::{QueueModel, SimQueue};
pub(crate) use self::registry::SimRegistry;
pub(crate) use self::scanner::SimScanner;
pub(crate) use self::storage::{SimArchive, SimIndex, SimSink};
pub(crate) use self::streams::SimStore;

/// Pages are small, so that few things need several: an adapter may always give less than it was asked for.
pub(crate) const PAGE: usize = 2;
