//! The gauges on models of the ports.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cve_monitor_core::pipeline::{Ports, Registries, Scope};
use cve_monitor_core::ports::{Clock, Registry, Scanner};
use cve_monitor_core::scan::{
    Due, Event, Head, HeadState, ImageEvent, ImageState, ReconcileCounts, ReconcileEvent, ReconcileState,
    StreamId, seal,
};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{
    MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryQueue, MemoryRegistry, ModelAdvisory,
    ModelKnowledge, ModelScanner,
};
use cve_monitor_core::vocabulary::{Cause, Digest, ImageId, Lane, RequestId, ScanRequest};

use super::catalogue::{COVERAGE, IMAGES_WAITING, Metric, Program, QUEUE_MESSAGES, ROUND_AGE, SCANNER_READY};
use super::gauges::WAITING_MAX;
use super::{Marks, Meter, Sample};

struct Bench {
    clock: Arc<ManualClock>,
    ports: Arc<Ports>,
    knowledge: Arc<ModelKnowledge>,
    meter: Meter,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::default());
    let registry = Arc::new(MemoryRegistry::new("r.example".parse().unwrap())) as Arc<dyn Registry>;
    let knowledge = Arc::new(ModelKnowledge::loading());
    let scanner = Arc::new(ModelScanner::new(Arc::clone(&knowledge), Arc::clone(&registry)));
    let scanner: Arc<dyn Scanner> = scanner;
    let ports = Arc::new(Ports {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        store: Arc::new(MemoryEventStore::default()),
        queue: Arc::new(MemoryQueue::new(Arc::clone(&clock) as Arc<dyn Clock>)),
        index: Arc::new(MemoryLayerIndex::default()),
        archive: Arc::new(MemoryArchive::default()),
        scanner: Arc::clone(&scanner),
        registries: Registries::new([registry]),
        sinks: vec![],
        scope: Scope::default(),
        feed: None,
    });
    let (marks, scanner) = (Arc::<Marks>::default(), Arc::new(OnceLock::from(scanner)));
    let meter = Meter::new(Arc::clone(&ports), scanner, Arc::default(), marks, vec![Program::Notifier], true);
    Bench { clock, ports, knowledge, meter }
}

fn image(number: usize) -> ImageId {
    format!("r.example/a@{}", Digest::of(number.to_string().as_bytes())).parse().unwrap()
}

impl Bench {
    /// Writes a stream of one event with this head.
    async fn write(&self, stream: &StreamId, event: Event, state: HeadState) {
        let events = seal(stream, 0, self.clock.now(), vec![event]);
        self.ports.store.append(stream, 0, &events, &Head { version: 1, state }).await.unwrap();
    }

    /// The values of a metric, once what is known has grown old.
    async fn values(&self, metric: &'static Metric) -> Vec<f64> {
        tokio::time::advance(Duration::from_secs(60)).await;
        let samples: Vec<Sample> = self.meter.samples().await;
        samples.into_iter().filter(|sample| sample.metric == metric).map(|sample| sample.value).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn images_that_wait_are_counted_up_to_the_bound() {
    let bench = bench();
    for number in 0..=WAITING_MAX {
        if [0, WAITING_MAX - 1, WAITING_MAX].contains(&number) {
            let expected = f64::from(u32::try_from(number).unwrap());
            assert_eq!(bench.values(&IMAGES_WAITING).await, [expected, 0.0]);
        }
        let state = ImageState { due: Some(Due::At(bench.clock.now())), ..ImageState::default() };
        let state = HeadState::Image(Box::new(state));
        bench.write(&StreamId::image(&image(number)), ImageEvent::ImageDeleted.into(), state).await;
    }
    assert_eq!(bench.values(&IMAGES_WAITING).await, [1000.0, 0.0], "and one more");
}

#[tokio::test(start_paused = true)]
async fn coverage_is_nothing_before_the_first_round_and_a_part_after_it() {
    let parts = [
        (None, 0.0),
        (Some((0, 0, 0)), 1.0),
        (Some((0, 0, 1)), 0.0),
        (Some((8, 2, 1)), 0.75),
        (Some((8, 8, 0)), 0.0),
    ];
    for (counts, expected) in parts {
        let bench = bench();
        if let Some((owed, lacking, unlisted)) = counts {
            let last = ReconcileCounts { owed, lacking, unlisted, ..ReconcileCounts::default() };
            let done = Some(bench.clock.now());
            let state = HeadState::Reconcile(ReconcileState { done, last, ..ReconcileState::default() });
            let stream = StreamId::reconcile(&"r.example".parse().unwrap());
            bench.write(&stream, ReconcileEvent::RoundStarted.into(), state).await;
        }
        bench.clock.advance(Duration::from_secs(90));
        assert_eq!(bench.values(&COVERAGE).await, [expected]);
        assert_eq!(bench.values(&ROUND_AGE).await, [90.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scanner_without_data_is_not_ready() {
    let bench = bench();
    assert_eq!(bench.values(&SCANNER_READY).await, [0.0]);
    bench.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    assert_eq!(bench.values(&SCANNER_READY).await, [1.0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_of_others_is_asked_once_in_ten_seconds() {
    let bench = bench();
    let ready = |samples: Vec<Sample>| {
        let mut found = samples.into_iter().filter(|sample| sample.metric == &QUEUE_MESSAGES);
        found.find(|sample| sample.labels == ["push", "ready"]).map(|sample| sample.value)
    };
    assert_eq!(ready(bench.meter.samples().await), Some(0.0));
    let request = ScanRequest {
        id: RequestId("q".to_owned()),
        image: image(0),
        cause: Cause::Push { tag: None },
        at_least: None,
    };
    bench.ports.queue.send(Lane::Push, &[request]).await.unwrap();
    tokio::time::advance(Duration::from_millis(9_999)).await;
    assert_eq!(ready(bench.meter.samples().await), Some(0.0));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(ready(bench.meter.samples().await), Some(1.0));
}
