//! The only place that names both ports and adapters: settings become a system.

mod advisories;
mod as_of;
mod asleep;
mod bells;
mod one_scan;
mod pushes;
mod registries;
mod scanner;
mod scope;
mod when_there;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use cve_monitor_adapters::embedded::{
    Database, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::oci::DistributionRegistry;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{IngestSettings, Ports, Registries};
use cve_monitor_core::ports::{ChangeFeed, Clock, Registry};
use cve_monitor_core::vocabulary::{ImageId, Reference, RegistryName, RepositoryName};

use crate::config::{Config, Loaded, RegistryAt};
use registries::Opened;
use scanner::{Around, InUse, Knowledge};
use when_there::WhenThere;

pub use advisories::{Lacking, Refreshed, Said, Stock, StockList, StockRow};
pub use as_of::AsOfClock;
pub use bells::{BellError, Bells};
pub use one_scan::{Asked, OneScan};
pub use pushes::{PushError, Pushes};

/// Why a system cannot be put together, or does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringError {
    problem: String,
    transient: bool,
}

impl WiringError {
    fn of(problem: impl Display) -> Self {
        Self { problem: problem.to_string(), transient: false }
    }

    fn away(problem: impl Display) -> Self {
        Self { problem: problem.to_string(), transient: true }
    }

    /// Whether it may go well later without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl Display for WiringError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

/// Everything on one machine: a SQLite file, a folder of reports, and the scanner, inside or a server of its own.
#[derive(Debug)]
pub struct System {
    /// What the pipelines reach the world through.
    pub ports: Arc<Ports>,
    /// What the scanner has learnt.
    pub feed: Arc<dyn ChangeFeed>,
    /// The SQLite file.
    pub database: Database,
    /// What is done with announced pushes.
    pub pushes: Arc<Pushes>,
    /// What is done with the scanner's notifications; none where it sends none.
    pub bells: Option<Arc<Bells>>,
    knowledge: Knowledge,
}

impl System {
    /// The system that the settings describe. Nothing is sent to a registry yet; a scanner that is a server is asked
    /// who it is.
    ///
    /// # Errors
    /// Names what cannot be opened. [`WiringError::is_transient`]: a server is away, and may come back.
    pub async fn open(loaded: &Loaded) -> Result<Self, WiringError> {
        Self::open_with(loaded, Arc::new(SystemClock), true).await
    }

    /// The same, with another clock than the machine's.
    ///
    /// # Errors
    /// As [`System::open`].
    pub async fn open_at(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<Self, WiringError> {
        Self::open_with(loaded, clock, true).await
    }

    /// The same for those who read what is known, and scan nothing: a scanner that is a server is not asked.
    ///
    /// # Errors
    /// Names what cannot be opened.
    pub async fn for_questions(loaded: &Loaded) -> Result<Self, WiringError> {
        Self::open_with(loaded, Arc::new(SystemClock), false).await
    }

    async fn open_with(loaded: &Loaded, clock: Arc<dyn Clock>, scans: bool) -> Result<Self, WiringError> {
        let config = &loaded.config;
        let database = open_database(&config.store.path).await?;
        folder(&config.reports.folder)?;
        let sink = FolderSink::open(&config.reports.folder).map_err(WiringError::of)?;
        let mut registries: Vec<Arc<dyn Registry>> = vec![];
        let mut announcing: BTreeMap<RegistryName, Arc<DistributionRegistry>> = BTreeMap::new();
        for settings in &config.registries {
            if !matches!(settings.at, RegistryAt::Distribution(_)) {
                registries.push(Arc::new(WhenThere::new(settings.clone())));
                continue;
            }
            let opened = registries::open(settings).await?;
            registries.push(opened.registry());
            if let Opened::Distribution(registry) = opened {
                announcing.insert(settings.name.clone(), registry);
            }
        }
        let registries = Registries::new(registries);
        let store = Arc::new(SqliteEventStore::new(database.clone()));
        let archive = Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&clock)));
        let around = Around {
            database: &database,
            store: Arc::clone(&store) as _,
            archive: Arc::clone(&archive) as _,
            registries: &registries,
            clock: Arc::clone(&clock),
            scans,
        };
        let InUse { scanner, feed, knowledge, ringing } = scanner::open(loaded, around).await?;
        // Leases are about processes, not about the date that reports are to carry: they run on the machine's clock.
        let queue = Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock)));
        let ports = Ports {
            store,
            queue: Arc::clone(&queue) as _,
            index: Arc::new(SqliteLayerIndex::new(database.clone())),
            archive,
            scanner,
            registries,
            sinks: vec![Arc::new(sink)],
            scope: scope::scope(&config.scope)?,
            feed: Some(feed.name()),
            clock,
        };
        let pushes = Arc::new(Pushes::new(queue, announcing));
        let ports = Arc::new(ports);
        let bells = ringing.map(|ringing| Arc::new(Bells::new(ringing, &ports, &feed.name())));
        Ok(Self { ports, feed, database, pushes, bells, knowledge })
    }

    /// Brings the scanner's data up to its sources, where that is ours to do.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused: the old data stays in use.
    pub async fn refresh(&self) -> Result<Refreshed, WiringError> {
        match &self.knowledge {
            Knowledge::Advisories { advisories, .. } => advisories.refresh(&self.database, &|_| {}).await,
            Knowledge::Server => Ok(Refreshed::default()),
        }
    }

    /// The same for what an image needs and nobody has asked for yet.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub async fn refresh_needed(&self) -> Result<Refreshed, WiringError> {
        match &self.knowledge {
            Knowledge::Advisories { advisories, .. } => {
                advisories.refresh_needed(&self.database, &|_| {}).await
            }
            Knowledge::Server => Ok(Refreshed::default()),
        }
    }

    /// Returns once an image needs advisories that nobody has asked for yet; never where a server looks after them.
    pub async fn until_more_is_needed(&self) {
        match &self.knowledge {
            Knowledge::Advisories { advisories, .. } => {
                advisories.until_more_is_needed(&self.database).await;
            }
            Knowledge::Server => std::future::pending().await,
        }
    }

    /// Whether the scanner's data is refreshed here, and not by a server of its own.
    #[must_use]
    pub fn refreshes(&self) -> bool {
        matches!(self.knowledge, Knowledge::Advisories { .. })
    }

    /// How many bytes of layers the scanner inside has read; none where the scanner is a server, which reads them itself.
    #[must_use]
    pub fn layer_bytes_read(&self) -> Option<u64> {
        match &self.knowledge {
            Knowledge::Advisories { scanner, .. } => Some(scanner.layer_bytes_read()),
            Knowledge::Server => None,
        }
    }

    /// How ingest works here.
    #[must_use]
    pub fn ingest_settings(&self, config: &Config) -> IngestSettings {
        IngestSettings {
            concurrency: config.ingest.concurrency,
            lease: config.ingest.lease,
            wait: config.ingest.wait,
            ..IngestSettings::default()
        }
    }

    /// These registries; all where none is named.
    ///
    /// # Errors
    /// Names one that is not configured.
    pub fn registries(&self, named: &[RegistryName]) -> Result<Vec<RegistryName>, WiringError> {
        let known: Vec<&RegistryName> = self.ports.registries.names().collect();
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            let known = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(WiringError::of(format!(
                "no registry named `{unknown}` is configured; there are: {known}"
            )));
        }
        Ok(if named.is_empty() { known.into_iter().cloned().collect() } else { named.to_vec() })
    }

    /// The image that a text names: `REGISTRY/REPOSITORY@DIGEST`, or a reference, whose tag the registry is asked about.
    ///
    /// # Errors
    /// Where it names none.
    pub async fn find(&self, text: &str) -> Result<ImageId, WiringError> {
        if let Ok(image) = text.parse() {
            return Ok(image);
        }
        let (registry, repository, tag) = self.named(text)?;
        let port = self.ports.registries.get(&registry).ok_or_else(|| {
            WiringError::of(format!(
                "no registry named `{registry}` is configured; name the image by its digest"
            ))
        })?;
        let digest = port.resolve(&repository, &tag).await.map_err(WiringError::of)?;
        Ok(ImageId { registry, repository, digest })
    }

    fn named(
        &self,
        text: &str,
    ) -> Result<(RegistryName, RepositoryName, cve_monitor_core::vocabulary::Tag), WiringError> {
        // The name of a layout has neither a dot nor a port, by which a reference would tell it from a repository.
        for name in self.ports.registries.names() {
            if let Some(rest) = text.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/')) {
                let (repository, tag) = rest.rsplit_once(':').unwrap_or((rest, "latest"));
                let repository = repository.parse().map_err(WiringError::of)?;
                return Ok((name.clone(), repository, tag.parse().map_err(WiringError::of)?));
            }
        }
        let reference: Reference = text.parse().map_err(WiringError::of)?;
        let tag = reference.tag.map_or_else(|| "latest".parse().map_err(WiringError::of), Ok)?;
        Ok((reference.registry, reference.repository, tag))
    }
}

async fn open_database(path: &Path) -> Result<Database, WiringError> {
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    let path = path.to_owned();
    blocking(move || Database::open(&path).map_err(WiringError::of)).await
}

fn folder(path: &Path) -> Result<(), WiringError> {
    std::fs::create_dir_all(path)
        .map_err(|error| WiringError::of(format!("the folder {} cannot be made: {error}", path.display())))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WiringError> + Send + 'static,
) -> Result<T, WiringError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(WiringError::of(error)))
}
