//! A busy registry: some images live, each day a tenth of them pushed and as many deleted, and five changes of the advisories,
//! each of which affects the images that have one package.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_adapters::embedded::{
    Database, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_core::pipeline::{Ingest, IngestSettings, Notifier, Ports, Registries, Scope};
use cve_monitor_core::ports::{ChangeFeed as _, Clock, MAX_SEND, Registry};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{
    MemoryRegistry, ModelAdvisory, ModelFeed, ModelKnowledge, ModelScanner, layer_of,
};
use cve_monitor_core::vocabulary::{Cause, ImageId, Lane, RepositoryName, RequestId, ScanRequest};

use super::Failure;

/// Changes in a day: each step of a day begins with one.
const CHANGES: usize = 5;
/// Of so many live images one is pushed in a step of a day, and one deleted.
const LIVE_FOR_ONE: usize = 10 * CHANGES;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Base layers that images share, and the packages of each.
const BASES: usize = 20;
const OF_A_BASE: usize = 15;
/// Packages that the upper layers are made of, and how many of them an image has.
const OTHERS: usize = 240;
const OF_AN_IMAGE: usize = 10;
/// As many words as the description of a CVE has, and some to make it of: text that compresses like text.
const DESCRIPTION: usize = 40;
const WORDS: [&str; 32] = [
    "a",
    "allows",
    "an",
    "arbitrary",
    "attacker",
    "before",
    "buffer",
    "bypass",
    "code",
    "crafted",
    "crash",
    "denial",
    "file",
    "flaw",
    "function",
    "heap",
    "in",
    "input",
    "integer",
    "local",
    "memory",
    "network",
    "of",
    "overflow",
    "parser",
    "remote",
    "request",
    "service",
    "the",
    "validation",
    "versions",
    "via",
];

pub(super) struct Year {
    pub(super) database: Database,
    pub(super) clock: Arc<ManualClock>,
    pub(super) reports: PathBuf,
    registry: Arc<MemoryRegistry>,
    repository: RepositoryName,
    knowledge: Arc<ModelKnowledge>,
    ingest: Ingest,
    notifier: Notifier,
    ports: Arc<Ports>,
    live: Vec<ImageId>,
    /// How many come and go in a step of a day.
    step: usize,
    pushed: usize,
    /// Of which packages a fix is known.
    fixed: Vec<bool>,
    chance: u64,
}

fn package(number: usize) -> String {
    format!("package-{number}")
}

/// What is known of a package: with a fix, or without.
fn advisory(number: usize, fixed: bool) -> ModelAdvisory {
    let mut advisory = ModelAdvisory::new(&format!("CVE-2026-{:05}", 10_000 + number), &package(number));
    let word = |at: usize| WORDS[(number * 131 + at * at * 17 + at * number) % WORDS.len()];
    advisory.description = (0..DESCRIPTION).map(word).collect::<Vec<_>>().join(" ");
    advisory.fixed_by = fixed.then(|| "2".to_owned());
    advisory
}

impl Year {
    /// An empty store, and a registry with its live images.
    pub(super) async fn begin(folder: &Path, live: usize) -> Result<Self, Failure> {
        let (clock, reports) = (Arc::new(ManualClock::default()), folder.join("reports"));
        std::fs::create_dir_all(&reports)?;
        let registry = Arc::new(MemoryRegistry::new("busy.example".parse()?));
        let knowledge = Arc::new(ModelKnowledge::empty());
        knowledge.publish((0..BASES * OF_A_BASE + OTHERS).map(|number| advisory(number, false)).collect());
        let feed = Arc::new(ModelFeed::new(Arc::clone(&knowledge)));
        let database = Database::open(folder.join("state.db"))?;
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let reads = Arc::clone(&registry) as Arc<dyn Registry>;
        let ports = Arc::new(Ports {
            store: Arc::new(SqliteEventStore::new(database.clone())),
            queue: Arc::new(SqliteQueue::new(database.clone(), Arc::clone(&time))),
            index: Arc::new(SqliteLayerIndex::new(database.clone())),
            archive: Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&time))),
            scanner: Arc::new(ModelScanner::new(Arc::clone(&knowledge), Arc::clone(&reads))),
            registries: Registries::new([reads]),
            sinks: vec![Arc::new(FolderSink::open(&reports)?)],
            scope: Scope::default(),
            feed: Some(feed.name()),
            clock: time,
        });
        let settings = IngestSettings { concurrency: 64, ..IngestSettings::default() };
        let mut year = Self {
            database,
            clock,
            reports,
            registry,
            repository: "team/app".parse()?,
            knowledge,
            ingest: Ingest::new(Arc::clone(&ports), settings),
            notifier: Notifier::new(Arc::clone(&ports), feed),
            ports,
            live: vec![],
            step: live / LIVE_FOR_ONE,
            pushed: 0,
            fixed: vec![false; BASES * OF_A_BASE + OTHERS],
            chance: 7,
        };
        year.notifier.follow().await?;
        year.push(live).await?;
        year.ingest.run_until_idle().await;
        Ok(year)
    }

    pub(super) async fn pass_a_day(&mut self) -> Result<(), Failure> {
        for _ in 0..CHANGES {
            self.push(self.step).await?;
            self.delete(self.step).await?;
            let number = self.below(self.fixed.len());
            self.fixed[number] = !self.fixed[number];
            self.knowledge.publish(vec![advisory(number, self.fixed[number])]);
            self.notifier.follow().await?;
            self.ingest.run_until_idle().await;
            self.clock.advance(DAY / u32::try_from(CHANGES)?);
        }
        Ok(())
    }

    /// The image's number says which base and which packages it has.
    async fn push(&mut self, images: usize) -> Result<(), Failure> {
        let mut pushed = vec![];
        for _ in 0..images {
            let number = self.pushed;
            self.pushed += 1;
            let base = number % BASES * OF_A_BASE;
            let base: Vec<String> = (base..base + OF_A_BASE).map(package).collect();
            let mut own: Vec<String> = (0..OF_AN_IMAGE)
                .map(|at| package(BASES * OF_A_BASE + (number * 7 + at * 23) % OTHERS))
                .collect();
            // A package of its own, of which nothing is known, makes its layer one that no other image has.
            own.push(format!("app-{number}"));
            let layers = [base, own].map(|packages| {
                layer_of(&packages.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>())
            });
            pushed.push(self.registry.put_image(&self.repository, None, &layers));
        }
        self.live.extend(pushed.iter().cloned());
        self.announce(&pushed, &Cause::Push { tag: None }).await
    }

    async fn delete(&mut self, images: usize) -> Result<(), Failure> {
        let mut deleted = vec![];
        for _ in 0..images {
            let at = self.below(self.live.len());
            let image = self.live.swap_remove(at);
            self.registry.delete(&image);
            deleted.push(image);
        }
        self.announce(&deleted, &Cause::Absence).await
    }

    async fn announce(&self, images: &[ImageId], cause: &Cause) -> Result<(), Failure> {
        let requests: Vec<ScanRequest> = images
            .iter()
            .map(|image| ScanRequest {
                id: RequestId::derived(&[&format!("{cause:?}"), &image.to_string()]),
                image: image.clone(),
                cause: cause.clone(),
                at_least: None,
            })
            .collect();
        for batch in requests.chunks(MAX_SEND) {
            self.ports.queue.send(Lane::Push, batch).await?;
        }
        Ok(())
    }

    /// Knuth's MMIX constants.
    fn below(&mut self, bound: usize) -> usize {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).unwrap_or(0) % bound.max(1)
    }
}
