//! The system for one `scan`: what is read of layers and the advisories are kept for the next one, the rest is not.

mod as_of;
mod gate;
mod platforms;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cve_monitor_adapters::embedded::{
    EmbeddedScanner, SbomUse, Seen, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::oci::ImageSource;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{Ports, Registries, Scope};
use cve_monitor_core::ports::{Clock, ScannerError};
use cve_monitor_core::vocabulary::{ImageId, Platform, ScanRequest, Timestamp};
use tempfile::TempDir;

use super::advisories::{Advisories, Lacking, Said};
use super::{WiringError, folder, open_database};
use crate::config::{AdvisorySource, Loaded};
use gate::Gate;
use sources::Sources;

pub use as_of::AsOfClock;

/// The folder beside the store for what scans keep, where the user has no folder for caches.
const CACHE: &str = "scan-cache";
/// The file of what scans have read of layers, in that folder.
pub(super) const LAYERS: &str = "layers.db";

/// What a scan is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The images.
    pub images: Vec<ImageSource>,
    /// Where advisories come from; the configured sources where none is named.
    pub advisories: Vec<AdvisorySource>,
    /// Which platforms of an index; that of this machine where none is named.
    pub platforms: Vec<Platform>,
    /// The date that the reports carry.
    pub as_of: Option<Timestamp>,
    /// What is done with SBOMs; what the configuration says where nothing is named.
    pub sbom: Option<SbomUse>,
    /// Nothing is fetched.
    pub offline: bool,
    /// Plain HTTP for registries that nobody configured.
    pub insecure: bool,
}

/// A system for one scan.
#[derive(Debug)]
pub struct OneScan {
    /// What the pipelines reach the world through. Reports go nowhere but into the archive.
    pub ports: Arc<Ports>,
    scanner: Arc<EmbeddedScanner>,
    gate: Arc<Gate>,
    sources: Sources,
    advisories: Advisories,
    platforms: Vec<Platform>,
    /// Streams, requests and reports of this scan alone: no earlier scan, nor a killed one, can be seen in its reports.
    _scratch: TempDir,
    /// Where no folder of the user's can be written to, nothing is kept for the next scan.
    _cache: Option<TempDir>,
}

impl OneScan {
    /// Puts it together. Files are opened; nothing is sent to a registry.
    ///
    /// # Errors
    /// Names what cannot be opened.
    pub async fn open(loaded: &Loaded, asked: &Asked) -> Result<Self, WiringError> {
        let scratch =
            tempfile::Builder::new().prefix("cve-monitor-scan-").tempdir().map_err(WiringError::of)?;
        let (cache, temporary) = cache(loaded)?;
        let layers = open_database(&cache.join(LAYERS)).await?;
        let advisories = Advisories::for_scan(loaded, &asked.advisories, asked.offline, &cache).await?;
        let advisories = advisories.with_sbom(asked.sbom);
        let sources = Sources::open(loaded, asked).await?;
        let registries = Registries::new(sources.registries());
        let scanner = advisories.scanner(layers, registries.clone());
        let gate = Arc::new(Gate::new(Arc::clone(&scanner)));
        let clock: Arc<dyn Clock> = match asked.as_of {
            Some(at) => Arc::new(AsOfClock::new(at)),
            None => Arc::new(SystemClock),
        };
        let database = open_database(&scratch.path().join("scan.db")).await?;
        let ports = Ports {
            store: Arc::new(SqliteEventStore::new(database.clone())),
            queue: Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock))),
            index: Arc::new(SqliteLayerIndex::new(database.clone())),
            archive: Arc::new(SqliteArchive::new(database, Arc::clone(&clock))),
            scanner: Arc::clone(&gate) as _,
            registries,
            sinks: vec![],
            scope: Scope::default(),
            feed: None,
            clock,
        };
        let platforms = asked.platforms.clone();
        Ok(Self {
            ports: Arc::new(ports),
            scanner,
            gate,
            sources,
            advisories,
            platforms,
            _scratch: scratch,
            _cache: temporary,
        })
    }

    /// Brings in the advisories that these images need, whose layers have been read; from now on images are assessed.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused.
    pub async fn learn(&self, images: &[ImageId], say: &Said<'_>) -> Result<Lacking, WiringError> {
        let (mut needed, mut any) = (BTreeSet::new(), false);
        for image in images {
            // One whose layers could not be read is told of by itself.
            if let Some(seen) = self.inventory(image).await? {
                any = true;
                needed.extend(seen.ecosystems());
            }
        }
        if !any {
            return Ok(Lacking::default());
        }
        let refreshed = self.advisories.learn(needed, say).await?;
        self.gate.open();
        Ok(refreshed.lacking)
    }

    /// What an image holds, whose layers have been read; none where they could not be.
    ///
    /// # Errors
    /// Where what was kept of it cannot be read.
    pub async fn inventory(&self, image: &ImageId) -> Result<Option<Seen>, WiringError> {
        match self.scanner.inventory(image).await {
            Ok(seen) => Ok(Some(seen)),
            Err(ScannerError::NotIndexed) => Ok(None),
            Err(error) => Err(WiringError::of(error)),
        }
    }

    /// The requests for everything that was asked for, in that order; or why an image cannot be looked for at all.
    pub async fn requests(&self) -> Vec<Result<ScanRequest, WiringError>> {
        let mut requests = vec![];
        for found in self.sources.find().await {
            match found {
                Ok(image) => requests.extend(platforms::requests(&self.ports, &image, &self.platforms).await),
                Err(error) => requests.push(Err(error)),
            }
        }
        requests
    }
}

/// The folder for what is kept for the next scan, and what removes it where none of the user's can be written to.
fn cache(loaded: &Loaded) -> Result<(PathBuf, Option<TempDir>), WiringError> {
    let kept = cache_of(loaded);
    match folder(&kept) {
        Ok(()) => Ok((kept, None)),
        Err(problem) => {
            tracing::debug!(%problem, "nothing is kept for the next scan");
            let temporary = tempfile::tempdir().map_err(WiringError::of)?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

/// The folder for what is kept for the next scan.
pub(super) fn cache_of(loaded: &Loaded) -> PathBuf {
    let beside = || loaded.config.store.path.parent().unwrap_or(Path::new("")).join(CACHE);
    loaded.environment.cache.clone().unwrap_or_else(beside)
}
