//! The ports: what the core needs of the world, each with its laws.
//!
//! Every trait is held as `Arc<dyn …>` and speaks the vocabulary alone. Its documentation has four blocks:
//! *Laws* (numbered; each has a check of the same number in the port's conformance suite), *Errors* (what the
//! caller does next), *Cancellation* (what a dropped future may leave behind) and *Bounds*.

mod change_feed;
mod clock;
mod event_store;
mod layer_index;
mod queue;
mod registry;
mod report_archive;
mod report_sink;
mod scanner;

/// Part of the queue's contract; they live with the other words.
pub use crate::vocabulary::{DeadLetter, DeadLetterReason};
pub use change_feed::{Candidates, ChangeFeed, Cursor, FeedError, MAX_CURSOR_BYTES, Next};
pub use clock::Clock;
pub use event_store::{AppendError, EventStore, Position, StoreError};
pub use layer_index::{LayerIndex, LayerIndexError};
pub use queue::{Delivery, Depth, Lease, MAX_RECEIVE, MAX_SEND, Queue, QueueError, Unreadable};
pub use registry::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
pub use report_archive::{ArchiveError, MAX_BODY_BYTES, ReportArchive};
pub use report_sink::{ReportObject, ReportSink, SinkError};
pub use scanner::{IndexRequest, MAX_FURTHER_KEYS, Readiness, Scanner, ScannerError};

#[cfg(feature = "mocks")]
pub use self::{
    change_feed::MockChangeFeed, clock::MockClock, event_store::MockEventStore, layer_index::MockLayerIndex,
    queue::MockQueue, registry::MockRegistry, report_archive::MockReportArchive, report_sink::MockReportSink,
    scanner::MockScanner,
};
