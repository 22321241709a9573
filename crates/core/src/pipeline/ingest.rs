//! Ingest: deliveries to outcomes, so many at a time.

mod counts;
mod hold;
mod observers;
mod pace;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, Either, FusedFuture, FutureExt, select};
use futures::stream::{FuturesUnordered, StreamExt};

use self::counts::Handled;
pub use self::counts::{IngestCounts, IngestSettings};
pub use self::hold::PAUSE_MAX;
use self::observers::Observers;
use self::pace::Pace;
use super::{DriveError, Driver, Outcome, Ports};
use crate::ports::{DeadLetter, DeadLetterReason, Delivery, MAX_RECEIVE, QueueError};
use crate::vocabulary::{Cause, Lane, RequestId, ScanRequest};

/// The wait after the queue itself failed.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);

/// What happened while everything was under way.
enum Happened {
    Received(Vec<(Lane, Delivery)>),
    /// By the listener of that lane.
    Heard(usize, Vec<(Lane, Delivery)>),
    Handled(Handled),
}

fn in_lane(lane: Lane, received: Vec<Delivery>) -> Vec<(Lane, Delivery)> {
    received.into_iter().map(|delivery| (lane, delivery)).collect()
}

/// Works through the queue.
#[derive(Clone)]
pub struct Ingest {
    ports: Arc<Ports>,
    driver: Driver,
    settings: IngestSettings,
    observers: Observers,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Ingest over these ports.
    #[must_use]
    pub fn new(ports: Arc<Ports>, settings: IngestSettings) -> Self {
        Self { driver: Driver::new(Arc::clone(&ports)), ports, settings, observers: Observers::default() }
    }

    /// Works until `stop`, then finishes what is in hand.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) -> IngestCounts {
        self.work(stop.boxed(), false).await
    }

    /// Works until every lane is empty and nothing is in hand.
    pub async fn run_until_idle(&self) -> IngestCounts {
        self.work(std::future::pending().boxed(), true).await
    }

    /// Everything that is under way is polled together: a future that is put aside while another one is awaited
    /// may hold what that one needs (a connection, a permit), and both would wait for ever.
    async fn work(&self, stop: BoxFuture<'_, ()>, until_idle: bool) -> IngestCounts {
        let mut stop = stop.fuse();
        let mut counts = IngestCounts::default();
        let mut pace = Pace::new(self.settings.concurrency);
        // Whoever waits for the end of the work does not wait for a store that is away.
        let hold = AtomicBool::new(!until_idle);
        let mut under_way: FuturesUnordered<BoxFuture<'_, Happened>> = FuturesUnordered::new();
        let (mut in_hand, mut receiving, mut empty) = (0, false, false);
        // Listening to an empty lane goes on across rounds: a receive that is dropped may have leased something.
        let mut listened = [false; Lane::ALL.len()];
        loop {
            let stopped = stop.is_terminated();
            if stopped {
                hold.store(false, Ordering::Relaxed);
            }
            if !stopped && !receiving && !empty && in_hand < pace.limit {
                receiving = true;
                under_way.push(self.receive(pace.pick(), pace.limit - in_hand).boxed());
            }
            if in_hand == 0 && !receiving && (stopped || (until_idle && empty)) {
                return counts;
            }
            if empty && !until_idle && !stopped && in_hand < pace.limit {
                for (at, lane) in Lane::ALL.into_iter().enumerate().filter(|(at, _)| !listened[*at]) {
                    under_way.push(self.listen(at, lane).boxed());
                }
                listened = [true; Lane::ALL.len()];
            }
            let arrived = match select(under_way.next(), &mut stop).await {
                Either::Left((Some(Happened::Handled(handled)), _)) => {
                    in_hand -= 1;
                    // It may have queued something: children, say.
                    empty = false;
                    pace.adapt(handled.asks_for_less(), self.settings.concurrency);
                    counts.add(&handled);
                    continue;
                }
                Either::Left((Some(Happened::Received(received)), _)) => {
                    receiving = false;
                    empty = received.is_empty();
                    received
                }
                Either::Left((Some(Happened::Heard(at, heard)), _)) => {
                    listened[at] = false;
                    heard
                }
                Either::Left((None, _)) | Either::Right(_) => continue,
            };
            counts.received += arrived.len() as u64;
            in_hand += arrived.len();
            under_way.extend(
                arrived.into_iter().map(|(lane, delivery)| {
                    self.handle(lane, delivery, &hold).map(Happened::Handled).boxed()
                }),
            );
        }
    }

    /// What there is, without waiting: at most what there are free hands for.
    async fn receive(&self, lower_first: bool, free: usize) -> Happened {
        let order = if lower_first { [Lane::Change, Lane::Backfill, Lane::Push] } else { Lane::ALL };
        // The turn of the lower lanes is one slot, not a whole hand.
        let max = if lower_first { 1 } else { free.min(MAX_RECEIVE) };
        for lane in order {
            match self.ports.queue.receive(lane, max, self.settings.lease, Duration::ZERO).await {
                Ok(received) if received.is_empty() => {}
                Ok(received) => return Happened::Received(in_lane(lane, received)),
                Err(error) => self.pause(lane, &error).await,
            }
        }
        Happened::Received(vec![])
    }

    /// Waits for one message of an empty lane.
    async fn listen(&self, at: usize, lane: Lane) -> Happened {
        match self.ports.queue.receive(lane, 1, self.settings.lease, self.settings.wait).await {
            Ok(received) => Happened::Heard(at, in_lane(lane, received)),
            Err(error) => {
                self.pause(lane, &error).await;
                Happened::Heard(at, vec![])
            }
        }
    }

    async fn pause(&self, lane: Lane, error: &QueueError) {
        tracing::warn!(%lane, %error, "receiving failed; trying again");
        self.ports.clock.sleep_until(self.ports.clock.now().plus(QUEUE_PAUSE)).await;
    }

    async fn handle(&self, lane: Lane, delivery: Delivery, hold: &AtomicBool) -> Handled {
        let request = match &delivery.request {
            Ok(request) => request.clone(),
            Err(unreadable) => {
                let id = RequestId::derived(&["unreadable", &unreadable.body]);
                let letter = self.letter(
                    id,
                    lane,
                    DeadLetterReason::Unreadable,
                    &unreadable.problem,
                    &unreadable.body,
                );
                return self.bury(&delivery, letter).await;
            }
        };
        let body = serde_json::to_string(&request).unwrap_or_default();
        if delivery.deliveries > self.settings.max_deliveries {
            let detail = format!("delivered {} times and never finished", delivery.deliveries);
            let letter = self.letter(request.id, lane, DeadLetterReason::KillsWorkers, &detail, &body);
            return self.bury(&delivery, letter).await;
        }
        if !self.admits(&request) {
            self.acknowledge(&delivery).await;
            return Handled::OutOfScope;
        }
        match self.drive(&request, lane, &delivery, hold).await {
            Ok(outcome) => {
                self.observers.ended(&request.image, &outcome);
                tracing::debug!(image = %request.image, cause = request.cause.as_str(), ?outcome, "driven");
                if let Some((reason, detail)) = outcome.dead_letter() {
                    // What is given up is taken up by a request of its own alone: this one is known, and answered.
                    let again = self.asked_again(&request);
                    let letter = self.letter(request.id, lane, reason, &detail, &again);
                    self.bury(&delivery, letter).await;
                } else {
                    self.acknowledge(&delivery).await;
                }
                Handled::Outcome(outcome)
            }
            Err(DriveError::UnknownRegistry(name)) => {
                let detail = format!("no registry named `{name}` is configured");
                let letter = self.letter(request.id, lane, DeadLetterReason::UnknownRegistry, &detail, &body);
                self.bury(&delivery, letter).await
            }
            Err(error) => {
                tracing::error!(image = %request.image, %error, "left for redelivery");
                Handled::Failed
            }
        }
    }

    /// The request that a redrive sends for an image that was given up.
    fn asked_again(&self, request: &ScanRequest) -> String {
        let now = self.ports.clock.now().to_string();
        let id = RequestId::derived(&["redrive", &request.id.0, &now]);
        let again = ScanRequest { id, cause: Cause::Operator, ..request.clone() };
        serde_json::to_string(&again).unwrap_or_default()
    }

    /// A push says which tag it is about; what other causes name was admitted by its tags before.
    fn admits(&self, request: &ScanRequest) -> bool {
        let image = &request.image;
        self.ports.scope.admits_repository(&image.registry, &image.repository)
            && match &request.cause {
                Cause::Push { tag: Some(tag) } => self.ports.scope.admits(image, std::slice::from_ref(tag)),
                _ => true,
            }
    }

    /// Drives, and keeps the lease alive meanwhile. A lost lease does not stop the work: it is harmless twice.
    async fn drive(
        &self,
        request: &ScanRequest,
        lane: Lane,
        delivery: &Delivery,
        hold: &AtomicBool,
    ) -> Result<Outcome, DriveError> {
        let keeping_the_lease = async {
            loop {
                self.ports.clock.sleep_until(self.ports.clock.now().plus(self.settings.lease / 3)).await;
                if let Err(error) = self.ports.queue.extend(&delivery.lease, self.settings.lease).await {
                    tracing::debug!(image = %request.image, %error, "the lease could not be extended");
                }
            }
        };
        match select(pin!(self.drive_or_hold(request, lane, hold)), pin!(keeping_the_lease)).await {
            Either::Left((result, _)) => result,
            Either::Right((never, _)) => never,
        }
    }

    async fn acknowledge(&self, delivery: &Delivery) {
        // Nothing relies on it: a message that comes again finds its work done.
        if let Err(error) = self.ports.queue.acknowledge(&delivery.lease).await {
            tracing::debug!(%error, "not acknowledged; it will come again");
        }
    }

    async fn bury(&self, delivery: &Delivery, letter: DeadLetter) -> Handled {
        tracing::warn!(id = %letter.id, reason = letter.reason.as_str(), detail = letter.detail, "buried as a dead letter");
        match self.ports.queue.bury(&delivery.lease, &letter).await {
            Ok(()) => {
                self.observers.buried(&letter);
                Handled::Buried
            }
            Err(error) => {
                tracing::warn!(%error, "not buried; it will come again");
                Handled::Failed
            }
        }
    }

    fn letter(
        &self,
        id: RequestId,
        lane: Lane,
        reason: DeadLetterReason,
        detail: &str,
        body: &str,
    ) -> DeadLetter {
        let at = self.ports.clock.now();
        DeadLetter { id, lane, reason, detail: detail.to_owned(), body: body.to_owned(), at }
    }
}
