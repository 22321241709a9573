//! Notify: what the scanner has learnt since our cursor becomes requests, state by state.

mod inbox;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::{try_join, try_join_all};

use super::Ports;
use super::journal::append;
use crate::ports::{
    AppendError, ChangeFeed, Cursor, FeedError, LayerIndexError, MAX_SEND, Next, QueueError, StoreError,
};
use crate::scan::{
    FanOut, FeedEvent, FeedState, FeedSweep, Head, HeadState, IllegalTransition, ImageState, Resolved,
    StreamId, evolve_feed,
};
use crate::vocabulary::{Cause, FeedName, Generation, ImageId, Lane, LayerKey, RequestId, ScanRequest};

pub use inbox::{FollowedUpTo, Inbox, InboxError, MAX_BELL_NAME_BYTES, RING_CONFLICTS_MAX, Rung};

/// Candidate keys between two durable marks of a fan-out: what a crash repeats at the most.
const KEYS_PAGE: usize = 1_000;
/// Images that are looked up at a time: some megabytes.
const IMAGES_PAGE: usize = 10 * MAX_SEND;
/// Heads between two durable marks of a sweep.
const SWEEP_PAGE: usize = 500;

/// What following a feed to its end did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Followed {
    /// Changes that were followed to their end.
    pub changes: u64,
    /// Gaps that were found.
    pub gaps: u64,
    /// Requests queued for candidates.
    pub queued: u64,
    /// Requests queued by sweeps.
    pub swept: u64,
}

/// Why following stopped. What was done is durable; following again goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The feed gave no answer.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The feed's stream could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The layer index gave no answer.
    #[error(transparent)]
    Index(#[from] LayerIndexError),
    /// The requests could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The feed's stream holds something that these rules did not write.
    #[error("the stream of the feed cannot be followed: {0}")]
    Broken(String),
}

impl From<IllegalTransition> for NotifyError {
    fn from(error: IllegalTransition) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Follows a feed. Any number of them may run: the stream decides who goes on.
#[derive(Debug)]
pub struct Notifier {
    ports: Arc<Ports>,
    feed: Arc<dyn ChangeFeed>,
    stream: StreamId,
}

impl Notifier {
    /// A notifier of this feed.
    #[must_use]
    pub fn new(ports: Arc<Ports>, feed: Arc<dyn ChangeFeed>) -> Self {
        let stream = StreamId::feed(&feed.name());
        Self { ports, feed, stream }
    }

    /// Follows the feed to its end, and a sweep to its end. A change never waits behind a sweep.
    ///
    /// # Errors
    /// Where a port failed: following again goes on where this stopped.
    pub async fn follow(&self) -> Result<Followed, NotifyError> {
        let mut done = Followed::default();
        loop {
            let (version, state) = self.read().await?;
            let event = if let Some(fan_out) = &state.fan_out {
                self.advance_fan_out(fan_out, &mut done).await
            } else {
                match self.look(&state).await {
                    Ok(Some(event)) => Ok(event),
                    Ok(None) => match &state.sweep {
                        Some(sweep) => self.advance_sweep(sweep, &mut done).await,
                        None => return Ok(done),
                    },
                    Err(error) => Err(error),
                }
            }?;
            let moved = self.record(version, state, &event).await?;
            match (moved, &event) {
                (Some(cursor), FeedEvent::FanOutDone { .. }) => {
                    done.changes += 1;
                    self.feed.followed(&cursor).await?;
                }
                (Some(cursor), FeedEvent::GapFound { .. }) => {
                    done.gaps += 1;
                    self.feed.followed(&cursor).await?;
                }
                _ => {}
            }
        }
    }

    async fn read(&self) -> Result<(u64, FeedState), NotifyError> {
        match self.ports.store.head(&self.stream).await? {
            None => Ok((0, FeedState::default())),
            Some(Head { version, state: HeadState::Feed(state) }) => Ok((version, state)),
            Some(_) => Err(NotifyError::Broken("its head is not a feed's".to_owned())),
        }
    }

    /// Appends; the cursor after it. None where somebody else was faster: then the state is read anew.
    async fn record(
        &self,
        version: u64,
        state: FeedState,
        event: &FeedEvent,
    ) -> Result<Option<Cursor>, NotifyError> {
        let now = self.ports.clock.now();
        let state = evolve_feed(state, now, event)?;
        let cursor = state.cursor.clone();
        let events = vec![event.clone().into()];
        match append(&self.ports, &self.stream, version, now, events, HeadState::Feed(state)).await {
            Ok(_) => Ok(cursor),
            Err(AppendError::Conflict { .. }) => Ok(None),
            Err(AppendError::Store(error)) => Err(error.into()),
        }
    }

    async fn look(&self, state: &FeedState) -> Result<Option<FeedEvent>, NotifyError> {
        Ok(match (self.feed.next(state.cursor.clone()).await?, &state.cursor) {
            (Next::UpToDate, _) => None,
            (Next::Change { to, generation }, Some(from)) => {
                Some(FeedEvent::ChangeSeen { from: from.clone(), to, generation })
            }
            (Next::Change { to, generation }, None) => {
                Some(FeedEvent::GapFound { to, scope: "everything".to_owned(), generation })
            }
            (Next::Gap { to, scope, generation }, _) => Some(FeedEvent::GapFound { to, scope, generation }),
        })
    }

    /// Queues a page of candidates. The mark is appended after they are queued, never before.
    async fn advance_fan_out(&self, fan_out: &FanOut, done: &mut Followed) -> Result<FeedEvent, NotifyError> {
        let FanOut { from, to, generation, after, queued } = fan_out;
        let page = match self.feed.candidates(from, to, after.clone(), KEYS_PAGE).await {
            Ok(page) => page,
            Err(FeedError::Forgotten(scope)) => {
                return Ok(FeedEvent::GapFound { to: to.clone(), scope, generation: *generation });
            }
            Err(error) => return Err(error.into()),
        };
        let sent = self.request_all(&page.items, to, *generation).await?;
        done.queued += sent;
        let queued = queued + sent;
        Ok(match page.next {
            Some(after) => FeedEvent::FanOutAdvanced { after, queued },
            None => FeedEvent::FanOutDone { queued },
        })
    }

    /// Queues every image that has one of these keys; how many. The next ones are looked up while those found are sent.
    async fn request_all(
        &self,
        keys: &[LayerKey],
        to: &Cursor,
        generation: Generation,
    ) -> Result<u64, NotifyError> {
        let (mut found, mut sent, mut after) = (BTreeSet::new(), 0, None);
        loop {
            let lookup = async { Ok(self.ports.index.images_of_any(keys, after, IMAGES_PAGE).await?) };
            let (page, count) = try_join(lookup, self.request(filled(&mut found), to, generation)).await?;
            sent += count;
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(sent + self.request(found, to, generation).await?);
            }
        }
    }

    async fn request(
        &self,
        images: BTreeSet<ImageId>,
        to: &Cursor,
        generation: Generation,
    ) -> Result<u64, NotifyError> {
        let feed = self.feed.name();
        let requests: Vec<ScanRequest> = images
            .into_iter()
            .filter(|image| self.ports.scope.admits_repository(&image.registry, &image.repository))
            .map(|image| ScanRequest {
                id: RequestId::derived(&["change", &feed.0, &to.0, &image.to_string()]),
                image,
                cause: Cause::Change { feed: feed.clone() },
                at_least: Some(generation),
            })
            .collect();
        try_join_all(requests.chunks(MAX_SEND).map(|batch| self.ports.queue.send(Lane::Change, batch)))
            .await?;
        Ok(requests.len() as u64)
    }

    /// Queues a page of everything that was not assessed since the sweep began.
    async fn advance_sweep(&self, sweep: &FeedSweep, done: &mut Followed) -> Result<FeedEvent, NotifyError> {
        let page = self.ports.store.heads(StreamId::IMAGES, sweep.after.clone(), SWEEP_PAGE).await?;
        let feed = self.feed.name();
        let requests: Vec<ScanRequest> = page
            .items
            .iter()
            .filter(|(_, head)| head.image().is_some_and(|state| is_swept(state, sweep)))
            .filter_map(|(stream, _)| stream.as_image())
            .filter(|image| self.ports.scope.admits_repository(&image.registry, &image.repository))
            .map(|image| swept(&feed, sweep, image))
            .collect();
        if !requests.is_empty() {
            self.ports.queue.send(Lane::Backfill, &requests).await?;
        }
        done.swept += requests.len() as u64;
        let queued = sweep.queued + requests.len() as u64;
        Ok(match page.next {
            Some(after) => FeedEvent::SweepAdvanced { after, queued },
            None => FeedEvent::SweepDone { queued },
        })
    }
}

/// What fills a send; else nothing yet: most keys have few images, and wait for those of others.
fn filled(found: &mut BTreeSet<ImageId>) -> BTreeSet<ImageId> {
    if found.len() < MAX_SEND { BTreeSet::new() } else { std::mem::take(found) }
}

fn is_swept(state: &ImageState, sweep: &FeedSweep) -> bool {
    let older = |known: Option<Generation>| known.is_none_or(|known| known < sweep.generation);
    !state.deleted
        && matches!(state.resolved, Some(Resolved::Image(_)))
        && (state.assessed.is_none_or(|at| at < sweep.since) || older(state.generation))
}

fn swept(feed: &FeedName, sweep: &FeedSweep, image: ImageId) -> ScanRequest {
    let since = sweep.since.to_string();
    ScanRequest {
        id: RequestId::derived(&["sweep", &feed.0, &since, &image.to_string()]),
        image,
        cause: Cause::Sweep,
        at_least: Some(sweep.generation),
    }
}
