//! The only place that names both ports and adapters: settings become a system.

mod advisories;
mod as_of;
mod one_scan;
mod pushes;
mod registries;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use cve_monitor_adapters::embedded::{
    Database, EmbeddedScanner, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::oci::DistributionRegistry;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{IngestSettings, Ports, Registries, Rule, Scope};
use cve_monitor_core::ports::{ChangeFeed, Clock, Registry};
use cve_monitor_core::vocabulary::{ImageId, Reference, RegistryName, RepositoryName};

use crate::config::{Config, Loaded, ScopeRule, ScopeSettings};
use advisories::Advisories;
use registries::Opened;

pub use advisories::{Lacking, Refreshed, Said};
pub use as_of::AsOfClock;
pub use one_scan::{Asked, OneScan};
pub use pushes::{PushError, Pushes};

/// Why a system cannot be put together, or does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringError(String);

impl WiringError {
    fn of(problem: impl Display) -> Self {
        Self(problem.to_string())
    }
}

impl Display for WiringError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything on one machine: a SQLite file, a folder of reports, the scanner inside.
#[derive(Debug)]
pub struct System {
    /// What the pipelines reach the world through.
    pub ports: Arc<Ports>,
    /// What the advisories have changed.
    pub feed: Arc<dyn ChangeFeed>,
    /// The SQLite file.
    pub database: Database,
    /// What is done with announced pushes.
    pub pushes: Arc<Pushes>,
    /// The scanner itself: its counters are no part of the port.
    pub scanner: Arc<EmbeddedScanner>,
    advisories: Advisories,
}

impl System {
    /// The system that the settings describe. Nothing is sent to a registry yet.
    ///
    /// # Errors
    /// Names what cannot be opened.
    pub async fn open(loaded: &Loaded) -> Result<Self, WiringError> {
        Self::open_at(loaded, Arc::new(SystemClock)).await
    }

    /// The same, with another clock than the machine's.
    ///
    /// # Errors
    /// Names what cannot be opened.
    pub async fn open_at(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<Self, WiringError> {
        let config = &loaded.config;
        let database = open_database(&config.store.path).await?;
        folder(&config.reports.folder)?;
        let sink = FolderSink::open(&config.reports.folder).map_err(WiringError::of)?;
        let mut registries: Vec<Arc<dyn Registry>> = vec![];
        let mut announcing: BTreeMap<RegistryName, Arc<DistributionRegistry>> = BTreeMap::new();
        for settings in &config.registries {
            let opened = registries::open(settings).await?;
            registries.push(opened.registry());
            if let Opened::Distribution(registry) = opened {
                announcing.insert(settings.name.clone(), registry);
            }
        }
        let registries = Registries::new(registries);
        let advisories = Advisories::open(loaded, &config.advisories.folder).await?;
        let scanner = advisories.scanner(database.clone(), registries.clone());
        let feed: Arc<dyn ChangeFeed> = advisories.feed(database.clone());
        // Leases are about processes, not about the date that reports are to carry: they run on the machine's clock.
        let queue = Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock)));
        let ports = Ports {
            store: Arc::new(SqliteEventStore::new(database.clone())),
            queue: Arc::clone(&queue) as _,
            index: Arc::new(SqliteLayerIndex::new(database.clone())),
            archive: Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&clock))),
            scanner: Arc::clone(&scanner) as _,
            registries,
            sinks: vec![Arc::new(sink)],
            scope: scope(&config.scope)?,
            feed: Some(feed.name()),
            clock,
        };
        let pushes = Arc::new(Pushes::new(queue, announcing));
        Ok(Self { ports: Arc::new(ports), feed, database, pushes, scanner, advisories })
    }

    /// Brings the advisories up to their sources.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused: the old advisories stay in use.
    pub async fn refresh(&self) -> Result<Refreshed, WiringError> {
        self.advisories.refresh(&self.database, &|_| {}).await
    }

    /// The same for what an image needs and nobody has asked for yet.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub async fn refresh_needed(&self) -> Result<Refreshed, WiringError> {
        self.advisories.refresh_needed(&self.database, &|_| {}).await
    }

    /// Returns once an image needs advisories that nobody has asked for yet.
    pub async fn until_more_is_needed(&self) {
        self.advisories.until_more_is_needed(&self.database).await;
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
            return Err(WiringError(format!(
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
            WiringError(format!("no registry named `{registry}` is configured; name the image by its digest"))
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

fn scope(settings: &ScopeSettings) -> Result<Scope, WiringError> {
    let rules = |rules: &[ScopeRule]| -> Result<Vec<Rule>, WiringError> {
        let rule = |rule: &ScopeRule| {
            Rule::new(
                rule.registry.as_deref(),
                rule.repository.as_deref(),
                rule.tag.as_deref(),
                rule.platform.as_deref(),
            )
        };
        rules.iter().map(rule).collect::<Result<_, _>>().map_err(WiringError::of)
    };
    Ok(Scope {
        include: rules(&settings.include)?,
        exclude: rules(&settings.exclude)?,
        newer_than: settings.newer_than,
    })
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
        .map_err(|error| WiringError(format!("the folder {} cannot be made: {error}", path.display())))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WiringError> + Send + 'static,
) -> Result<T, WiringError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(WiringError::of(error)))
}
