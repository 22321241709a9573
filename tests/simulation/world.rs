//! A whole system in memory.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cve_monitor_core::pipeline::{
    Followed, Ingest, IngestCounts, IngestSettings, Notifier, Ports, Pump, ReconcileMode, ReconcileSettings,
    Reconciler, Registries, Scope, Wanted, history,
};
use cve_monitor_core::ports::{ChangeFeed, Clock, Queue, Registry, Scanner};
use cve_monitor_core::scan::{ReconcileCounts, ReportId};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{
    MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryQueue, MemoryRegistry, MemorySink, ModelFeed,
    ModelKnowledge, ModelScanner, layer_of,
};
use cve_monitor_core::vocabulary::{Cause, ImageId, Lane, RepositoryName, RequestId, ScanRequest, Tag};

/// Remembers that somebody woke the future.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryEventStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) index: Arc<MemoryLayerIndex>,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) knowledge: Arc<ModelKnowledge>,
    pub(crate) scanner: Arc<ModelScanner>,
    pub(crate) feed: Arc<ModelFeed>,
    pub(crate) ports: Arc<Ports>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ModelKnowledge::empty(), Scope::default())
    }

    pub(crate) fn with(knowledge: ModelKnowledge, scope: Scope) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryEventStore::default());
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let index = Arc::new(MemoryLayerIndex::default());
        let sink = Arc::new(MemorySink::named("memory"));
        let registry = Arc::new(MemoryRegistry::new("r.example".parse().expect("a name")));
        let knowledge = Arc::new(knowledge);
        let reads = Arc::clone(&registry) as Arc<dyn Registry>;
        let scanner = Arc::new(ModelScanner::new(Arc::clone(&knowledge), Arc::clone(&reads)));
        let feed = Arc::new(ModelFeed::new(Arc::clone(&knowledge)));
        let ports = Arc::new(Ports {
            clock: Arc::clone(&clock) as _,
            store: Arc::clone(&store) as _,
            queue: Arc::clone(&queue) as _,
            index: Arc::clone(&index) as _,
            archive: Arc::new(MemoryArchive::default()),
            scanner: Arc::clone(&scanner) as Arc<dyn Scanner>,
            registries: Registries::new([reads]),
            sinks: vec![Arc::clone(&sink) as _],
            scope,
            feed: Some(feed.name()),
        });
        Self { clock, store, queue, index, sink, registry, knowledge, scanner, feed, ports }
    }

    /// Runs a future to its end; where nothing can go on, the time in which nothing happens is skipped.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        for _ in 0..1_000_000 {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending if woken.0.swap(false, Ordering::SeqCst) => {}
                Poll::Pending => match self.clock.next_wake() {
                    Some(at) => self.clock.set(at),
                    None => panic!("nothing will ever wake this future"),
                },
            }
        }
        panic!("this future never ends");
    }

    pub(crate) fn repository(&self) -> RepositoryName {
        "team/app".parse().expect("a name")
    }

    pub(crate) fn put(&self, tag: &str, layers: &[&[(&str, &str)]]) -> ImageId {
        let layers: Vec<Vec<u8>> = layers.iter().map(|packages| layer_of(packages)).collect();
        let tag: Tag = tag.parse().expect("a tag");
        self.registry.put_image(&self.repository(), Some(&tag), &layers)
    }

    pub(crate) fn request(&self, id: &str, image: &ImageId, cause: Cause) {
        let request =
            ScanRequest { id: RequestId(id.to_owned()), image: image.clone(), cause, at_least: None };
        self.run(self.queue.send(Lane::Push, &[request])).expect("sent");
    }

    pub(crate) fn push(&self, image: &ImageId) {
        self.request(&format!("push of {image} at {}", self.clock.now()), image, Cause::Push { tag: None });
    }

    pub(crate) fn ingest(&self) -> IngestCounts {
        let settings = IngestSettings { concurrency: 4, ..IngestSettings::default() };
        self.run(Ingest::new(Arc::clone(&self.ports), settings).run_until_idle())
    }

    pub(crate) fn follow(&self) -> Followed {
        let notifier = Notifier::new(Arc::clone(&self.ports), Arc::clone(&self.feed) as _);
        self.run(notifier.follow()).expect("followed")
    }

    pub(crate) fn pump(&self) -> u64 {
        self.run(Pump::new(Arc::clone(&self.ports)).round()).expect("pumped")
    }

    pub(crate) fn reconcile(&self, mode: ReconcileMode) -> (ReconcileCounts, Vec<Wanted>) {
        let reconciler = Reconciler::new(Arc::clone(&self.ports), ReconcileSettings::default());
        let name = self.registry.identity().name;
        let mut all = vec![];
        let counts = self
            .run(reconciler.round(&name, mode, &mut |_, wanted| all.extend_from_slice(wanted)))
            .expect("reconciled");
        (counts, all)
    }

    /// Works, wakes and waits until nothing is left to do.
    pub(crate) fn settle(&self) {
        for _ in 0..60 {
            self.ingest();
            self.clock.advance(Duration::from_secs(3700));
            if self.pump() == 0 && self.ingest().received == 0 {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// The names found by each report of an image, oldest first; checks that the series is one.
    pub(crate) fn series(&self, image: &ImageId) -> Vec<Vec<String>> {
        let entries = self.run(history(&self.ports, image)).expect("a history");
        let objects: BTreeMap<String, Vec<u8>> = self.sink.objects();
        let mut previous: Option<ReportId> = None;
        let mut content = None;
        entries
            .into_iter()
            .map(|entry| {
                assert_eq!(entry.report.previous, previous, "each report names the one before it");
                assert_ne!(Some(&entry.report.content), content.as_ref(), "no two in a row say the same");
                previous = Some(entry.report.report.clone());
                content = Some(entry.report.content.clone());
                let key = format!("{}.json", entry.report.report);
                let body =
                    objects.iter().find(|(k, _)| k.ends_with(&key)).map(|(_, body)| body).expect("delivered");
                let keys = cve_monitor_core::scan::finding_keys(body).expect("a report");
                keys.into_iter().map(|key| key.name).collect()
            })
            .collect()
    }
}
