//! What the queue hands out, and what it keeps of what nobody could deliver.

use serde::{Deserialize, Serialize};

use super::Lease;
use crate::vocabulary::{Lane, RequestId, ScanRequest, Timestamp};

/// A message in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What extends, acknowledges or buries it.
    pub lease: Lease,
    /// How often it has been delivered, this time included; 1 where the backend does not say.
    pub deliveries: u32,
    /// The request; or what could not be read as one.
    pub request: Result<ScanRequest, Unreadable>,
}

/// A message that is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The message as it came.
    pub body: String,
    /// What is wrong with it.
    pub problem: String,
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
