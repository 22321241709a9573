//! Requests: what the queue carries. A request is a hint; the stream of its image is the truth.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, FeedName, Generation, ImageId, Tag, Timestamp};

/// Identifies a request; the same id twice is the same request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub String);

impl RequestId {
    /// An id that follows from these parts alone: whoever builds it again builds the same one.
    #[must_use]
    pub fn derived(parts: &[&str]) -> Self {
        // Lengths first, so that no two lists of parts are spelt alike.
        let spelt: String = parts.iter().map(|part| format!("{}:{part};", part.len())).collect();
        Self(Digest::of(spelt.as_bytes()).hex()[..32].to_owned())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an image is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// It was pushed; with the tag, where the event names one.
    Push {
        /// The tag that was pushed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<Tag>,
    },
    /// It is a platform of an index.
    IndexChild {
        /// The index.
        parent: Digest,
    },
    /// The scanner has learnt something that may affect it.
    Change {
        /// The feed that said so.
        feed: FeedName,
    },
    /// The registry has it and we had no report of it.
    Reconcile,
    /// It has not been assessed for a while, or a feed had a gap.
    Sweep,
    /// It is said to be deleted, or was absent from a listing: to be asked of the registry.
    Absence,
    /// The time that it waited for has come. A wake-up alone: nothing is recorded for it, unless the image came back
    /// after a deletion just before.
    Due,
    /// A person asked.
    Operator,
}

impl Cause {
    /// The word in logs and tables.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::IndexChild { .. } => "index_child",
            Self::Change { .. } => "change",
            Self::Reconcile => "reconcile",
            Self::Sweep => "sweep",
            Self::Absence => "absence",
            Self::Due => "due",
            Self::Operator => "operator",
        }
    }
}

/// Asks for a look at one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequest {
    /// The same id twice is the same request.
    pub id: RequestId,
    /// The image.
    pub image: ImageId,
    /// Why.
    pub cause: Cause,
    /// The state of knowledge that the answer must at least come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Generation>,
}

/// A lane of the queue. Greater urgency first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Images that were just pushed.
    Push,
    /// Images that a change of the scanner's data may affect.
    Change,
    /// Everything that can wait: reconciliation, sweeps.
    Backfill,
}

impl Lane {
    /// All of them, most urgent first.
    pub const ALL: [Self; 3] = [Self::Push, Self::Change, Self::Backfill];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Change => "change",
            Self::Backfill => "backfill",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a letter is dead. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterReason {
    /// The message is not a request.
    Unreadable,
    /// A registry that the configuration does not name.
    UnknownRegistry,
    /// The registry denies access.
    Denied,
    /// What is there is broken and stays so: a manifest or a layer that does not hash to its digest.
    Corrupt,
    /// A step failed for good.
    Failed,
    /// A step failed as often as it may.
    AttemptsExhausted,
    /// The message was delivered more often than any worker survives.
    KillsWorkers,
}

impl DeadLetterReason {
    /// The word in tables and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownRegistry => "unknown_registry",
            Self::Denied => "denied",
            Self::Corrupt => "corrupt",
            Self::Failed => "failed",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::KillsWorkers => "kills_workers",
        }
    }
}

/// A letter that nobody could deliver, kept with its body until a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it.
    pub id: RequestId,
    /// The lane that it came from.
    pub lane: Lane,
    /// Why it is dead.
    pub reason: DeadLetterReason,
    /// What happened, for people.
    pub detail: String,
    /// The message as it came.
    pub body: String,
    /// When it was buried.
    pub at: Timestamp,
}
