//! Append-only streams with their heads.

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::scan::{Due, EventType, Head, RecordedEvent, StreamId};
use crate::vocabulary::{Page, PageToken, Timestamp};

/// How many heads are asked for at once where the store has no way to ask for several.
const HEADS_AT_ONCE: usize = 256;

/// Where an event stands: its stream, and its version in it (the first event's is 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The stream.
    pub stream: StreamId,
    /// The version in the stream, from 1.
    pub version: u64,
}

/// Keeps streams of events, and for each stream its head: the version and the folded state.
///
/// # Laws
/// * **E1** An append of several events is atomic: all of them with the head, or nothing.
/// * **E2** Appending events whose ids already stand at the same place is Ok and changes nothing.
/// * **E3** Otherwise a stale `expected` version is `Conflict` and writes nothing.
/// * **E4** The versions of a stream are 1, 2, 3 … without gaps.
/// * **E5** `read_all` visits each event that existed when the read began, exactly once, each stream in order.
/// * **E6** The head is written with the append; listing heads reads no events and visits each stream that
///   existed when the listing began.
/// * **E7** `rewrite_head` replaces a head only at the version that it names; else `Conflict`.
/// * **E8** `due` lists exactly the heads that wait for what is asked, earliest first.
/// * **E9** `heads_of` answers of each stream, in their order, what `head` answers of it.
/// * **E10** `read_all_of` visits of the events that `read_all` visits those of the type, as it does.
///
/// Not promised: any order between streams.
///
/// # Errors
/// `Conflict`: read the head again and decide anew. `Transient`: the append may or may not have happened; do the
/// same append again (E2). `Corrupt`: stop and tell a person.
///
/// # Cancellation
/// A dropped append has happened wholly or not at all.
///
/// # Bounds
/// At most [`crate::scan::MAX_APPEND`] events an append, a head of at most [`crate::scan::MAX_HEAD_BYTES`] bytes, pages of at
/// most `limit` entries; as many streams a `heads_of` as the caller has memory for heads.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventStore: std::fmt::Debug + Send + Sync {
    /// Appends events after version `expected` (0: the stream is new) and writes the head that follows from them.
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError>;

    /// The head of a stream; none where the stream is empty.
    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError>;

    /// The heads of these streams: one question to a store that can answer it.
    async fn heads_of(&self, streams: &[StreamId]) -> Result<Vec<Option<Head>>, StoreError> {
        let questions: Vec<_> = streams.iter().map(|stream| self.head(stream)).collect();
        stream::iter(questions).buffered(HEADS_AT_ONCE).try_collect().await
    }

    /// Heads of the streams whose id begins with `prefix`, ordered by id (byte order).
    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError>;

    /// Streams whose head waits: for a time not after `before`, or (`Due::ScannerReady`) for the scanner.
    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError>;

    /// Events of one stream from a version on, in order.
    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Every event of every stream.
    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError>;

    /// Every event of one type, where the store can tell without reading the others. A page is of events that were passed:
    /// it may be empty and not the last.
    async fn read_all_of(
        &self,
        wanted: EventType,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let mut page = self.read_all(after, limit).await?;
        page.items.retain(|(_, recorded)| wanted.is_of(&recorded.event));
        Ok(page)
    }

    /// Replaces the head of a stream at exactly `head.version`: for repairs, from a fold of the events.
    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError>;
}

/// Why an append did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream has moved on.
    #[error("stream {stream} is not at version {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// The version that was expected.
        expected: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the store gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Try again.
    #[error("the event store is not available: {0}")]
    Transient(String),
    /// Trying again will not help: a bound or a setting is wrong.
    #[error("the event store refuses: {0}")]
    Permanent(String),
    /// What is stored cannot be read.
    #[error("the event store holds something that cannot be read: {0}")]
    Corrupt(String),
}
