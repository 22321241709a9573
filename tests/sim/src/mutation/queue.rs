//! A queue in careless hands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{Delivery, Depth, Lease, Queue, QueueError};
use cve_monitor_core::vocabulary::{
    DeadLetter, ImageId, Lane, Page, PageToken, RequestId, ScanRequest, Timestamp,
};

use super::Mutation;
use crate::stage::Locked;
use crate::world::World;

/// Requests that are sent only after the next append.
pub(super) type HeldRequests = Arc<Locked<Vec<(Lane, Vec<ScanRequest>)>>>;

/// For how long an image counts as looked at lately.
const LATELY: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
struct Memory {
    in_hand: BTreeMap<String, ImageId>,
    looked_at: BTreeMap<ImageId, Timestamp>,
}

#[derive(Debug)]
pub(super) struct BrokenQueue {
    inner: Arc<dyn Queue>,
    how: Mutation,
    world: Arc<World>,
    held: HeldRequests,
    memory: Locked<Memory>,
}

impl BrokenQueue {
    pub(super) fn new(inner: Arc<dyn Queue>, how: Mutation, world: &Arc<World>, held: &HeldRequests) -> Self {
        Self { inner, how, world: Arc::clone(world), held: Arc::clone(held), memory: Locked::default() }
    }

    /// Whether a careless worker would acknowledge this at once.
    fn is_waved_through(&self, delivery: &Delivery) -> bool {
        let Ok(request) = &delivery.request else { return false };
        let now = self.world.stage.now();
        let mut memory = self.memory.lock();
        match self.how {
            Mutation::AcknowledgeWhenBusy if memory.in_hand.values().any(|image| *image == request.image) => {
                true
            }
            Mutation::MergeByImage => match memory.looked_at.insert(request.image.clone(), now) {
                Some(before) => now.since(before) < LATELY,
                None => false,
            },
            Mutation::AnswerEachIdOnce => !self.world.answered.lock().insert(request.id.clone()),
            _ => {
                memory.in_hand.insert(delivery.lease.0.clone(), request.image.clone());
                false
            }
        }
    }
}

#[async_trait]
impl Queue for BrokenQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        match self.how {
            Mutation::CursorBeforeFanOut if lane != Lane::Push => {
                self.held.lock().push((lane, requests.to_vec()));
                Ok(())
            }
            Mutation::HalfABatchIsSent if requests.len() > 1 => {
                drop(self.inner.send(lane, requests).await);
                Ok(())
            }
            _ => self.inner.send(lane, requests).await,
        }
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let mut kept = vec![];
        for delivery in self.inner.receive(lane, max, lease, wait).await? {
            if self.how == Mutation::AcknowledgeOnReceipt {
                drop(self.inner.acknowledge(&delivery.lease).await);
            }
            if self.is_waved_through(&delivery) {
                drop(self.inner.acknowledge(&delivery.lease).await);
            } else {
                kept.push(delivery);
            }
        }
        Ok(kept)
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        self.inner.extend(lease, by).await
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        self.memory.lock().in_hand.remove(&lease.0);
        self.inner.acknowledge(lease).await
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        self.memory.lock().in_hand.remove(&lease.0);
        if self.how == Mutation::BuryWithoutALetter {
            return self.inner.acknowledge(lease).await;
        }
        self.inner.bury(lease, letter).await
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        self.inner.depth(lane).await
    }

    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError> {
        self.inner.dead_letters(after, limit).await
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        self.inner.redrive(id).await
    }
}
