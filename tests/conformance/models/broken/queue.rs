//! Queues with a fault.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{DeadLetter, Delivery, Depth, Lease, Queue, QueueError};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{Lane, Page, PageToken, RequestId, ScanRequest};

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    HidesNothing,
    DeliversOnce,
    ExtendsAnything,
    WaitsForEver,
    KeepsTheAcknowledged,
    HasOneLane,
    LosesLetters,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn Queue>,
    fault: Fault,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::queue::QueueHarness>); 7] = [
        ("hides_nothing", "Q1", || Box::pin(async { Ok(with(Fault::HidesNothing) as _) })),
        ("delivers_once", "Q2", || Box::pin(async { Ok(with(Fault::DeliversOnce) as _) })),
        ("extends_anything", "Q3", || Box::pin(async { Ok(with(Fault::ExtendsAnything) as _) })),
        ("waits_for_ever", "Q4", || Box::pin(async { Ok(with(Fault::WaitsForEver) as _) })),
        ("keeps_the_acknowledged", "Q5", || Box::pin(async { Ok(with(Fault::KeepsTheAcknowledged) as _) })),
        ("has_one_lane", "Q6", || Box::pin(async { Ok(with(Fault::HasOneLane) as _) })),
        ("loses_letters", "Q7", || Box::pin(async { Ok(with(Fault::LosesLetters) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("queue", fault, law, laws::queue::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.queue = Arc::new(Broken { inner: memory.queue, fault });
    memory
}

#[async_trait]
impl Queue for Broken {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        self.inner.send(if self.fault == Fault::HasOneLane { Lane::Push } else { lane }, requests).await
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        match self.fault {
            Fault::HidesNothing => self.inner.receive(lane, max, Duration::ZERO, wait).await,
            Fault::WaitsForEver => self.inner.receive(lane, max, lease, wait * 1000).await,
            Fault::DeliversOnce => {
                let deliveries = self.inner.receive(lane, max, lease, wait).await?;
                for delivery in &deliveries {
                    self.inner.acknowledge(&delivery.lease).await?;
                }
                Ok(deliveries)
            }
            _ => self.inner.receive(lane, max, lease, wait).await,
        }
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        let answer = self.inner.extend(lease, by).await;
        if self.fault == Fault::ExtendsAnything { Ok(()) } else { answer }
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        if self.fault == Fault::KeepsTheAcknowledged { Ok(()) } else { self.inner.acknowledge(lease).await }
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        match self.fault {
            Fault::LosesLetters => self.inner.acknowledge(lease).await,
            _ => self.inner.bury(lease, letter).await,
        }
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
