//! The rules: events, the states that they fold into, and the decisions. Synchronous, total, pure.

mod codec;
mod content;
mod decide;
mod event;
mod evolve;
mod feed;
mod reconciliation;
mod report;
mod retry;
mod state;
mod step;
mod stream;

pub use codec::{CodecError, decode_event, decode_head, encode_event, encode_head};
pub use content::{ContentHash, ReportId};
pub use decide::{Command, Failure, FailureClass, Rejection, decide};
pub use event::{
    AbandonReason, Assessed, DeliveredReport, Event, FeedEvent, ImageEvent, ReconcileEvent, ResolvedImage,
};
pub use evolve::{IllegalTransition, evolve};
pub use feed::{FanOut, FeedState, FeedSweep, evolve_feed};
pub use reconciliation::{ReconcileCounts, ReconcileState, evolve_reconcile};
pub use report::{ParentIndex, REPORT_SCHEMA_VERSION, ReportFacts, finding_keys, render_report};
pub use retry::{ATTEMPTS_MAX, CORRUPT_ATTEMPTS_MAX, backoff};
pub use state::{ImageState, LastReport, MAX_PARENTS, OpenRequest, RECENT_REQUESTS, Resolved};
pub use step::{Policy, Step, StepName, next_step};
pub use stream::{Due, EventId, Head, HeadState, MAX_APPEND, MAX_HEAD_BYTES, RecordedEvent, StreamId, seal};
