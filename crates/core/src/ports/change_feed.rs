//! What the scanner has learnt since a cursor.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::vocabulary::{FeedName, Generation, LayerKey, Page, PageToken};

/// The longest cursor, in bytes: the head of a feed's stream holds three of them.
pub const MAX_CURSOR_BYTES: usize = 160;

/// Our place in a feed. At most [`MAX_CURSOR_BYTES`] long. Opaque to everyone but its adapter; durable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// What comes after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    UpToDate,
    /// The next state of knowledge: exactly one step from the cursor.
    Change {
        /// The cursor once this change has been followed.
        to: Cursor,
        /// What an assessment must at least know to have seen it.
        generation: Generation,
    },
    /// What changed since the cursor cannot be told any more (or there is no cursor yet): everything in the scope
    /// must be assessed again.
    Gap {
        /// The cursor once that sweep has been recorded.
        to: Cursor,
        /// What is affected, for people: an updater, an ecosystem, `everything`.
        scope: String,
        /// What an assessment must at least know.
        generation: Generation,
    },
}

/// The keys that a change may affect: a superset, in pages.
pub type Candidates = Page<LayerKey>;

/// Follows what a scanner learns.
///
/// # Laws
/// * **N1** From a cursor the feed passes through *every* state that an assessment may have seen, one at a time:
///   never a net difference over several.
/// * **N2** A skipped or forgotten state is a `Gap`.
/// * **N3** A text-only edit names no candidate.
/// * **N4** `candidates` names every key of which an assessment may differ between `from` and `to`; asking again
///   gives the same keys until the cursor has been left behind.
///
/// # Errors
/// `Transient`: ask again. `Permanent`: a setting is wrong.
///
/// # Cancellation
/// Nothing is left behind.
///
/// # Bounds
/// Pages of at most `limit` keys; cursors of at most [`MAX_CURSOR_BYTES`].
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ChangeFeed: std::fmt::Debug + Send + Sync {
    /// The feed's name: its stream of events is called after it.
    fn name(&self) -> FeedName;

    /// What comes after a cursor; none: nothing has been followed yet.
    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError>;

    /// The keys that the change `from` → `to` may affect.
    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError>;

    /// The changes up to this cursor have been followed: what only they needed may be thrown away.
    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError>;
}

/// Why a feed gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Ask again.
    #[error("the change feed is not available: {0}")]
    Transient(String),
    /// What was asked about is no longer kept: ask `next` again, it will be a gap.
    #[error("the change feed no longer keeps this state: {0}")]
    Forgotten(String),
    /// Trying again will not help.
    #[error("the change feed refuses: {0}")]
    Permanent(String),
}
