//! The advisories: the folder of their databases, and the sources that they are brought in from.

mod places;
mod stock;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cve_monitor_adapters::embedded::advisories::{
    AdvisoryMirror, AdvisoryStore, Ask, Ecosystems, EmbeddedFeed, MirrorSettings, Order, Updated,
};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner, SbomUse, needed_ecosystems};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::ChangeFeed;
use cve_monitor_scanner::advisory::ShrinkPolicy;

pub use stock::{Stock, StockList, StockRow};

use super::{WiringError, blocking};
use crate::config::{AdvisorySource, Embedded, Loaded};

/// What is done with a line about progress.
pub type Said<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Exports of mirrors, kept so that only what changed is fetched.
const EXPORTS: &str = "exports";
/// How often it is looked whether an image needs advisories that nobody has asked for yet.
const NEEDED_EVERY: Duration = Duration::from_secs(1);

/// The advisories of a system.
#[derive(Debug)]
pub(super) struct Advisories {
    store: AdvisoryStore,
    mirror: AdvisoryMirror,
    sources: Vec<AdvisorySource>,
    /// None: those that the images need.
    listed: Option<BTreeSet<String>>,
    policy: ShrinkPolicy,
    offline: bool,
    /// Images wait until mirrors have answered: where none is asked, what is not kept counts as not offered. Else that
    /// is a problem that people are told of.
    waits: bool,
    /// How the scanner that judges by them reads images.
    scanner: Embedded,
    /// What mirrors gave no answer for when they were last asked: the timer asks again, not the image that needs it.
    unanswered: Mutex<BTreeSet<String>>,
}

/// What a refresh did not get.
#[derive(Debug, Default)]
pub struct Lacking {
    /// A copy stands in for each of these.
    pub warnings: Vec<String>,
    /// There is nothing for these.
    pub missing: Vec<String>,
}

impl Lacking {
    /// Everything that did not come.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().chain(&self.missing).map(String::as_str)
    }
}

/// What came of a refresh.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// Whether there is a new generation.
    pub changed: bool,
    /// What mirrors did not give.
    pub lacking: Lacking,
}

impl Advisories {
    /// The configured sources, in this folder.
    pub(super) async fn open(loaded: &Loaded, folder: &Path) -> Result<Self, WiringError> {
        let sources = loaded.config.advisories.sources.clone();
        let is_cut_off = loaded.config.advisories.offline;
        Self::with(loaded, sources, folder.to_owned(), folder.join(EXPORTS), is_cut_off).await
    }

    /// These sources, else the configured ones, in a folder of the cache that is theirs alone.
    pub(super) async fn for_scan(
        loaded: &Loaded,
        named: &[AdvisorySource],
        offline: bool,
        cache: &Path,
    ) -> Result<Self, WiringError> {
        let sources = if named.is_empty() { &loaded.config.advisories.sources[..] } else { named };
        if sources.is_empty() {
            let problem = "there are no advisories to judge by: name them with --advisories DIR, ZIP or URL, or set \
                           advisories.sources in the configuration";
            return Err(WiringError::of(problem.to_owned()));
        }
        let sources: Vec<AdvisorySource> = sources.iter().map(places::absolute).collect();
        let folder = places::of_sources(cache, &sources, &loaded.config.advisories.ecosystems);
        let exports = places::exports(&loaded.config.advisories.folder, cache);
        let offline = offline || loaded.config.advisories.offline;
        let advisories =
            Self { waits: false, ..Self::with(loaded, sources, folder, exports, offline).await? };
        // What names no place is told before any layer is read.
        advisories.order(BTreeSet::new()).map(|_| advisories)
    }

    async fn with(
        loaded: &Loaded,
        sources: Vec<AdvisorySource>,
        folder: PathBuf,
        exports: PathBuf,
        offline: bool,
    ) -> Result<Self, WiringError> {
        let settings = &loaded.config.advisories;
        let mut mirror = MirrorSettings::new(exports);
        mirror.insecure = settings.insecure;
        mirror.offline = offline;
        mirror.allow_private = settings.allow_private;
        mirror.ca_file.clone_from(&settings.ca_file);
        mirror.proxy.clone_from(&loaded.environment.proxy);
        let accepted: BTreeSet<String> = settings.accept_shrink.clone();
        let listed: BTreeSet<String> = settings.ecosystems.iter().cloned().collect();
        Ok(Self {
            store: blocking(move || AdvisoryStore::open(folder).map_err(WiringError::of)).await?,
            mirror: AdvisoryMirror::new(mirror).map_err(WiringError::of)?,
            sources,
            listed: Some(listed).filter(|listed| !listed.is_empty()),
            policy: ShrinkPolicy { max_shrink_percent: settings.max_shrink_percent, accepted },
            offline,
            scanner: loaded.config.scanner.embedded(),
            waits: true,
            unanswered: Mutex::default(),
        })
    }

    /// The same for a scanner that uses SBOMs in another way.
    pub(super) fn with_sbom(self, sbom: Option<SbomUse>) -> Self {
        let sbom = sbom.unwrap_or(self.scanner.sbom);
        Self { scanner: Embedded { sbom, ..self.scanner }, ..self }
    }

    pub(super) fn scanner(&self, layers: Database, registries: Registries) -> Arc<EmbeddedScanner> {
        let scanner = EmbeddedScanner::new(layers, self.store.clone(), registries);
        Arc::new(scanner.with_lock_files(self.scanner.lock_files).with_sbom(self.scanner.sbom))
    }

    pub(super) fn feed(&self, layers: Database) -> Arc<dyn ChangeFeed> {
        Arc::new(EmbeddedFeed::new(layers, self.store.clone()))
    }

    /// Brings in what the sources hold now of everything that the images of this file need.
    pub(super) async fn refresh(&self, layers: &Database, say: &Said<'_>) -> Result<Refreshed, WiringError> {
        let needed = needed_ecosystems(layers).await.map_err(WiringError::of)?;
        self.bring_in(needed, &Ask::All, say).await
    }

    /// Brings in what an image needs and nobody has asked for yet; nothing else is asked for.
    pub(super) async fn refresh_needed(
        &self,
        layers: &Database,
        say: &Said<'_>,
    ) -> Result<Refreshed, WiringError> {
        let needed = needed_ecosystems(layers).await.map_err(WiringError::of)?;
        let awaited = self.store.coverage().await.map_err(WiringError::of)?.awaited(&needed);
        self.bring_in(needed, &Ask::Only(awaited), say).await
    }

    /// Brings in these ecosystems; nothing else is asked for. Of earlier states nothing is kept.
    pub(super) async fn learn(
        &self,
        needed: BTreeSet<String>,
        say: &Said<'_>,
    ) -> Result<Refreshed, WiringError> {
        let ask = if self.listed.is_some() { Ask::All } else { Ask::Only(needed.clone()) };
        let refreshed = self.bring_in(needed, &ask, say).await?;
        self.store.prune(&[]).await.map_err(WiringError::of)?;
        Ok(refreshed)
    }

    /// Returns once an image needs what no mirror has been asked for yet.
    pub(super) async fn until_more_is_needed(&self, layers: &Database) {
        loop {
            tokio::time::sleep(NEEDED_EVERY).await;
            let (needed, coverage) = (needed_ecosystems(layers).await, self.store.coverage().await);
            // What cannot be read now is read in a moment; the timer tells what is wrong.
            let (Ok(needed), Ok(coverage)) = (needed, coverage) else { continue };
            let awaited = coverage.awaited(&needed);
            let unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
            if awaited.difference(&unanswered).next().is_some() {
                return;
            }
        }
    }

    async fn bring_in(
        &self,
        needed: BTreeSet<String>,
        ask: &Ask,
        say: &Said<'_>,
    ) -> Result<Refreshed, WiringError> {
        let told = words::Telling::new(self.offline, say);
        let awaited = self.store.coverage().await.unwrap_or_default().awaited(&needed);
        let unanswered = || self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        // Until there is an answer, or the timer asks again: also where this ends with an error.
        *unanswered() = awaited;
        let updated = self
            .store
            .update(&self.mirror, &self.order(needed)?, ask, &|step| told.step(step))
            .await
            .map_err(WiringError::of)?;
        let Updated { changed, problems, .. } = updated;
        let nothing = problems.iter().filter(|problem| problem.kept.is_none());
        *unanswered() = nothing.map(|problem| problem.ecosystem.clone()).collect();
        Ok(Refreshed { changed, lacking: words::lacking(&problems) })
    }

    fn order(&self, needed: BTreeSet<String>) -> Result<Order, WiringError> {
        if self.sources.is_empty() {
            let problem = "there are no sources of advisories: set advisories.sources in the configuration";
            return Err(WiringError::of(problem.to_owned()));
        }
        Ok(Order {
            sources: self.sources.iter().map(places::place).collect::<Result<_, _>>()?,
            ecosystems: match &self.listed {
                Some(listed) => Ecosystems::Listed(listed.clone()),
                None => Ecosystems::AsNeeded(needed),
            },
            policy: self.policy.clone(),
            is_cut_off: self.offline && self.waits,
        })
    }
}
