//! How ingest works, and what it has done.

use std::time::Duration;

use crate::pipeline::Outcome;
use crate::scan::AbandonReason;

/// How ingest works.
#[derive(Debug, Clone, Copy)]
pub struct IngestSettings {
    /// Images at a time; halved when a registry or the scanner asks to slow down.
    pub concurrency: usize,
    /// How long a message is ours; extended while work goes on.
    pub lease: Duration,
    /// How long an empty queue is listened to.
    pub wait: Duration,
    /// A message delivered more often than this kills workers, and is buried.
    pub max_deliveries: u32,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            concurrency: 16,
            lease: Duration::from_secs(60),
            wait: Duration::from_secs(5),
            max_deliveries: 50,
        }
    }
}

/// What ingest has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IngestCounts {
    /// Messages received.
    pub received: u64,
    /// New reports delivered.
    pub reported: u64,
    /// Assessed, with the same content as the last report.
    pub unchanged: u64,
    /// Requests that asked for nothing more.
    pub current: u64,
    /// Waiting for a time or for the scanner.
    pub waiting: u64,
    /// Indexes and things that are not images.
    pub not_images: u64,
    /// Gone from their registry.
    pub deleted: u64,
    /// Given up.
    pub abandoned: u64,
    /// Outside of the scope.
    pub out_of_scope: u64,
    /// Buried as dead letters.
    pub buried: u64,
    /// Left for redelivery, because not even the failure could be recorded.
    pub failed: u64,
}

/// What came of a message.
pub(super) enum Handled {
    Outcome(Outcome),
    OutOfScope,
    Buried,
    Failed,
}

impl Handled {
    /// Whether somebody asked to slow down, or a store or queue of ours is in trouble.
    pub(super) fn asks_for_less(&self) -> bool {
        matches!(self, Self::Failed | Self::Outcome(Outcome::Waiting { throttled: true, .. }))
    }
}

impl IngestCounts {
    pub(super) fn add(&mut self, handled: &Handled) {
        *match handled {
            Handled::Failed => &mut self.failed,
            Handled::Buried => &mut self.buried,
            Handled::OutOfScope => &mut self.out_of_scope,
            Handled::Outcome(outcome) => match outcome {
                Outcome::Reported { .. } => &mut self.reported,
                Outcome::Unchanged => &mut self.unchanged,
                Outcome::Current => &mut self.current,
                Outcome::Waiting { .. } => &mut self.waiting,
                Outcome::Index(_) | Outcome::Artifact(_) => &mut self.not_images,
                Outcome::Deleted => &mut self.deleted,
                Outcome::Abandoned { reason: AbandonReason::OutOfScope, .. } => &mut self.out_of_scope,
                Outcome::Abandoned { .. } => &mut self.abandoned,
            },
        } += 1;
    }
}
