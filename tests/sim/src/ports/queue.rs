//! The queue: nothing comes in order, some things twice, some late; and nobody learns what an acknowledgement did.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{Delivery, Depth, Lease, Queue, QueueError, Unreadable};
use cve_monitor_core::vocabulary::{
    DeadLetter, ImageId, Lane, Page, PageToken, RequestId, ScanRequest, Timestamp,
};
use futures::future::{FutureExt as _, select};

use crate::stage::{Locked, Stage};
use crate::wire::{Fails as _, Wire};

/// A message is late by at most this, in milliseconds.
const LATE_MAX_MS: u64 = 600_000;

type Body = Result<ScanRequest, Unreadable>;

#[derive(Debug)]
struct Message {
    lane: Lane,
    body: Body,
    deliveries: u32,
    /// Nobody receives it before.
    hidden_until: Timestamp,
    lease: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    messages: BTreeMap<u64, Message>,
    letters: BTreeMap<u64, DeadLetter>,
    last: u64,
    sent: u64,
    receivers: Vec<Waker>,
    lost: BTreeSet<ImageId>,
    lost_garbage: BTreeSet<String>,
}

/// What all processes share of the queue.
#[derive(Debug)]
pub(crate) struct QueueModel {
    stage: Arc<Stage>,
    state: Locked<State>,
}

impl QueueModel {
    pub(crate) fn new(stage: &Arc<Stage>) -> Self {
        Self { stage: Arc::clone(stage), state: Locked::default() }
    }

    /// Puts messages into a lane: some twice, some late, and where the run says so some not at all.
    pub(crate) fn put(&self, lane: Lane, bodies: impl IntoIterator<Item = Body>) {
        let now = self.stage.now();
        let woken = {
            let mut state = self.state.lock();
            let mut props = self.stage.props();
            let props = &mut *props;
            for body in bodies {
                if props.faults.loses_messages && props.faults.happens(&mut props.chance, 100) {
                    props.tally.count("message lost");
                    match body {
                        Ok(request) => drop(state.lost.insert(request.image)),
                        Err(garbage) => drop(state.lost_garbage.insert(garbage.body)),
                    }
                    continue;
                }
                let copies = if props.faults.happens(&mut props.chance, 300) { 2 } else { 1 };
                if copies == 2 {
                    props.tally.count("message duplicated");
                }
                for _ in 0..copies {
                    let late = props.faults.happens(&mut props.chance, 600);
                    let by = if late { props.chance.between(1, LATE_MAX_MS) } else { 0 };
                    if late {
                        props.tally.count("message delayed");
                    }
                    let hidden_until = now.plus(Duration::from_millis(by));
                    state.last += 1;
                    let number = state.last;
                    let body = body.clone();
                    state
                        .messages
                        .insert(number, Message { lane, body, deliveries: 0, hidden_until, lease: None });
                }
            }
            state.sent += 1;
            std::mem::take(&mut state.receivers)
        };
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().messages.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().messages.len()
    }

    pub(crate) fn letters(&self) -> Vec<DeadLetter> {
        self.state.lock().letters.values().cloned().collect()
    }

    /// Images of which a message was lost for ever.
    pub(crate) fn lost(&self) -> BTreeSet<ImageId> {
        self.state.lock().lost.clone()
    }

    /// What was no request, and was lost for ever.
    pub(crate) fn lost_garbage(&self) -> BTreeSet<String> {
        self.state.lock().lost_garbage.clone()
    }

    pub(crate) fn redrive(&self, id: &RequestId) -> bool {
        let letter = {
            let mut state = self.state.lock();
            let place = state.letters.iter().find(|(_, letter)| letter.id == *id).map(|(place, _)| *place);
            place.and_then(|place| state.letters.remove(&place))
        };
        let Some(letter) = letter else { return false };
        let body = serde_json::from_str(&letter.body)
            .map_err(|error| Unreadable { body: letter.body.clone(), problem: error.to_string() });
        self.put(letter.lane, [body]);
        true
    }

    /// In any order: a random choice of what is there.
    fn lease_ready(&self, lane: Lane, max: usize, until: Timestamp) -> Vec<Delivery> {
        let now = self.stage.now();
        let mut state = self.state.lock();
        let mut ready: Vec<u64> = state
            .messages
            .iter()
            .filter(|(_, message)| message.lane == lane && message.hidden_until <= now)
            .map(|(number, _)| *number)
            .collect();
        let mut deliveries = vec![];
        while deliveries.len() < max && !ready.is_empty() {
            let chosen = {
                let mut props = self.stage.props();
                let orderly = props.faults.intensity == 0;
                if orderly { 0 } else { props.chance.below(ready.len()) }
            };
            if chosen > 0 {
                self.stage.count("message overtaken");
            }
            let number = ready.remove(chosen);
            let Some(message) = state.messages.get_mut(&number) else { continue };
            if message.lease.is_some() {
                self.stage.count("message redelivered");
            }
            message.deliveries += 1;
            let lease = format!("{number}/{}", message.deliveries);
            message.lease = Some(lease.clone());
            message.hidden_until = until;
            let (deliveries_of, request) = (message.deliveries, message.body.clone());
            deliveries.push(Delivery { lease: Lease(lease), deliveries: deliveries_of, request });
        }
        deliveries
    }

    /// The message under a lease; whether the lease still holds.
    fn held(&self, state: &State, lease: &Lease) -> Option<(u64, bool)> {
        let number = lease.0.split('/').next()?.parse().ok()?;
        let message = state.messages.get(&number)?;
        let holds = message.lease.as_ref() == Some(&lease.0) && message.hidden_until > self.stage.now();
        Some((number, holds))
    }

    /// Ends the message. Under a lapsed lease anything may be answered, and anything may have happened.
    fn end(&self, lease: &Lease) -> Result<(), QueueError> {
        let mut state = self.state.lock();
        match self.held(&state, lease) {
            Some((number, true)) => {
                state.messages.remove(&number);
                Ok(())
            }
            Some((number, false)) => {
                self.stage.count("stale receipt");
                let choice = self.stage.props().chance.below(4);
                if choice == 0 {
                    state.messages.remove(&number);
                }
                if choice < 2 { Ok(()) } else { Err(QueueError::LeaseLost) }
            }
            None => Err(QueueError::LeaseLost),
        }
    }

    fn arrival(&self, seen: u64) -> impl Future<Output = ()> + '_ {
        poll_fn(move |context| {
            let mut state = self.state.lock();
            if state.sent != seen {
                return Poll::Ready(());
            }
            if !state.receivers.iter().any(|known| known.will_wake(context.waker())) {
                state.receivers.push(context.waker().clone());
            }
            Poll::Pending
        })
    }
}

/// The queue of one process.
#[derive(Debug)]
pub(crate) struct SimQueue(pub(crate) Wire, pub(crate) Arc<QueueModel>);

impl SimQueue {
    /// Waits for a message, or for the end of the wait.
    async fn take(&self, lane: Lane, max: usize, lease: Duration, wait: Duration) -> Vec<Delivery> {
        let timeline = &self.0.stage().timeline;
        let deadline = timeline.now().plus(wait);
        loop {
            let now = timeline.now();
            let deliveries = self.1.lease_ready(lane, max, now.plus(lease));
            if !deliveries.is_empty() || now >= deadline {
                return deliveries;
            }
            let (seen, next) = {
                let state = self.1.state.lock();
                let hidden = state.messages.values().filter(|message| message.lane == lane);
                (state.sent, hidden.map(|message| message.hidden_until).min())
            };
            let until = next.map_or(deadline, |at| at.min(deadline));
            let arrival = select(timeline.sleep_until(until).boxed(), self.1.arrival(seen).boxed());
            self.0.waiting("queue.listen", arrival).await;
        }
    }
}

#[async_trait]
impl Queue for SimQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        let half = {
            let mut props = self.0.stage().props();
            let props = &mut *props;
            (requests.len() > 1 && props.faults.happens(&mut props.chance, 300)).then(|| {
                props.tally.count("batch half done");
                props.chance.below(requests.len())
            })
        };
        let send = async {
            self.1.put(lane, requests[..half.unwrap_or(requests.len())].iter().cloned().map(Ok));
            half.map_or(Ok(()), |_| Err(QueueError::away("some were sent")))
        };
        let about = || {
            let told = |r: &ScanRequest| format!("{} of {}", r.cause.as_str(), r.image);
            format!("{lane}: {}", requests.iter().map(told).collect::<Vec<_>>().join(", "))
        };
        self.0.call("queue.send", about, send).await
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let receive = async {
            let received = self.take(lane, max, lease, wait).await;
            for delivery in &received {
                self.0.stage().note(self.0.role(), 7, || match &delivery.request {
                    Ok(r) => format!("receives {} ({}) of {}", delivery.lease.0, r.cause.as_str(), r.image),
                    Err(_) => format!("receives {} (unreadable)", delivery.lease.0),
                });
            }
            Ok(received)
        };
        self.0.call("queue.receive", || lane.to_string(), receive).await
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        let extend = async {
            let until = self.1.stage.now().plus(by);
            let mut state = self.1.state.lock();
            match self.1.held(&state, lease) {
                Some((number, true)) => {
                    if let Some(message) = state.messages.get_mut(&number) {
                        message.hidden_until = until;
                    }
                    Ok(())
                }
                _ => Err(QueueError::LeaseLost),
            }
        };
        self.0.call("queue.extend", || lease.0.clone(), extend).await
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        self.0.call("queue.acknowledge", || lease.0.clone(), async { self.1.end(lease) }).await
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        let bury = async {
            {
                let mut state = self.1.state.lock();
                state.letters.retain(|_, known| known.id != letter.id);
                state.last += 1;
                let place = state.last;
                state.letters.insert(place, letter.clone());
            }
            self.1.end(lease)
        };
        self.0.call("queue.bury", || format!("{} {}", lease.0, letter.reason.as_str()), bury).await
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        let depth = async {
            let now = self.1.stage.now();
            let state = self.1.state.lock();
            let mut depth = Depth::default();
            for message in state.messages.values().filter(|message| message.lane == lane) {
                if message.hidden_until > now { depth.leased += 1 } else { depth.ready += 1 }
            }
            Ok::<_, QueueError>(depth)
        };
        self.0.call("queue.depth", || lane.to_string(), depth).await
    }

    async fn dead_letters(&self, _: Option<PageToken>, limit: usize) -> Result<Page<DeadLetter>, QueueError> {
        let letters = async {
            let items = self.1.letters().into_iter().take(limit).collect();
            Ok::<_, QueueError>(Page { items, next: None })
        };
        self.0.call("queue.dead_letters", String::new, letters).await
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        self.0.call("queue.redrive", || id.to_string(), async { Ok(self.1.redrive(id)) }).await
    }
}
