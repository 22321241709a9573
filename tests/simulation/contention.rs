//! Ports that share one connection: whoever holds it while it is put aside would stop everybody.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::pipeline::{Ingest, IngestSettings, Ports};
use cve_monitor_core::ports::{Delivery, Depth, LayerIndex, LayerIndexError, Lease, Queue, QueueError};
use cve_monitor_core::testkit::model::{MemoryLayerIndex, MemoryQueue, ModelAdvisory};
use cve_monitor_core::vocabulary::{
    DeadLetter, ImageId, Lane, LayerKey, Page, PageToken, RequestId, ScanRequest,
};
use tokio::sync::Mutex;

use crate::world::World;

/// The one connection, handed from one user to the next in turn; using it takes more than one poll.
type Connection = Arc<Mutex<()>>;

async fn used(connection: &Connection) {
    let _held = connection.lock().await;
    let mut polled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[derive(Debug)]
struct SharedQueue(Arc<MemoryQueue>, Connection);

#[async_trait]
impl Queue for SharedQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        self.0.send(lane, requests).await
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        used(&self.1).await;
        self.0.receive(lane, max.min(1), lease, wait).await
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        used(&self.1).await;
        self.0.extend(lease, by).await
    }

    // Without the connection: somebody ends while another one holds it.
    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        self.0.acknowledge(lease).await
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        self.0.bury(lease, letter).await
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        self.0.depth(lane).await
    }

    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError> {
        self.0.dead_letters(after, limit).await
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        self.0.redrive(id).await
    }
}

#[derive(Debug)]
struct SharedIndex(Arc<MemoryLayerIndex>, Connection);

#[async_trait]
impl LayerIndex for SharedIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        used(&self.1).await;
        self.0.record(image, keys).await
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        self.0.images(key, after, limit).await
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        self.0.forget(image, keys).await
    }
}

#[test]
fn ports_that_share_a_connection_never_wait_for_each_other_for_ever() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let images: Vec<ImageId> = (0..20)
        .map(|n| world.put(&format!("v{n}"), &[&[("openssl", "3")], &[("app", &n.to_string())]]))
        .collect();
    images.iter().for_each(|image| world.push(image));
    let connection = Connection::default();
    let ports = Arc::new(Ports {
        queue: Arc::new(SharedQueue(Arc::clone(&world.queue), Arc::clone(&connection))),
        index: Arc::new(SharedIndex(Arc::clone(&world.index), connection)),
        ..(*world.ports).clone()
    });
    let settings = IngestSettings { concurrency: 4, ..IngestSettings::default() };
    let counts = world.run(Ingest::new(ports, settings).run_until_idle());
    assert_eq!(counts.reported, 20);
}
