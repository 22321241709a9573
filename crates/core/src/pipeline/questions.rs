//! Questions: what is known, read from heads, events and archived bodies. Nothing here writes.

mod affected;
mod coverage;
mod history;

pub use affected::{AffectedFinding, AffectedImage, affected};
pub use coverage::{Coverage, CoverageRow, Standing, coverage, standing_of};
pub use history::{HistoryEntry, history, index_children};

use crate::ports::{ArchiveError, QueueError, StoreError};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// The streams could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bodies could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The queue could not be asked.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// No registry of that name is configured.
    #[error("no registry named `{0}` is configured")]
    UnknownRegistry(String),
}
