//! Lanes of requests in the SQLite file.

mod bells;
mod letters;
mod rows;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{
    Clock, DeadLetter, Delivery, Depth, Lease, MAX_RECEIVE, MAX_SEND, Queue, QueueError,
};
use cve_monitor_core::vocabulary::{Lane, Page, PageToken, RequestId, ScanRequest};
use tokio::time::Instant;

use self::bells::Bells;
pub(in crate::embedded) use self::rows::depth as depth_of;
use self::rows::{Held, Message};
use super::page_limit;
use crate::embedded::Database;

/// How often an idle receive looks for what other processes have sent, and for leases that have ended.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// A [`Queue`] in the SQLite file. The oldest message of a lane comes first, one that returns before those sent after
/// it; the same request sent again while it waits is one message. Leases run on the clock: a process that dies keeps
/// them until they end.
///
/// A send wakes the receivers of this queue and its clones at once, and those of other processes at their next look.
#[derive(Debug, Clone)]
pub struct SqliteQueue {
    database: Database,
    clock: Arc<dyn Clock>,
    bells: Arc<Bells>,
}

impl SqliteQueue {
    /// The queue of this file. One a process: clones wake each other.
    #[must_use]
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, bells: Arc::default() }
    }

    async fn lease(&self, lane: Lane, max: usize, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        let now = self.clock.now();
        // A look is cheap and blocks nobody: the writer is not asked while there is nothing.
        let look = move |state: &rusqlite::Connection| rows::has_ready(state, lane, now);
        if !self.database.read(look).await? {
            return Ok(vec![]);
        }
        let until = now.plus(lease);
        let leased = self.database.write(move |tx| rows::lease(tx, lane, max, now, until)).await?;
        Ok(leased.into_iter().map(Message::into_delivery).collect())
    }

    async fn wait_and_lease(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let deadline = self.clock.now().plus(wait);
        // The bound holds in real time as well, for a clock that stands still.
        let began = Instant::now();
        loop {
            // Listening begins before looking: what is sent in between rings.
            let mut bell = pin!(self.bells.of(lane).notified());
            bell.as_mut().enable();
            let deliveries = self.lease(lane, max, lease).await?;
            let left = wait.saturating_sub(began.elapsed());
            if !deliveries.is_empty() || left.is_zero() || self.clock.now() >= deadline {
                return Ok(deliveries);
            }
            tokio::select! {
                () = bell => {}
                () = tokio::time::sleep(POLL_EVERY.min(left)) => {}
                () = self.clock.sleep_until(deadline) => {}
            }
        }
    }
}

fn held(found: Held) -> Result<(), QueueError> {
    match found {
        Held::Yes => Ok(()),
        Held::No => Err(QueueError::LeaseLost),
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        if requests.len() > MAX_SEND {
            let count = requests.len();
            return Err(QueueError::Permanent(format!(
                "{count} requests in one send; at most {MAX_SEND} are taken"
            )));
        }
        let bodies: Result<Vec<_>, _> = requests
            .iter()
            .map(|request| serde_json::to_string(request).map(|body| (request.id.0.clone(), body)))
            .collect();
        let bodies = bodies.map_err(|error| QueueError::Permanent(error.to_string()))?;
        let now = self.clock.now();
        self.database.write(move |tx| rows::send(tx, lane, &bodies, now)).await?;
        self.bells.of(lane).notify_waiters();
        Ok(())
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        if max > MAX_RECEIVE {
            return Err(QueueError::Permanent(format!(
                "{max} deliveries in one receive; at most {MAX_RECEIVE} are given"
            )));
        }
        self.wait_and_lease(lane, max, lease, wait).await
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        let (now, lease) = (self.clock.now(), lease.clone());
        held(self.database.write(move |tx| rows::extend(tx, &lease, now, now.plus(by))).await?)
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        let lease = lease.clone();
        held(self.database.write(move |tx| rows::end(tx, &lease)).await?)
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        let (lease, letter) = (lease.clone(), letter.clone());
        held(self.database.write(move |tx| letters::bury(tx, &lease, &letter)).await?)
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        let now = self.clock.now();
        Ok(self.database.read(move |state| rows::depth(state, lane, now)).await?)
    }

    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError> {
        let limit = page_limit(limit);
        Ok(self.database.read(move |state| letters::page(state, after.as_ref(), limit)).await?)
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        let (id, now) = (id.clone(), self.clock.now());
        let Some(lane) = self.database.write(move |tx| letters::redrive(tx, &id, now)).await? else {
            return Ok(false);
        };
        self.bells.of(lane).notify_waiters();
        Ok(true)
    }
}
