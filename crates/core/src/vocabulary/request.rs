//! Requests: what the queue carries. A request is a hint; the stream of its image is the truth.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, FeedName, Generation, ImageId, Tag};

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
    /// The time that it waited for has come. A wake-up alone: nothing is recorded for it.
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
