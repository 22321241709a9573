//! Streams of events and their heads in DynamoDB.

mod append;
mod due;
mod events;
mod everything;
mod heads;
mod listing;
mod place;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use cve_monitor_core::ports::{AppendError, EventStore, Position, StoreError};
use cve_monitor_core::scan::{Due, Head, RecordedEvent, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};

use self::heads::Catalogue;
use super::page_limit;
use super::tables::Names;
use crate::aws::quiet::Quiet;

/// An [`EventStore`] in DynamoDB.
///
/// * `append` is one transaction of two items: 2 WRU for each KB begun of the events (compressed where they are longer than
///   one) and of the head, so 4 WRU mostly; one more for the first image of a repository that this process sees, and one
///   each to begin and to end a wait. Only an append that fails its condition reads.
/// * `head` is a read of one item (1 RRU), `heads` and `read` cost what they read. `due` reads its index (half an RRU for
///   each of four shards) and the heads that it lists (1 RRU each).
///
/// `due` is listed by an index that follows the heads, moments later: it may name a head late, but never one that does not
/// wait. Everything else is strongly consistent.
#[derive(Debug, Clone)]
pub struct DynamoEventStore {
    client: Quiet<Client>,
    tables: Names,
    catalogue: Arc<Catalogue>,
}

impl DynamoEventStore {
    /// The streams in the tables of this prefix.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: &str) -> Self {
        Self { client: Quiet(Client::new(config)), tables: Names::of(prefix), catalogue: Arc::default() }
    }
}

#[async_trait]
impl EventStore for DynamoEventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        self.append_events(stream, expected, events, head).await
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        Ok(self.head_of(stream).await?)
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let after = after.as_ref().map(|token| token.0.as_str());
        Ok(self.heads_after(prefix, after, page_limit(limit)).await?)
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        Ok(self.due_heads(kind, before, after.as_ref(), page_limit(limit)).await?)
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        Ok(self.events_from(stream, from, limit).await?)
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        Ok(self.all_events(after.as_ref(), page_limit(limit)).await?)
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        self.put_head(stream, head).await
    }
}
