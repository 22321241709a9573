//! What one report says, without the report: this alone is kept.

use cve_monitor_core::vocabulary::{Digest, Timestamp};

use super::question::Row;

/// What one report says to a question.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// The image, in short.
    pub(super) image: u128,
    at: Timestamp,
    id: Option<u128>,
    previous: Option<u128>,
    /// The rows, if this report is the one that decides.
    pub(super) rows: Vec<Row>,
    /// The repository with its registry, and the findings by severity.
    pub(super) counts: Option<Counts>,
}

#[derive(Debug, Clone)]
pub(super) struct Counts {
    pub(super) registry: String,
    pub(super) repository: String,
    pub(super) by_severity: [u64; 6],
}

impl Said {
    /// Of an image at an instant; with the id of the report and that of the one before it.
    pub(super) fn new(
        image: &str,
        at: Timestamp,
        ids: [Option<&String>; 2],
        rows: Vec<Row>,
        counts: Option<Counts>,
    ) -> Self {
        let [id, previous] = ids.map(|id| id.map(|id| short(id)));
        Self { image: short(image), at, id, previous, rows, counts }
    }

    /// Whether it is the newer of two of one image. What is assessed in the same millisecond, as by a clock that stands, is
    /// told apart by what it follows.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        self.at > other.at || (self.at == other.at && self.previous.is_some() && self.previous == other.id)
    }
}

/// A text in 16 bytes, so that a million images have room.
fn short(text: &str) -> u128 {
    let digest = Digest::of(text.as_bytes());
    let hex = digest.hex().get(..32).unwrap_or_default();
    u128::from_str_radix(hex, 16).unwrap_or_default()
}
