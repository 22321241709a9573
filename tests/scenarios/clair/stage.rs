//! One run of the pipelines on a real registry and a real scanner, with a store of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::embedded::{
    Database, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{
    Ingest, IngestSettings, Notifier, Outcome, Ports, Pump, ReconcileMode, ReconcileSettings, Reconciler,
    Registries, Scope, history,
};
use cve_monitor_core::ports::{ChangeFeed, Clock, EventStore, Registry, ReportArchive, Scanner};
use cve_monitor_core::vocabulary::{
    Cause, FeedName, ImageId, Lane, RegistryName, RepositoryName, RequestId, ScanRequest, Timestamp,
};
use serde_json::Value;
use tempfile::TempDir;
use xtask::clair::Ground;

use crate::root;

/// Images at a time.
const CONCURRENCY: usize = 2;
/// How long everything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// Further than any wait of ours reaches.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The machine's time, and as much more as was skipped: waits need not be waited for.
#[derive(Debug, Default)]
pub(crate) struct SkippingClock {
    skipped_ms: AtomicU64,
}

impl SkippingClock {
    pub(crate) fn skip(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.skipped_ms.fetch_add(by, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed)))
    }

    async fn sleep_until(&self, at: Timestamp) {
        while self.now() < at {
            tokio::time::sleep(BETWEEN_LOOKS.min(at.since(self.now()))).await;
        }
    }
}

/// What the scanner and the feed are made from.
pub(crate) struct Parts {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) archive: Arc<dyn ReportArchive>,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) clock: Arc<SkippingClock>,
}

/// A finding, as far as scenarios look at it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) vulnerability: String,
    /// The binary package.
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) fixed: Option<String>,
    pub(crate) severity: String,
}

/// What came of some work.
#[derive(Debug)]
pub(crate) struct Worked {
    /// How each drive of an image ended, by its name.
    pub(crate) outcomes: BTreeMap<String, Vec<Outcome>>,
    /// The names of the images that have a report more than before. Not told from the outcomes: where two workers meet
    /// on an image, the one that reports may see the other one's request as well, and end with that.
    pub(crate) reported: BTreeSet<String>,
}

/// The pipelines over one registry.
pub(crate) struct Stage {
    pub(crate) ports: Arc<Ports>,
    pub(crate) clock: Arc<SkippingClock>,
    feed: Arc<dyn ChangeFeed>,
    name: RegistryName,
    /// How many reports each image had after it was last worked on.
    reports: Mutex<BTreeMap<String, usize>>,
    _folder: TempDir,
}

impl Stage {
    /// Opens a new store beside this registry. `connect` makes the scanner and its feed.
    pub(crate) async fn open<F>(ground: &Ground, connect: impl FnOnce(Parts) -> F) -> Self
    where
        F: Future<Output = (Arc<dyn Scanner>, Arc<dyn ChangeFeed>)>,
    {
        let folder = TempDir::new().unwrap();
        let database = Database::open(folder.path().join("state.db")).unwrap();
        let clock = Arc::new(SkippingClock::default());
        let name: RegistryName = ground.registry.address.to_string().parse().unwrap();
        let mut settings = DistributionSettings::new(name.clone());
        settings.insecure = true;
        let registry: Arc<dyn Registry> = Arc::new(DistributionRegistry::new(settings).unwrap());
        let archive: Arc<dyn ReportArchive> =
            Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&clock) as _));
        let store: Arc<dyn EventStore> = Arc::new(SqliteEventStore::new(database.clone()));
        let (scanner, feed) = connect(Parts {
            registry: Arc::clone(&registry),
            archive: Arc::clone(&archive),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
        })
        .await;
        let reports = folder.path().join("reports");
        std::fs::create_dir(&reports).unwrap();
        let ports = Ports {
            clock: Arc::clone(&clock) as _,
            store,
            queue: Arc::new(SqliteQueue::new(database.clone(), Arc::clone(&clock) as _)),
            index: Arc::new(SqliteLayerIndex::new(database)),
            archive,
            scanner,
            registries: Registries::new([registry]),
            sinks: vec![Arc::new(FolderSink::open(&reports).unwrap())],
            scope: Scope::default(),
            feed: Some(feed.name()),
        };
        Self { ports: Arc::new(ports), clock, feed, name, reports: Mutex::default(), _folder: folder }
    }

    /// The images that were pushed and whose tag is known.
    pub(crate) async fn image(&self, name: &str) -> ImageId {
        let repository: RepositoryName = format!("demo/{name}").parse().unwrap();
        let registry = self.ports.registries.get(&self.name).unwrap();
        let digest = registry.resolve(&repository, &"1".parse().unwrap()).await.unwrap();
        ImageId { registry: self.name.clone(), repository, digest }
    }

    pub(crate) fn feed_name(&self) -> FeedName {
        self.feed.name()
    }

    /// Queues what the registry lists and we do not know.
    pub(crate) async fn reconcile(&self) {
        let reconciler = Reconciler::new(Arc::clone(&self.ports), ReconcileSettings::default());
        reconciler.round(&self.name, ReconcileMode::Apply, &mut |_, _| {}).await.unwrap();
    }

    /// Works until nothing is left to do now.
    pub(crate) async fn ingest(&self) -> Worked {
        let seen: Arc<Mutex<BTreeMap<String, Vec<Outcome>>>> = Arc::default();
        let watched = Arc::clone(&seen);
        let settings = IngestSettings { concurrency: CONCURRENCY, ..IngestSettings::default() };
        let ingest = Ingest::new(Arc::clone(&self.ports), settings).on_outcome(Arc::new(
            move |image: &ImageId, outcome: &Outcome| {
                let name = image.repository.to_string().trim_start_matches("demo/").to_owned();
                let mut seen = watched.lock().unwrap_or_else(PoisonError::into_inner);
                seen.entry(name).or_default().push(outcome.clone());
            },
        ));
        ingest.run_until_idle().await;
        let outcomes = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut reported = BTreeSet::new();
        for name in outcomes.keys() {
            let now = self.reports(&self.image(name).await).await;
            let mut before = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
            if before.insert(name.clone(), now).unwrap_or_default() < now {
                reported.insert(name.clone());
            }
        }
        Worked { outcomes, reported }
    }

    /// Lets every wait pass, and works on what it woke.
    pub(crate) async fn wake(&self) -> Worked {
        self.clock.skip(A_DAY);
        Pump::new(Arc::clone(&self.ports)).round().await.unwrap();
        self.ingest().await
    }

    /// Follows the feed until it has gone this many steps, with one look at least; how many of them were gaps.
    pub(crate) async fn follow(&self, steps: u64) -> u64 {
        let notifier = Notifier::new(Arc::clone(&self.ports), Arc::clone(&self.feed));
        let (mut changes, mut gaps) = (0, 0);
        let looks = async {
            loop {
                match notifier.follow().await {
                    Ok(followed) => {
                        changes += followed.changes;
                        gaps += followed.gaps;
                    }
                    Err(error) => println!("following: {error}"),
                }
                if changes + gaps >= steps {
                    break;
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        tokio::time::timeout(PATIENCE, looks).await.expect("the feed goes on");
        assert_eq!(changes + gaps, steps);
        gaps
    }

    /// How many reports an image has.
    pub(crate) async fn reports(&self, image: &ImageId) -> usize {
        history(&self.ports, image).await.unwrap().len()
    }

    /// The last report of an image.
    pub(crate) async fn report(&self, image: &ImageId) -> Value {
        let series = history(&self.ports, image).await.unwrap();
        let body = &series.last().unwrap_or_else(|| panic!("{image} has no report")).report.body;
        let body = self.ports.archive.get(body).await.unwrap().expect("the body of a report");
        serde_json::from_slice(&body).unwrap()
    }

    /// What the last report of an image names.
    pub(crate) async fn rows(&self, image: &ImageId) -> BTreeSet<Row> {
        let report = self.report(image).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let by_severity = report["Vulnerabilities"].as_object().unwrap().values();
        by_severity
            .flat_map(|findings| findings.as_array().unwrap())
            .map(|finding| Row {
                vulnerability: text(&finding["Name"]),
                package: text(&finding["FeatureName"]),
                version: text(&finding["FeatureVersion"]),
                fixed: finding["FixedBy"].as_str().map(str::to_owned),
                severity: text(&finding["Severity"]),
            })
            .collect()
    }

    /// Asks for a new look at images that are known.
    pub(crate) async fn sweep(&self, images: &[&str]) {
        for name in images {
            let image = self.image(name).await;
            let id = RequestId::derived(&["scenario", name, &self.clock.now().as_millis().to_string()]);
            let request = ScanRequest { id, image, cause: Cause::Sweep, at_least: None };
            self.ports.queue.send(Lane::Backfill, &[request]).await.unwrap();
        }
    }

    /// Follows a feed that cannot answer.
    pub(crate) async fn follow_in_vain(&self) {
        let notifier = Notifier::new(Arc::clone(&self.ports), Arc::clone(&self.feed));
        let error = notifier.follow().await.expect_err("the feed has nothing to answer from");
        println!("following: {error}");
    }
}

/// Names, to compare with those that were reported.
pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// Requests by method and path, without queries, digests and the names of layers.
pub(crate) fn counted(requests: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in requests {
        let path = request.split('?').next().unwrap_or_default();
        let path = path.split("/sha256:").next().unwrap_or_default();
        let is_layer = path.contains("/v1/layers/");
        let path = if is_layer { path.rsplit_once('/').map_or(path, |(path, _)| path) } else { path };
        *counts.entry(path.to_owned()).or_default() += 1;
    }
    counts
}

/// A folder that PostgreSQL may enter although we are somebody else.
pub(crate) fn open_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), rights).unwrap();
    folder
}

/// Raises a registry and PostgreSQL, and pushes these images.
pub(crate) fn ground(folder: &Path, images: &[&str]) -> Ground {
    let ground = Ground::raise(folder).unwrap();
    for image in images {
        ground.push(root(), image).unwrap();
    }
    ground
}
