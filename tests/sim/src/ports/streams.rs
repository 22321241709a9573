//! The event store.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{AppendError, EventStore, Position, StoreError};
use cve_monitor_core::scan::{Due, Event, Head, ImageEvent, RecordedEvent, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};

use super::PAGE;
use crate::wire::Wire;
use crate::world::{World, now};

/// Streams and heads.
#[derive(Debug)]
pub(crate) struct SimStore(pub(crate) Wire, pub(crate) Arc<World>);

impl SimStore {
    /// That an image is gone is written only by somebody whom the registry told so.
    fn check(&self, stream: &StreamId, events: &[RecordedEvent]) {
        let deleted = events.iter().any(|recorded| recorded.event == Event::Image(ImageEvent::ImageDeleted));
        if let Some(image) = stream.as_image().filter(|_| deleted)
            && !self.1.truth.lock().was_told_gone(self.0.role(), &image)
        {
            self.1
                .stage
                .violated(format!("{image} was taken for deleted although the registry never said so"));
        }
    }
}

/// The names of events, as they are stored.
pub(crate) fn told(events: &[RecordedEvent]) -> String {
    let name = |recorded: &RecordedEvent| {
        let json = serde_json::to_value(&recorded.event).unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let kind = |key: &str| json.get(key).map(|value| format!("({value})")).unwrap_or_default();
        format!("{}{}{}{}", text("type"), kind("cause"), kind("at_least"), kind("generation"))
    };
    events.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[async_trait]
impl EventStore for SimStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        let append = async {
            let before = now(self.1.store.head(stream)).ok().flatten();
            let was_deleted = before.as_ref().and_then(Head::image).is_some_and(|state| state.deleted);
            // What stands there already changes nothing: when it was written, it was looked at.
            let is_written = before.map_or(0, |head| head.version) == expected;
            let result = self.1.store.append(stream, expected, events, head).await;
            match &result {
                Ok(()) if is_written && !was_deleted => self.check(stream, events),
                Ok(()) => {}
                Err(AppendError::Conflict { .. }) => self.0.stage().count("conflict"),
                Err(AppendError::Store(_)) => {}
            }
            result
        };
        self.0.call("store.append", || format!("{stream} after {expected}: {}", told(events)), append).await
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        self.0.call("store.head", || stream.0.clone(), self.1.store.head(stream)).await
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let heads = self.1.store.heads(prefix, after, limit.min(PAGE));
        self.0.call("store.heads", || prefix.to_owned(), heads).await
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let due = self.1.store.due(kind, before, after, limit.min(PAGE));
        self.0.call("store.due", || format!("{kind:?}"), due).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        // Not shortened: what is less than the limit ends the stream.
        self.0
            .call("store.read", || format!("{stream} from {from}"), self.1.store.read(stream, from, limit))
            .await
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        self.0.call("store.read_all", String::new, self.1.store.read_all(after, limit)).await
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        self.0.call("store.rewrite_head", || stream.0.clone(), self.1.store.rewrite_head(stream, head)).await
    }
}
