//! An event store in careless hands.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{AppendError, EventStore, Position, Queue, StoreError};
use cve_monitor_core::scan::{Due, Head, RecordedEvent, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};

use super::Mutation;
use super::queue::HeldRequests;

#[derive(Debug)]
pub(super) struct BrokenStore {
    inner: Arc<dyn EventStore>,
    how: Mutation,
    queue: Arc<dyn Queue>,
    held: HeldRequests,
}

impl BrokenStore {
    pub(super) fn new(
        inner: Arc<dyn EventStore>,
        how: Mutation,
        queue: Arc<dyn Queue>,
        held: &HeldRequests,
    ) -> Self {
        Self { inner, how, queue, held: Arc::clone(held) }
    }

    async fn append_at_the_end(
        &self,
        stream: &StreamId,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        let now = self.inner.head(stream).await?.map_or(0, |head| head.version);
        let head = Head { version: now + events.len() as u64, state: head.state.clone() };
        self.inner.append(stream, now, events, &head).await
    }
}

#[async_trait]
impl EventStore for BrokenStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        let done = match self.inner.append(stream, expected, events, head).await {
            Err(AppendError::Conflict { .. }) if self.how == Mutation::AppendAtAnyVersion => {
                self.append_at_the_end(stream, events, head).await
            }
            Err(AppendError::Store(_)) if self.how == Mutation::AppendUnheard => Ok(()),
            done => done,
        };
        let held = std::mem::take(&mut *self.held.lock());
        for (lane, requests) in held {
            drop(self.queue.send(lane, &requests).await);
        }
        done
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        self.inner.head(stream).await
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let mut page = self.inner.heads(prefix, after, limit).await?;
        if self.how == Mutation::FirstPageOfHeads {
            page.next = None;
        }
        Ok(page)
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        if self.how == Mutation::NobodyWakes {
            return Ok(Page { items: vec![], next: None });
        }
        self.inner.due(kind, before, after, limit).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.inner.read(stream, from, limit).await
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        self.inner.read_all(after, limit).await
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        self.inner.rewrite_head(stream, head).await
    }
}
