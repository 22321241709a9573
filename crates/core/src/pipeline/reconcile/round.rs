//! How a round works, what it wants, and why it ends early.

use std::time::Duration;

use crate::ports::{QueueError, Registry, RegistryError, StoreError};
use crate::scan::{IllegalTransition, ReconcileCounts, ReconcileState, StreamId};
use crate::vocabulary::{Cause, ImageId, RegistryName, RepositoryName, Tag, Timestamp};

/// The most images that the listing of a repository may have, and the most pages: a registry's page may be without any. ECR's
/// quota is 100,000 unless it was raised.
pub const MAX_LISTED: usize = 1_000_000;

/// How a round works.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileSettings {
    /// An image that was not assessed for this long is assessed again.
    pub sweep_after: Duration,
    /// Entries a page of a listing.
    pub page: usize,
    /// Listing calls a second at the most.
    pub lists_per_second: u32,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self { sweep_after: Duration::from_secs(7 * 24 * 3600), page: 1_000, lists_per_second: 10 }
    }
}

/// Whether requests are queued, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconcileMode {
    /// Queue them; remember how far the round has come.
    Apply,
    /// Tell them; write nothing.
    DryRun,
}

/// An image that a round wants looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The image.
    pub image: ImageId,
    /// Its tags in the listing.
    pub tags: Vec<Tag>,
    /// Why.
    pub why: Cause,
}

/// Why a round ended early. It goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// No registry of that name is configured.
    #[error("no registry named `{0}` is configured")]
    UnknownRegistry(RegistryName),
    /// The registry gave no answer.
    #[error("{registry} cannot be listed: {error}")]
    Registry {
        /// The registry.
        registry: RegistryName,
        /// What it said.
        error: RegistryError,
    },
    /// The heads could not be read, or the round not recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The requests could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Somebody else runs a round of this registry.
    #[error("another round of {0} is under way; it goes on there")]
    Contended(RegistryName),
    /// The round's stream holds something that these rules did not write.
    #[error(transparent)]
    Broken(#[from] IllegalTransition),
}

/// Told after each repository: what was found so far, and what this repository adds.
pub type RoundObserver<'a> = dyn FnMut(&ReconcileCounts, &[Wanted]) + Send + 'a;

/// A round under way.
pub(super) struct Round<'a> {
    pub(super) name: &'a RegistryName,
    pub(super) registry: &'a dyn Registry,
    pub(super) stream: StreamId,
    pub(super) mode: ReconcileMode,
    pub(super) version: u64,
    pub(super) state: ReconcileState,
    pub(super) counts: ReconcileCounts,
    pub(super) started: Timestamp,
    pub(super) next_list: Timestamp,
}

impl Round<'_> {
    /// The entries of a listing after a page with so many more. A page without any counts as one.
    pub(super) fn counted(
        &self,
        before: usize,
        more: usize,
        repository: &RepositoryName,
    ) -> Result<usize, ReconcileError> {
        let entries = before + more.max(1);
        if entries <= MAX_LISTED {
            return Ok(entries);
        }
        let error = RegistryError::Unsupported(format!("{repository} lists more than {MAX_LISTED} images"));
        Err(ReconcileError::Registry { registry: self.name.clone(), error })
    }
}
