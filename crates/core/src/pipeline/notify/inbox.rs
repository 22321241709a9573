//! The inbox of a feed: notifications that are facts of their own become events before anybody answers for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::Ports;
use super::super::journal::append;
use crate::ports::{AppendError, Cursor, StoreError};
use crate::scan::{Event, FeedEvent, FeedState, Head, HeadState, StreamId, evolve_feed};
use crate::vocabulary::FeedName;

/// The longest name of a notification, in bytes.
pub const MAX_BELL_NAME_BYTES: usize = 128;
/// How often an append is decided anew because somebody else wrote to the stream meanwhile.
pub const RING_CONFLICTS_MAX: u32 = 16;
/// Events of the feed's stream that are read at a time.
const EVENTS_PAGE: usize = 500;

/// Up to which version of its stream a feed has followed its notifications, read out of its cursor.
pub type FollowedUpTo = fn(&Cursor) -> u64;

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// It is an event now.
    Recorded,
    /// It was one already, and has not been followed yet.
    Known,
}

/// Why a notification is not durable: its sender has to send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboxError {
    /// Its name is empty or too long.
    #[error("a notification's name has 1 to {MAX_BELL_NAME_BYTES} bytes")]
    Name,
    /// The feed's stream could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others wrote to the feed's stream all the time.
    #[error("the feed's stream is too busy")]
    Busy,
    /// The feed's stream holds something that these rules did not write.
    #[error("the stream of the feed cannot be read: {0}")]
    Broken(String),
}

/// Names that wait in the stream, with their versions; and the version up to which the stream was read for them.
#[derive(Debug, Default)]
struct Waiting {
    names: BTreeMap<String, u64>,
    read_to: u64,
}

/// The notifications of one feed. Any number of processes may hold one over the same stream.
#[derive(Debug)]
pub struct Inbox {
    ports: Arc<Ports>,
    stream: StreamId,
    followed_up_to: FollowedUpTo,
    waiting: Mutex<Waiting>,
}

impl Inbox {
    /// The inbox of this feed, whose cursors are read like that.
    #[must_use]
    pub fn new(ports: Arc<Ports>, feed: &FeedName, followed_up_to: FollowedUpTo) -> Self {
        Self { ports, stream: StreamId::feed(feed), followed_up_to, waiting: Mutex::default() }
    }

    /// Makes a notification an event; when this returns Ok it is durable. One that waits already is not recorded
    /// again, so that a sender who repeats himself a thousand times costs a thousand reads of a head.
    ///
    /// # Errors
    /// Where it is not durable.
    pub async fn ring(&self, name: &str) -> Result<Rung, InboxError> {
        if name.is_empty() || name.len() > MAX_BELL_NAME_BYTES {
            return Err(InboxError::Name);
        }
        for _ in 0..RING_CONFLICTS_MAX {
            let (version, state) = self.head().await?;
            if self.waits(name, version, &state).await? {
                return Ok(Rung::Known);
            }
            let event = FeedEvent::BellRang { name: name.to_owned() };
            let now = self.ports.clock.now();
            let state =
                evolve_feed(state, now, &event).map_err(|error| InboxError::Broken(error.to_string()))?;
            let events = vec![Event::from(event)];
            match append(&self.ports, &self.stream, version, now, events, HeadState::Feed(state)).await {
                Ok(_) => return Ok(Rung::Recorded),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(error)) => return Err(error.into()),
            }
        }
        Err(InboxError::Busy)
    }

    async fn head(&self) -> Result<(u64, FeedState), InboxError> {
        match self.ports.store.head(&self.stream).await? {
            None => Ok((0, FeedState::default())),
            Some(Head { version, state: HeadState::Feed(state) }) => Ok((version, state)),
            Some(_) => Err(InboxError::Broken("its head is not a feed's".to_owned())),
        }
    }

    /// Whether a notification of that name stands in the stream and has not been followed yet.
    async fn waits(&self, name: &str, version: u64, state: &FeedState) -> Result<bool, StoreError> {
        let followed = state.cursor.as_ref().map_or(0, self.followed_up_to);
        let mut from = {
            let mut waiting = self.waiting();
            waiting.names.retain(|_, at| *at > followed);
            waiting.read_to.max(followed) + 1
        };
        while from <= version {
            let events = self.ports.store.read(&self.stream, from, EVENTS_PAGE).await?;
            if events.is_empty() {
                break;
            }
            let mut waiting = self.waiting();
            for recorded in events {
                if let Event::Feed(FeedEvent::BellRang { name }) = recorded.event {
                    waiting.names.insert(name, from);
                }
                waiting.read_to = waiting.read_to.max(from);
                from += 1;
            }
        }
        Ok(self.waiting().names.contains_key(name))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
