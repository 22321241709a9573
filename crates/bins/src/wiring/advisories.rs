//! The advisories: the folder of their databases, and the sources that they are brought in from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cve_monitor_adapters::embedded::advisories::{
    AdvisoryMirror, AdvisorySource as Source, AdvisoryStore, EmbeddedFeed, MirrorSettings, Progress,
};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::ChangeFeed;
use cve_monitor_core::vocabulary::Digest;
use cve_monitor_scanner::advisory::ShrinkPolicy;

use super::{WiringError, blocking};
use crate::config::{AdvisorySource, Loaded};

/// What is done with a line about progress.
pub type Said<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Exports of mirrors, kept so that only what changed is fetched.
const EXPORTS: &str = "exports";
/// How much of the hash of a list of sources names its folder, in characters.
const KEY: usize = 16;
const MEBIBYTE: u64 = 1024 * 1024;

/// The advisories of a system.
#[derive(Debug)]
pub(super) struct Advisories {
    store: AdvisoryStore,
    mirror: AdvisoryMirror,
    sources: Vec<AdvisorySource>,
    ecosystems: Vec<String>,
    policy: ShrinkPolicy,
    offline: bool,
}

impl Advisories {
    /// The configured sources, in this folder.
    pub(super) async fn open(loaded: &Loaded, folder: &Path) -> Result<Self, WiringError> {
        let sources = loaded.config.advisories.sources.clone();
        Self::with(loaded, sources, folder.to_owned(), folder.join(EXPORTS), false).await
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
            return Err(WiringError(problem.to_owned()));
        }
        let sources: Vec<AdvisorySource> = sources.iter().map(absolute).collect();
        let mut spelt: Vec<String> = sources.iter().map(ToString::to_string).collect();
        spelt.extend(loaded.config.advisories.ecosystems.iter().cloned());
        let key: String = Digest::of(spelt.join("\n").as_bytes()).hex().chars().take(KEY).collect();
        let folder = cache.join("advisories").join(key);
        Self::with(loaded, sources, folder, cache.join(EXPORTS), offline).await
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
        let proxy = &loaded.environment.proxy;
        mirror.http_proxy = proxy.http.as_ref().map(|address| address.expose().to_owned());
        mirror.https_proxy = proxy.https.as_ref().map(|address| address.expose().to_owned());
        mirror.no_proxy.clone_from(&proxy.no_proxy);
        let accepted: BTreeSet<String> = settings.accept_shrink.clone();
        Ok(Self {
            store: blocking(move || AdvisoryStore::open(folder).map_err(WiringError::of)).await?,
            mirror: AdvisoryMirror::new(mirror).map_err(WiringError::of)?,
            sources,
            ecosystems: settings.ecosystems.clone(),
            policy: ShrinkPolicy { max_shrink_percent: settings.max_shrink_percent, accepted },
            offline,
        })
    }

    pub(super) fn scanner(&self, layers: Database, registries: Registries) -> Arc<EmbeddedScanner> {
        Arc::new(EmbeddedScanner::new(layers, self.store.clone(), registries))
    }

    pub(super) fn feed(&self, layers: Database) -> Arc<dyn ChangeFeed> {
        Arc::new(EmbeddedFeed::new(layers, self.store.clone()))
    }

    /// Brings in what the sources hold now; whether that changed anything.
    pub(super) async fn refresh(&self, say: &Said<'_>) -> Result<bool, WiringError> {
        if self.sources.is_empty() {
            let problem = "there are no sources of advisories: set advisories.sources in the configuration";
            return Err(WiringError(problem.to_owned()));
        }
        let mut places = vec![];
        for source in &self.sources {
            say(&format!(
                "{} {source}",
                if self.offline { "reading the kept copy of" } else { "importing advisories from" }
            ));
            let told = |progress: Progress<'_>| say(&transfer(&progress));
            places.extend(self.place(source)?.sources(&self.mirror, &told).await.map_err(WiringError::of)?);
        }
        let refreshed = self.store.refresh(places, self.policy.clone()).await.map_err(WiringError::of)?;
        tracing::debug!(changed = refreshed.changed, generation = refreshed.generation.0, id = %refreshed.id, "imported");
        Ok(refreshed.changed)
    }

    fn place(&self, source: &AdvisorySource) -> Result<Source, WiringError> {
        if let AdvisorySource::Url(url) = source
            && url.path().to_ascii_lowercase().ends_with(".zip")
        {
            let problem = format!(
                "{url} is one archive: fetch it to a file and name that, or name the mirror it is in"
            );
            return Err(WiringError(problem));
        }
        let place = Source::parse(&source.to_string()).map_err(WiringError::of)?;
        Ok(place.with_ecosystems(self.ecosystems.clone()))
    }
}

fn transfer(progress: &Progress<'_>) -> String {
    let mebibytes = |bytes: u64| bytes / MEBIBYTE;
    match progress.total {
        Some(total) => format!(
            "fetching advisories for {}: {} of {} MiB",
            progress.ecosystem,
            mebibytes(progress.bytes),
            mebibytes(total)
        ),
        None => format!("fetching advisories for {}: {} MiB", progress.ecosystem, mebibytes(progress.bytes)),
    }
}

/// The same source named from another folder shares the cache.
fn absolute(source: &AdvisorySource) -> AdvisorySource {
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    match source {
        AdvisorySource::Folder(path) => AdvisorySource::Folder(whole(path)),
        AdvisorySource::Zip(path) => AdvisorySource::Zip(whole(path)),
        AdvisorySource::Url(url) => AdvisorySource::Url(url.clone()),
    }
}
