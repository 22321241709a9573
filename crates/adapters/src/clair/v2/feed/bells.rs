//! The notifications in the feed's stream. They were made durable there before Clair was answered.

use std::sync::{Arc, Mutex, PoisonError};

use cve_monitor_core::ports::{EventStore, FeedError, StoreError};
use cve_monitor_core::scan::{Event, FeedEvent, StreamId};

/// How many events are read at a time.
const EVENTS_PAGE: usize = 500;

/// Reads notifications out of the feed's stream.
#[derive(Debug)]
pub(super) struct Bells {
    store: Arc<dyn EventStore>,
    stream: StreamId,
    /// A version, and a later one up to which there is no notification: what sweeps and fan-outs write in between is
    /// read once.
    silent: Mutex<(u64, u64)>,
}

impl Bells {
    pub(super) fn new(store: Arc<dyn EventStore>, stream: StreamId) -> Self {
        Self { store, stream, silent: Mutex::default() }
    }

    /// The version of the first notification after this one.
    pub(super) async fn first_after(&self, position: u64) -> Result<Option<u64>, FeedError> {
        let (since, until) = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut version = if since == position { until.max(position) } else { position };
        loop {
            let events = self.page(version + 1).await?;
            for event in &events {
                version += 1;
                if name(event).is_some() {
                    return Ok(Some(version));
                }
            }
            if events.len() < EVENTS_PAGE {
                *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = (position, version);
                return Ok(None);
            }
        }
    }

    /// The version of the last notification; 0 where there is none.
    pub(super) async fn last(&self) -> Result<u64, FeedError> {
        let mut last = 0;
        while let Some(next) = self.first_after(last).await? {
            last = next;
        }
        Ok(last)
    }

    /// The name of the notification at this version.
    pub(super) async fn at(&self, version: u64) -> Result<Option<String>, FeedError> {
        let events = self.store.read(&self.stream, version, 1).await.map_err(failed)?;
        Ok(events.first().and_then(|recorded| name(&recorded.event)).map(str::to_owned))
    }

    /// The names of the notifications after one version up to another, with their versions.
    pub(super) async fn between(&self, after: u64, to: u64) -> Result<Vec<(u64, String)>, FeedError> {
        let (mut names, mut version) = (vec![], after);
        while version < to {
            let events = self.page(version + 1).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                version += 1;
                if let Some(name) = name(event).filter(|_| version <= to) {
                    names.push((version, name.to_owned()));
                }
            }
        }
        Ok(names)
    }

    async fn page(&self, from: u64) -> Result<Vec<Event>, FeedError> {
        let events = self.store.read(&self.stream, from, EVENTS_PAGE).await.map_err(failed)?;
        Ok(events.into_iter().map(|recorded| recorded.event).collect())
    }
}

fn name(event: &Event) -> Option<&str> {
    match event {
        Event::Feed(FeedEvent::BellRang { name }) => Some(name),
        _ => None,
    }
}

fn failed(error: StoreError) -> FeedError {
    match error {
        StoreError::Transient(detail) => FeedError::Transient(detail),
        other => FeedError::Permanent(other.to_string()),
    }
}
