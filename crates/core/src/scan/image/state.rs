//! The state of an image: what its events fold into, and what its head holds.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::FailureClass;
use crate::scan::{AbandonReason, ContentHash, Due, ReportId, ResolvedImage};
use crate::vocabulary::{
    ArtifactKind, Digest, Generation, Level, RequestId, ScannerIdentity, Timestamp, Verdict,
};

/// How many of the last request ids an image remembers: a redelivery older than these is looked at again, which
/// costs an assessment and changes nothing.
pub const RECENT_REQUESTS: usize = 4;
/// How many parent indexes an image remembers; the oldest goes first.
pub const MAX_PARENTS: usize = 2;

/// Whoever forgets the keys of a deleted image has ended, or died and lost its message to another, within this time: in
/// minutes.
const FORGETTING_MAX_MIN: i64 = 60;
const MINUTE_MS: i64 = 60_000;

/// What the manifest turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolved {
    /// An image.
    Image(ResolvedImage),
    /// An index of that many children.
    Index(u32),
    /// Not an image.
    Artifact(ArtifactKind),
}

/// A request that no assessment has answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// When it was recorded.
    #[serde(rename = "t")]
    pub since: Timestamp,
    /// What the answer must at least know: the greatest of all open requests.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Generation>,
    /// Asked by the slow sweep alone: nothing has announced that the answer may be another one than last time.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub routine: bool,
}

/// The last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastReport {
    /// Its id.
    pub id: ReportId,
    /// Its content.
    #[serde(rename = "c")]
    pub content: ContentHash,
    /// Its archived body.
    #[serde(rename = "b")]
    pub body: Digest,
    /// When its assessment began.
    #[serde(rename = "t")]
    pub started: Timestamp,
    /// Its verdict.
    #[serde(rename = "v")]
    pub verdict: Verdict,
    /// Its completeness.
    #[serde(rename = "l")]
    pub level: Level,
    /// The sinks that have it.
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<String>,
}

/// What is known of an image. The field names are short in writing: the head is written with every append.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageState {
    /// What the manifest is.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// The generation of keys under which the layer index names it.
    #[serde(rename = "k", skip_serializing_if = "Option::is_none")]
    pub keys: Option<u32>,
    /// The scanner that indexed it.
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    pub indexed: Option<ScannerIdentity>,
    /// A request that no assessment has answered yet.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenRequest>,
    /// Short forms of the last request ids, oldest first: a collision of 48 bits within four is not to be met.
    #[serde(rename = "r", skip_serializing_if = "VecDeque::is_empty")]
    pub recent: VecDeque<String>,
    /// Indexes that name it.
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Digest>,
    /// The last report.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
    /// The start of the last assessment.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub assessed: Option<Timestamp>,
    /// The knowledge of the last assessment.
    #[serde(rename = "g", skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// How the last attempt failed.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub failing: Option<FailureClass>,
    /// Attempts that failed in this way since something last went well.
    #[serde(rename = "f", skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// What it waits for.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Why it was given up.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<AbandonReason>,
    /// The registry said that it is not there.
    #[serde(rename = "x", skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Said to be deleted: to be asked of the registry.
    #[serde(rename = "y", skip_serializing_if = "std::ops::Not::not")]
    pub presence_doubted: bool,
    /// When it came back after it was deleted, in minutes since 1970. Somebody may have been forgetting its keys just
    /// then, and may have died before recording them again: each message that comes for a while, and such a worker leaves
    /// one, does that.
    #[serde(rename = "z", skip_serializing_if = "Option::is_none")]
    pub revived: Option<i64>,
}

/// The minute since 1970 in which an instant lies.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.as_millis() / MINUTE_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl ImageState {
    /// The short form of a request id that is remembered.
    #[must_use]
    pub fn remembered(id: &RequestId) -> String {
        RequestId::derived(&[&id.0]).0[..12].to_owned()
    }

    /// Whether this request was recorded lately.
    #[must_use]
    pub fn knows(&self, id: &RequestId) -> bool {
        self.recent.contains(&Self::remembered(id))
    }

    /// Whether its keys may just have been forgotten by somebody who had not seen that it came back.
    #[must_use]
    pub fn is_revived_lately(&self, now: Timestamp) -> bool {
        !self.deleted && self.revived.is_some_and(|at| minute_of(now) - at < FORGETTING_MAX_MIN)
    }

    /// How many request ids it remembers: while the head holds when it came back, it has room for one less.
    pub(super) fn remembers(&self) -> usize {
        RECENT_REQUESTS - usize::from(self.revived.is_some())
    }

    /// How often it has failed in this way in a row, this time included.
    #[must_use]
    pub fn failures_with(&self, class: FailureClass) -> u32 {
        if self.failing == Some(class) { self.failures.saturating_add(1) } else { 1 }
    }

    /// Whether it is an image with a report, nothing open and nothing to deliver to these sinks.
    #[must_use]
    pub fn is_current(&self, sinks: &[String]) -> bool {
        self.open.is_none()
            && self.last_report.as_ref().is_some_and(|r| sinks.iter().all(|s| r.delivered.contains(s)))
    }
}
