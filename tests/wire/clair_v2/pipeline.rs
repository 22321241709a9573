//! The whole way on Clair v2: images are pushed, its data changes, reports follow.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_adapters::clair::v2::{
    ClairV2Feed, ClairV2Scanner, ClairV2Settings, Proof, followed_up_to, notification_name,
};
use cve_monitor_core::pipeline::{
    Inbox, Ingest, IngestSettings, Notifier, Ports, Pump, Registries, Rung, Scope,
};
use cve_monitor_core::ports::{ChangeFeed as _, EventStore as _, Queue as _, Registry, Scanner};
use cve_monitor_core::scan::{Due, ImageState, StreamId};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{
    MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryQueue, MemoryRegistry, MemorySink,
};
use cve_monitor_core::vocabulary::{Cause, ImageId, Lane, RequestId, ScanRequest};

use crate::fake_clair_v2::{FakeClairV2, Fetchable, debian, flaw};

/// A system whose scanner is a Clair v2 in memory.
struct World {
    clock: Arc<ManualClock>,
    registry: Arc<MemoryRegistry>,
    store: Arc<MemoryEventStore>,
    queue: Arc<MemoryQueue>,
    sink: Arc<MemorySink>,
    clair: FakeClairV2,
    feed: Arc<ClairV2Feed>,
    ports: Arc<Ports>,
    inbox: Inbox,
}

impl World {
    async fn new(proof: Proof) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryEventStore::default());
        let registry = Arc::new(MemoryRegistry::new("r.example".parse().unwrap()));
        let watched = Arc::new(Fetchable::new(Arc::clone(&registry))) as Arc<dyn Registry>;
        let registries = Registries::new([watched]);
        let clair = FakeClairV2::start(Arc::clone(&registry)).await;
        let settings = ClairV2Settings::new(clair.url.clone());
        let (events, time) = (Arc::clone(&store) as _, Arc::clone(&clock) as _);
        let scanner = ClairV2Scanner::connect(&settings, registries.clone(), events, time).await.unwrap();
        let feed = Arc::new(ClairV2Feed::new(&settings, proof, Arc::clone(&store) as _).unwrap());
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as _));
        let sink = Arc::new(MemorySink::named("memory"));
        let ports = Arc::new(Ports {
            clock: Arc::clone(&clock) as _,
            store: Arc::clone(&store) as _,
            queue: Arc::clone(&queue) as _,
            index: Arc::new(MemoryLayerIndex::default()),
            archive: Arc::new(MemoryArchive::default()),
            scanner: Arc::new(scanner) as Arc<dyn Scanner>,
            registries,
            sinks: vec![Arc::clone(&sink) as _],
            scope: Scope::default(),
            feed: Some(feed.name()),
        });
        let inbox = Inbox::new(Arc::clone(&ports), &feed.name(), followed_up_to);
        Self { clock, registry, store, queue, sink, clair, feed, ports, inbox }
    }

    fn put(&self, layers: &[Vec<u8>]) -> ImageId {
        self.registry.put_image(&"team/app".parse().unwrap(), None, layers)
    }

    /// Asks for a look at an image, as a push does.
    async fn look(&self, id: &str, image: &ImageId) {
        let cause = Cause::Push { tag: None };
        let request =
            ScanRequest { id: RequestId(id.to_owned()), image: image.clone(), cause, at_least: None };
        self.queue.send(Lane::Push, &[request]).await.unwrap();
        self.work().await;
    }

    async fn work(&self) {
        Ingest::new(Arc::clone(&self.ports), IngestSettings::default()).run_until_idle().await;
    }

    /// Follows the feed to its end, a minute after it was followed last, and what it asks for.
    async fn follow(&self) {
        self.clock.advance(Duration::from_secs(60));
        Notifier::new(Arc::clone(&self.ports), Arc::clone(&self.feed) as _).follow().await.unwrap();
        self.work().await;
    }

    /// Clair learns, and rings as it does.
    async fn learn(&self, name: &str, package: Option<&str>) {
        let notification = self.clair.learn(name, package.map(|package| flaw(name, package, "a flaw")));
        let body = format!(r#"{{"Notification":{{"Name":"{notification}"}}}}"#);
        let name = notification_name(body.as_bytes()).unwrap();
        assert_eq!(self.inbox.ring(name).await, Ok(Rung::Recorded));
        assert_eq!(self.inbox.ring(name).await, Ok(Rung::Known), "Clair sends it again and again");
    }

    async fn state(&self, image: &ImageId) -> ImageState {
        self.store.head(&StreamId::image(image)).await.unwrap().unwrap().image().unwrap().clone()
    }

    /// The reports of an image, oldest first: verdict, completeness and the reasons for it, as they were delivered.
    fn reports(&self, image: &ImageId) -> Vec<String> {
        let mut reports: Vec<(String, String)> = vec![];
        for body in self.sink.objects().values() {
            let report: serde_json::Value = serde_json::from_slice(body).unwrap();
            if report["ImageDigest"] == image.digest.as_str() {
                let look = &report["Completeness"];
                let reasons = look["Reasons"].as_array().unwrap().iter();
                let codes: Vec<&str> = reasons.filter_map(|why| why["Code"].as_str()).collect();
                let text = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
                let level = look["Level"].as_str().unwrap();
                let told = format!("{} {level} {}", text("Verdict"), codes.join(","));
                reports
                    .push((text("PreviousReportId"), format!("{}\n{}", text("ReportId"), told.trim_end())));
            }
        }
        let (mut series, mut previous) = (vec![], String::new());
        while let Some((_, next)) = reports.iter().find(|(before, _)| *before == previous) {
            let (id, told) = next.split_once('\n').unwrap();
            series.push(told.to_owned());
            id.clone_into(&mut previous);
        }
        series
    }
}

#[tokio::test]
async fn a_vulnerability_that_comes_and_goes_reports_exactly_the_images_that_hold_its_package() {
    let world = World::new(Proof::Word).await;
    world.learn("CVE-2026-1", Some("held-by-no-image")).await;
    world.follow().await;
    let base = debian("openssl", "1");
    let (hit, child, upgraded, other) = (
        world.put(std::slice::from_ref(&base)),
        world.put(&[base.clone(), b"".to_vec()]),
        world.put(&[base, debian("zlib", "2")]),
        world.put(&[debian("zlib", "1")]),
    );
    let images = [&hit, &child, &upgraded, &other];
    for (number, image) in images.into_iter().enumerate() {
        world.look(&number.to_string(), image).await;
        assert_eq!(world.reports(image), ["clean complete"]);
    }
    let read = world.registry.blob_bytes_served();

    world.learn("CVE-2026-2", Some("openssl")).await;
    world.follow().await;
    for image in [&hit, &child] {
        assert_eq!(world.reports(image), ["clean complete", "vulnerable complete"]);
    }
    // A later layer replaced the package: looked at again, and nothing to report.
    assert_eq!(world.reports(&upgraded), ["clean complete"]);
    assert_eq!(world.reports(&other), ["clean complete"]);

    // Two notifications before anybody looks: each is followed.
    world.learn("CVE-2026-3", Some("zlib")).await;
    world.learn("CVE-2026-2", None).await;
    world.follow().await;
    assert_eq!(world.reports(&hit), ["clean complete", "vulnerable complete", "clean complete"]);
    assert_eq!(world.reports(&other), ["clean complete", "vulnerable complete"]);
    assert_eq!(world.registry.blob_bytes_served(), read, "no layer was read again");
}

#[tokio::test]
async fn reports_made_during_the_first_load_say_so_and_are_made_again_when_it_is_over() {
    let world = World::new(Proof::Metrics).await;
    let image = world.put(&[debian("openssl", "1")]);
    world.look("early", &image).await;
    assert_eq!(world.state(&image).await.due, Some(Due::ScannerReady), "there is nothing to judge by");

    // The first load inserts without telling.
    world.clair.learn("CVE-2026-1", Some(flaw("CVE-2026-1", "held-by-no-image", "a flaw")));
    world.follow().await;
    Pump::new(Arc::clone(&world.ports)).round().await.unwrap();
    world.work().await;
    assert_eq!(world.reports(&image), ["unknown partial knowledge_not_ready"]);

    world.clair.learn("CVE-2026-2", Some(flaw("CVE-2026-2", "openssl", "a flaw")));
    world.clair.finish_round();
    world.follow().await;
    assert_eq!(world.reports(&image), ["unknown partial knowledge_not_ready", "vulnerable complete"]);
}

#[tokio::test]
async fn a_clair_that_lost_its_database_makes_nothing_clean() {
    let world = World::new(Proof::Word).await;
    world.learn("CVE-2026-1", Some("openssl")).await;
    world.follow().await;
    let image = world.put(&[debian("openssl", "1")]);
    world.look("push", &image).await;
    assert_eq!(world.reports(&image), ["vulnerable complete"]);

    // Nobody has noticed yet: the image is read anew, and waits.
    world.clair.empty();
    world.look("again", &image).await;
    assert_eq!(world.state(&image).await.due, Some(Due::ScannerReady));
    // The load begins with something else.
    world.clair.learn("CVE-2026-9", Some(flaw("CVE-2026-9", "held-by-no-image", "a flaw")));
    world.look("once more", &image).await;
    world.follow().await;
    let reports = ["vulnerable complete", "unknown partial knowledge_not_ready"];
    assert_eq!(world.reports(&image), reports, "nor does the word that was given count for the new one");

    world.clair.learn("CVE-2026-1", Some(flaw("CVE-2026-1", "openssl", "a flaw")));
    world.clair.finish_round();
    world.follow().await;
    assert_eq!(world.reports(&image), [reports[0], reports[1], "vulnerable complete"]);
}

#[tokio::test]
async fn an_image_with_a_layer_that_clair_cannot_read_ends_with_a_report_that_names_it() {
    let world = World::new(Proof::Word).await;
    world.learn("CVE-2026-1", Some("held-by-no-image")).await;
    world.follow().await;
    let (partial, nothing) =
        (world.put(&[debian("openssl", "1"), b"no archive".to_vec()]), world.put(&[b"none either".to_vec()]));
    world.look("partial", &partial).await;
    world.look("nothing", &nothing).await;
    assert_eq!(world.reports(&partial), ["unknown partial layer_unreadable"]);
    assert_eq!(world.reports(&nothing), ["unknown unsupported layer_unreadable,no_package_database"]);
    assert!(world.state(&partial).await.open.is_none(), "and it is done");
    // A change in what it holds beside is found all the same.
    world.learn("CVE-2026-2", Some("openssl")).await;
    world.follow().await;
    assert_eq!(
        world.reports(&partial),
        ["unknown partial layer_unreadable", "vulnerable partial layer_unreadable"]
    );
}
