//! What happened. Past tense, versioned, never changed once written: new facts get new fields with defaults.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ContentHash, Due, FailureClass, ReconcileCounts, ReportId, StepName};
use crate::ports::Cursor;
use crate::vocabulary::{
    ArtifactKind, Cause, Digest, Generation, KnowledgeId, LayerKey, Level, PageToken, Platform, RequestId,
    ScannerIdentity, SeverityCounts, Timestamp, Verdict,
};

/// An event of any stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Event {
    /// Of an image's stream.
    Image(ImageEvent),
    /// Of a feed's stream.
    Feed(FeedEvent),
    /// Of a registry's reconciliation.
    Reconcile(ReconcileEvent),
}

impl From<ImageEvent> for Event {
    fn from(event: ImageEvent) -> Self {
        Self::Image(event)
    }
}

impl From<FeedEvent> for Event {
    fn from(event: FeedEvent) -> Self {
        Self::Feed(event)
    }
}

impl From<ReconcileEvent> for Event {
    fn from(event: ReconcileEvent) -> Self {
        Self::Reconcile(event)
    }
}

/// What a report needs to know of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedImage {
    /// The digest of the configuration.
    pub config: Digest,
    /// How many layers.
    pub layers: u32,
    /// The platform, where the configuration or an index says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// An assessment whose content differs from the last report's: a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// When the assessment began; its day is the report's.
    pub started: Timestamp,
    /// The scanner.
    pub scanner: ScannerIdentity,
    /// The knowledge; none where it has no version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<KnowledgeId>,
    /// The knowledge's place in its feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// What the report says, hashed.
    pub content: ContentHash,
    /// The report.
    pub report: ReportId,
    /// The report before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<ReportId>,
    /// The archived body.
    pub body: Digest,
    /// The verdict.
    pub verdict: Verdict,
    /// The completeness.
    pub level: Level,
    /// How many findings.
    pub counts: SeverityCounts,
    /// Findings that the previous report did not have.
    pub new: u32,
    /// Findings of the previous report that are gone.
    pub gone: u32,
    /// The slow sweep found it: the feed had been followed beyond it, and had announced nothing for this image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unannounced: bool,
}

/// A report that reached a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredReport {
    /// The report.
    pub report: ReportId,
    /// The sink's name.
    pub sink: String,
}

/// Why an image was given up. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbandonReason {
    /// The registry denies access.
    Denied,
    /// The manifest or a layer does not hash to its digest, or is no manifest.
    Corrupt,
    /// A step failed for good.
    Failed,
    /// A step failed as often as it may.
    AttemptsExhausted,
    /// Its platform is outside of the configured scope.
    OutOfScope,
    /// The registry keeps it in an archive and does not serve it: a push or a restoration asks anew.
    Archived,
}

impl AbandonReason {
    /// The word in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Corrupt => "corrupt",
            Self::Failed => "failed",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::OutOfScope => "out_of_scope",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for AbandonReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ImageEvent {
    /// Somebody asked for a look. Recorded before anything is done for it.
    ScanRequested {
        /// The request.
        request: RequestId,
        /// Why.
        cause: Cause,
        /// What the answer must at least know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<Generation>,
    },
    /// The registry served the manifest of an image.
    ManifestResolved(ResolvedImage),
    /// The registry served an index; its children were queued before this was recorded.
    IndexResolved {
        /// The children.
        children: Vec<Digest>,
    },
    /// The registry served something that is not an image.
    ArtifactResolved {
        /// What it is.
        kind: ArtifactKind,
    },
    /// The layer index names this image under these keys. Recorded before the image is indexed.
    LayersRecorded {
        /// The keys.
        keys: Vec<LayerKey>,
        /// The generation of the way in which keys are made.
        generation: u32,
    },
    /// The scanner holds what it needs to assess the image.
    Indexed {
        /// The scanner.
        scanner: ScannerIdentity,
    },
    /// Assessed, and the content differs from the last report's.
    Assessed(Box<Assessed>),
    /// Assessed, with the same content.
    Verified {
        /// When the assessment began.
        started: Timestamp,
        /// The knowledge's place in its feed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<Generation>,
    },
    /// A sink has the report.
    Delivered(DeliveredReport),
    /// Nothing can be done until then. No attempt was spent.
    Waiting {
        /// What for.
        until: Due,
        /// Why.
        reason: String,
    },
    /// A step failed; it will be tried again.
    StepFailed {
        /// The step.
        step: StepName,
        /// How.
        class: FailureClass,
        /// What happened, for people.
        detail: String,
        /// When it will be tried again.
        retry_at: Timestamp,
    },
    /// Given up, until somebody asks again.
    Abandoned {
        /// Why.
        reason: AbandonReason,
        /// What happened, for people.
        detail: String,
    },
    /// The registry answered that it is not there.
    ImageDeleted,
    /// Asked whether it is still there, the registry answered that it is, archived.
    ImageArchived,
}

/// What happened to a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum FeedEvent {
    /// A notification arrived that is itself a fact (feeds without a cursor of their own).
    BellRang {
        /// Its name.
        name: String,
    },
    /// The next state of knowledge was read.
    ChangeSeen {
        /// The cursor before it.
        from: Cursor,
        /// The cursor after it.
        to: Cursor,
        /// Its place in the feed.
        generation: Generation,
    },
    /// Requests were queued for all candidates up to here.
    FanOutAdvanced {
        /// Where the next page of candidate keys begins.
        after: PageToken,
        /// Requests queued since the change was seen.
        queued: u64,
    },
    /// Requests were queued for every candidate: the cursor moves.
    FanOutDone {
        /// Requests queued.
        queued: u64,
    },
    /// A state is not to be had: everything in the scope is swept, and the cursor moves.
    GapFound {
        /// The new cursor.
        to: Cursor,
        /// What it concerns.
        scope: String,
        /// What the sweep's assessments must at least know.
        generation: Generation,
    },
    /// The sweep has queued everything up to here.
    SweepAdvanced {
        /// Where its next page begins.
        after: PageToken,
        /// Requests queued since it began.
        queued: u64,
    },
    /// The sweep has queued everything.
    SweepDone {
        /// Requests queued.
        queued: u64,
    },
}

/// What happened to a registry's reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ReconcileEvent {
    /// A round began.
    RoundStarted,
    /// Every repository up to this one was compared.
    RoundAdvanced {
        /// Where the listing of repositories goes on.
        after: PageToken,
        /// What was found so far.
        counts: ReconcileCounts,
    },
    /// The round is complete.
    RoundDone {
        /// What was found.
        counts: ReconcileCounts,
    },
}
