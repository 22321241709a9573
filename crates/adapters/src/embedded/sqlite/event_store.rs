//! Streams of events and their heads in the SQLite file.

mod everything;
mod rows;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use cve_monitor_core::ports::{AppendError, EventStore, Position, StoreError};
use cve_monitor_core::scan::{
    Due, EventType, Head, MAX_APPEND, RecordedEvent, StreamId, encode_event, encode_head,
};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};
use rusqlite::Connection;

use self::rows::{NewEvent, NewHead, Outcome};
use super::{integer, page_limit};
use crate::embedded::Database;

/// An [`EventStore`] in the SQLite file. The order of all events is that of their commits.
#[derive(Debug, Clone)]
pub struct SqliteEventStore {
    database: Database,
}

impl SqliteEventStore {
    /// The streams of this file.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn within_bounds(expected: u64, events: &[RecordedEvent], head: &Head) -> Result<(), StoreError> {
    if events.is_empty() || events.len() > MAX_APPEND {
        let count = events.len();
        return Err(StoreError::Permanent(format!(
            "an append of {count} events: from 1 to {MAX_APPEND} are taken"
        )));
    }
    if head.version != expected.saturating_add(events.len() as u64) {
        return Err(StoreError::Permanent(format!(
            "a head of version {} after {} events on version {expected}",
            head.version,
            events.len()
        )));
    }
    Ok(())
}

fn new_head(head: &Head) -> Result<NewHead, StoreError> {
    let body = encode_head(head).map_err(|e| StoreError::Permanent(e.to_string()))?;
    Ok(NewHead { version: integer(head.version)?, due: head.due(), body })
}

fn new_event(event: &RecordedEvent) -> Result<NewEvent, StoreError> {
    let body = encode_event(event).map_err(|e| StoreError::Permanent(e.to_string()))?;
    Ok(NewEvent { id: event.id.0.clone(), at: event.at.as_millis(), body })
}

fn written(outcome: Outcome, stream: &StreamId, expected: u64) -> Result<(), AppendError> {
    match outcome {
        Outcome::Written => Ok(()),
        Outcome::Conflict => Err(AppendError::Conflict { stream: stream.clone(), expected }),
    }
}

#[async_trait]
impl EventStore for SqliteEventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        within_bounds(expected, events, head)?;
        let before = integer(expected).map_err(StoreError::from)?;
        let head = new_head(head)?;
        let events = events.iter().map(new_event).collect::<Result<Vec<_>, _>>()?;
        let name = stream.0.clone();
        let append = move |tx: &rusqlite::Transaction<'_>| rows::append(tx, &name, before, &events, &head);
        let outcome = self.database.write(append).await.map_err(StoreError::from)?;
        written(outcome, stream, expected)
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        let name = stream.0.clone();
        Ok(self.database.read(move |state| rows::head(state, &name)).await?)
    }

    async fn heads_of(&self, streams: &[StreamId]) -> Result<Vec<Option<Head>>, StoreError> {
        let names: Vec<String> = streams.iter().map(|stream| stream.0.clone()).collect();
        let heads = move |state: &Connection| names.iter().map(|name| rows::head(state, name)).collect();
        Ok(self.database.read(heads).await?)
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let prefix = prefix.to_owned();
        let limit = page_limit(limit);
        Ok(self.database.read(move |state| rows::heads(state, &prefix, after, limit)).await?)
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let kind = kind.clone();
        let limit = page_limit(limit);
        Ok(self.database.read(move |state| rows::due(state, &kind, before, after, limit)).await?)
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let name = stream.0.clone();
        let from = integer(from)?;
        // No token says that there is more, so the caller's own bound alone cuts the answer.
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.database.read(move |state| rows::events(state, &name, from, limit)).await?)
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let limit = page_limit(limit);
        Ok(self.database.read(move |state| everything::all_events(state, after.as_ref(), limit)).await?)
    }

    async fn read_all_of(
        &self,
        wanted: EventType,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let limit = page_limit(limit);
        let read = move |state: &Connection| everything::all_events_of(state, wanted, after.as_ref(), limit);
        Ok(self.database.read(read).await?)
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        let new = new_head(head)?;
        let name = stream.0.clone();
        let outcome = self.database.write(move |tx| rows::rewrite_head(tx, &name, &new)).await;
        written(outcome.map_err(StoreError::from)?, stream, head.version)
    }
}
