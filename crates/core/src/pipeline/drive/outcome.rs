//! How a drive ends.

use crate::ports::DeadLetterReason;
use crate::scan::{AbandonReason, Due, ReportId};
use crate::vocabulary::{ArtifactKind, Verdict};

/// How a drive ended. Everything that it says is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new report was delivered.
    Reported {
        /// The report.
        report: ReportId,
        /// Its verdict.
        verdict: Verdict,
    },
    /// Assessed; the last report still says it all.
    Unchanged,
    /// Nothing was to be done.
    Current,
    /// An index: its children have been queued.
    Index(u32),
    /// Not an image.
    Artifact(ArtifactKind),
    /// The registry does not have it.
    Deleted,
    /// Nothing can be done until then.
    Waiting {
        /// Until when.
        until: Due,
        /// Whether the other side asked to slow down.
        throttled: bool,
    },
    /// Given up in this drive.
    Abandoned {
        /// Why.
        reason: AbandonReason,
        /// What happened.
        detail: String,
    },
}

impl Outcome {
    /// The reason for a dead letter, where the outcome deserves one.
    #[must_use]
    pub fn dead_letter(&self) -> Option<(DeadLetterReason, String)> {
        let Self::Abandoned { reason, detail } = self else { return None };
        let reason = match reason {
            AbandonReason::Denied => DeadLetterReason::Denied,
            AbandonReason::Corrupt => DeadLetterReason::Corrupt,
            AbandonReason::Failed => DeadLetterReason::Failed,
            AbandonReason::AttemptsExhausted => DeadLetterReason::AttemptsExhausted,
            // Nothing is wrong that a person could mend.
            AbandonReason::OutOfScope | AbandonReason::Archived => return None,
        };
        Some((reason, detail.clone()))
    }
}
