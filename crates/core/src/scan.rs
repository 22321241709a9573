//! The rules: events, the states that they fold into, and the decisions. Synchronous, total, pure.

mod codec;
mod content;
mod event;
mod event_type;
mod feed;
mod image;
mod reconciliation;
mod report;
mod stream;

pub use codec::{CodecError, decode_event, decode_head, encode_event, encode_head, may_be_of};
pub use content::{ContentHash, ReportId};
pub use event::{
    AbandonReason, Assessed, DeliveredReport, Event, FeedEvent, ImageEvent, ReconcileEvent, ResolvedImage,
};
pub use event_type::EventType;
pub use feed::{FanOut, FeedState, FeedSweep, LastGap, evolve_feed};
pub use image::{
    ATTEMPTS_MAX, CORRUPT_ATTEMPTS_MAX, Command, Failure, FailureClass, IllegalTransition, ImageState,
    LastReport, MAX_PARENTS, OpenRequest, Policy, RECENT_REQUESTS, Rejection, Resolved, Step, StepName,
    backoff, decide, evolve, next_step,
};
pub use reconciliation::{ReconcileCounts, ReconcileState, evolve_reconcile};
pub use report::{ParentIndex, REPORT_SCHEMA_VERSION, ReportFacts, finding_keys, render_report};
pub use stream::{Due, EventId, Head, HeadState, MAX_APPEND, MAX_HEAD_BYTES, RecordedEvent, StreamId, seal};
