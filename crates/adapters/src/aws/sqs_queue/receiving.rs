//! Receiving: polls, and what their messages are.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use cve_monitor_core::ports::{Delivery, Lease, QueueError, Unreadable};
use cve_monitor_core::vocabulary::{Lane, ScanRequest};
use tokio::time::Instant;

use super::SqsQueue;
use super::calls::{Asked, BATCH, MAX_WAIT};
use super::leases::began;
use crate::aws::ecr_event;

/// The least time between two polls of an empty queue, whatever SQS says: one that is at its limit of messages in
/// flight answers a long poll at once, with nothing.
const BETWEEN_POLLS: Duration = Duration::from_secs(1);
/// How many polls after the end of the wait still follow those that brought only what asks for nothing.
pub const MAX_LATE_POLLS: u32 = 10;

/// What one poll brought.
struct Polled {
    deliveries: Vec<Delivery>,
    /// With those that asked for nothing.
    messages: usize,
}

impl SqsQueue {
    /// Polls until something came or the wait is over; more than one poll gives, where the first was full.
    pub(super) async fn receive_until(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        whole: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        if whole.is_zero() && self.quiet.is_known_empty(lane, !self.leases.is_empty()) {
            return Ok(vec![]);
        }
        let began = Instant::now();
        let (mut received, mut left, mut late): (Vec<Delivery>, Duration, u32) = (vec![], whole, 0);
        while received.len() < max {
            let polled_at = Instant::now();
            let wait = if received.is_empty() { left.min(MAX_WAIT) } else { Duration::ZERO };
            let asked = Asked { max: BATCH.min(max - received.len()), lease, wait };
            let polled = match self.poll(lane, asked).await {
                Ok(polled) => polled,
                // What was received is in our hands, and worth more than the error.
                Err(error) if !received.is_empty() => {
                    tracing::debug!(%lane, %error, "receiving stopped early");
                    break;
                }
                Err(error) => return Err(error),
            };
            received.extend(polled.deliveries);
            left = whole.saturating_sub(began.elapsed());
            if !received.is_empty() {
                if polled.messages < asked.max {
                    break;
                }
            } else if polled.messages > 0 {
                late += u32::from(left.is_zero());
                if late == MAX_LATE_POLLS {
                    break;
                }
            } else if left.is_zero() {
                break;
            } else {
                // SQS waits for whole seconds: the rest of one is waited for here.
                tokio::time::sleep(left.min(BETWEEN_POLLS.saturating_sub(polled_at.elapsed()))).await;
                left = whole.saturating_sub(began.elapsed());
            }
        }
        Ok(received)
    }

    async fn poll(&self, lane: Lane, asked: Asked) -> Result<Polled, QueueError> {
        let queue = &self.queues.of(lane).live;
        let asked_at = self.clock.now();
        let messages = {
            let _listening = (asked.wait >= Duration::from_secs(1)).then(|| self.quiet.listening(lane));
            self.calls.receive(queue, asked).await?
        };
        let since = began(asked_at, self.clock.now());
        if messages.is_empty() {
            self.quiet.was_empty(lane);
        }
        let count = messages.len();
        let (mut deliveries, mut idle) = (vec![], vec![]);
        for message in messages {
            let handle = message.receipt_handle.clone().unwrap_or_default();
            match delivery(message) {
                Some(delivery) => deliveries.push(delivery),
                None => idle.push(handle),
            }
        }
        let leases = deliveries.iter().map(|delivery| delivery.lease.clone());
        self.leases.add(lane, leases, since, asked.lease);
        if !idle.is_empty() {
            tracing::debug!(%lane, count = idle.len(), "events that ask for nothing are acknowledged");
            let handles: Vec<&str> = idle.iter().map(String::as_str).collect();
            match self.calls.delete_all(queue, &handles).await {
                Ok(0) => {}
                Ok(failed) => tracing::debug!(%lane, failed, "not acknowledged; they will come again"),
                Err(error) => tracing::debug!(%lane, %error, "not acknowledged; they will come again"),
            }
        }
        Ok(Polled { deliveries, messages: count })
    }
}

/// None where the message asks for nothing.
fn delivery(message: Message) -> Option<Delivery> {
    let count = message.attributes.as_ref();
    let count = count.and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    let deliveries = count.and_then(|count| count.parse().ok()).unwrap_or(1);
    let body = message.body.unwrap_or_default();
    let request = match read(&body) {
        Ok(None) => return None,
        Ok(Some(request)) => Ok(request),
        Err(problem) => Err(Unreadable { body, problem }),
    };
    Some(Delivery { lease: Lease(message.receipt_handle.unwrap_or_default()), deliveries, request })
}

/// A request of ours, or one that an event asks for; none where it asks for nothing.
pub(super) fn read(body: &str) -> Result<Option<ScanRequest>, String> {
    if ecr_event::is_event(body) {
        return ecr_event::read(body);
    }
    serde_json::from_str(body).map(Some).map_err(|problem| problem.to_string())
}
