//! Lanes of requests in memory, with leases on the given clock.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{self, FutureExt as _};

use crate::ports::{
    Clock, DeadLetter, Delivery, Depth, Lease, MAX_RECEIVE, MAX_SEND, Queue, QueueError, Unreadable,
};
use crate::testkit::locked::Locked;
use crate::testkit::pages::{ordered, page_of};
use crate::vocabulary::{Lane, Page, PageToken, RequestId, ScanRequest, Timestamp};

/// A [`Queue`] in memory: it redelivers what is not acknowledged, merges nothing, and delivers the oldest first.
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    state: Locked<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: BTreeMap<u64, Message>,
    letters: BTreeMap<u64, DeadLetter>,
    last_number: u64,
    sent: u64,
    receivers: Vec<Waker>,
    failure: Option<QueueError>,
}

#[derive(Debug)]
struct Message {
    lane: Lane,
    body: String,
    deliveries: u32,
    lease: Option<(Lease, Timestamp)>,
}

impl Message {
    fn leased_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.lease.as_ref().map(|(_, until)| *until).filter(|until| *until > now)
    }
}

impl MemoryQueue {
    /// An empty queue whose leases run on this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Locked::default() }
    }

    /// Puts a message into a lane as it is, a request or not.
    pub fn send_raw(&self, lane: Lane, body: &str) {
        self.put(lane, [body.to_owned()]);
    }

    /// Every call fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<QueueError>) {
        self.state.lock().failure = failure;
    }

    fn put(&self, lane: Lane, bodies: impl IntoIterator<Item = String>) {
        let woken = {
            let mut state = self.state.lock();
            for body in bodies {
                let number = state.number();
                state.messages.insert(number, Message { lane, body, deliveries: 0, lease: None });
            }
            state.sent += 1;
            std::mem::take(&mut state.receivers)
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Completes when something is sent after `seen`.
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

impl State {
    fn available(&self) -> Result<(), QueueError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn lease_ready(&mut self, lane: Lane, max: usize, until: Timestamp, now: Timestamp) -> Vec<Delivery> {
        let ready = self
            .messages
            .iter_mut()
            .filter(|(_, message)| message.lane == lane && message.leased_until(now).is_none())
            .take(max);
        ready
            .map(|(number, message)| {
                message.deliveries += 1;
                let lease = Lease(format!("{number}/{}", message.deliveries));
                message.lease = Some((lease.clone(), until));
                let request = serde_json::from_str(&message.body).map_err(|problem| Unreadable {
                    body: message.body.clone(),
                    problem: problem.to_string(),
                });
                Delivery { lease, deliveries: message.deliveries, request }
            })
            .collect()
    }

    /// The number of the message under a lease that has not ended.
    fn held(&self, lease: &Lease, now: Timestamp) -> Result<u64, QueueError> {
        let holds = |message: &Message| {
            message.lease.as_ref().is_some_and(|(held, until)| held == lease && *until > now)
        };
        let found = self.messages.iter().find(|(_, message)| holds(message));
        found.map(|(number, _)| *number).ok_or(QueueError::LeaseLost)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        self.state.lock().available()?;
        if requests.len() > MAX_SEND {
            return Err(QueueError::Permanent(format!(
                "{} requests in one send; at most {MAX_SEND} are taken",
                requests.len()
            )));
        }
        let bodies: Result<Vec<_>, _> = requests.iter().map(serde_json::to_string).collect();
        self.put(lane, bodies.map_err(|e| QueueError::Permanent(e.to_string()))?);
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
        let deadline = self.clock.now().plus(wait);
        loop {
            let now = self.clock.now();
            let (seen, next_return) = {
                let mut state = self.state.lock();
                state.available()?;
                let deliveries = state.lease_ready(lane, max, now.plus(lease), now);
                if !deliveries.is_empty() || now >= deadline {
                    return Ok(deliveries);
                }
                let in_lane = state.messages.values().filter(|message| message.lane == lane);
                (state.sent, in_lane.filter_map(|message| message.leased_until(now)).min())
            };
            let until = next_return.map_or(deadline, |at| at.min(deadline));
            future::select(self.clock.sleep_until(until), self.arrival(seen).boxed()).await;
        }
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.available()?;
        let number = state.held(lease, now)?;
        if let Some(message) = state.messages.get_mut(&number) {
            message.lease = Some((lease.clone(), now.plus(by)));
        }
        Ok(())
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.available()?;
        let number = state.held(lease, now)?;
        state.messages.remove(&number);
        Ok(())
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.available()?;
        let number = state.held(lease, now)?;
        state.messages.remove(&number);
        // Buried twice under one id: one letter, the latest.
        state.letters.retain(|_, known| known.id != letter.id);
        let place = state.number();
        state.letters.insert(place, letter.clone());
        Ok(())
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        let now = self.clock.now();
        let state = self.state.lock();
        state.available()?;
        let mut depth = Depth::default();
        for message in state.messages.values().filter(|message| message.lane == lane) {
            match message.leased_until(now) {
                Some(_) => depth.leased += 1,
                None => depth.ready += 1,
            }
        }
        Ok(depth)
    }

    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError> {
        let state = self.state.lock();
        state.available()?;
        let letters = state.letters.iter().map(|(place, letter)| (*place, letter.clone()));
        Ok(page_of(letters, after.as_ref(), limit, |place| ordered(*place)))
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        let letter = {
            let mut state = self.state.lock();
            state.available()?;
            let place = state.letters.iter().find(|(_, letter)| letter.id == *id).map(|(place, _)| *place);
            place.and_then(|place| state.letters.remove(&place))
        };
        let Some(letter) = letter else { return Ok(false) };
        self.put(letter.lane, [letter.body]);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::ManualClock;
    use crate::vocabulary::Cause;

    fn requests(number: usize) -> Vec<ScanRequest> {
        let image = format!("r.example/a@{}", crate::vocabulary::Digest::of(b"m"));
        let image = image.parse().unwrap_or_else(|e| panic!("{e}"));
        let request =
            ScanRequest { id: RequestId("q".to_owned()), image, cause: Cause::Reconcile, at_least: None };
        vec![request; number]
    }

    #[test]
    fn bounds_hold_at_their_edge() {
        let queue = MemoryQueue::new(Arc::new(ManualClock::default()));
        let send = |number| queue.send(Lane::Push, &requests(number)).now_or_never();
        assert_eq!(send(MAX_SEND), Some(Ok(())));
        assert!(matches!(send(MAX_SEND + 1), Some(Err(QueueError::Permanent(_)))));
        let receive = |max| queue.receive(Lane::Push, max, Duration::from_secs(1), Duration::ZERO);
        let received = receive(MAX_RECEIVE).now_or_never();
        assert!(matches!(received, Some(Ok(received)) if received.len() == MAX_RECEIVE));
        let refused = receive(MAX_RECEIVE + 1).now_or_never();
        assert!(matches!(refused, Some(Err(QueueError::Permanent(_)))));
    }

    #[test]
    fn what_is_no_request_is_delivered_as_it_came() {
        let queue = MemoryQueue::new(Arc::new(ManualClock::default()));
        queue.send_raw(Lane::Push, "{\"hello\":1}");
        let received = queue.receive(Lane::Push, 1, Duration::from_secs(1), Duration::ZERO).now_or_never();
        let Some(Ok(received)) = received else { panic!("{received:?}") };
        assert!(matches!(&received[0].request, Err(unreadable) if unreadable.body == "{\"hello\":1}"));
    }
}
