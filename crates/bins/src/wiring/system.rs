//! A system: what the programs work with, put together as the configuration says.

use std::sync::Arc;

use cve_monitor_adapters::embedded::Database;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{IngestSettings, Ports};
use cve_monitor_core::ports::{ChangeFeed, Clock};
use cve_monitor_core::vocabulary::{ImageId, Reference, RegistryName, RepositoryName, Tag};

use super::aws::Aws;
use super::registries::{self, Watched};
use super::scanner::{self, Around, InUse, Knowledge};
use super::storage::{self, StateFile, Stores};
use super::{Bells, Pushes, Refreshed, WiringError, scope};
use crate::config::{Config, Loaded};

/// A store, a queue, a sink, registries and a scanner, each of the kind that the configuration names.
#[derive(Debug)]
pub struct System {
    /// What the pipelines reach the world through.
    pub ports: Arc<Ports>,
    /// What the scanner has learnt.
    pub feed: Arc<dyn ChangeFeed>,
    /// The SQLite file; none where nothing is kept in it.
    pub database: Option<Database>,
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
        let file = StateFile::at(config.store.path.clone());
        let aws = Aws::new(config.aws.clone());
        let Stores { events, index, archive } = storage::stores(&config.store, &file, &aws, &clock).await?;
        let queue = storage::queue(&config.queue, &file, &aws).await?;
        let sink = storage::sink(&config.reports, &aws).await?;
        let Watched { registries, announcing } = registries::watched(loaded, &aws).await?;
        let around = Around {
            file: &file,
            store: Arc::clone(&events),
            archive: Arc::clone(&archive),
            registries: &registries,
            clock: Arc::clone(&clock),
            scans,
        };
        let InUse { scanner, feed, knowledge, ringing } = scanner::open(loaded, around).await?;
        let pushes = Arc::new(Pushes::new(Arc::clone(&queue), announcing));
        let ports = Arc::new(Ports {
            store: events,
            queue,
            index,
            archive,
            scanner,
            registries,
            sinks: vec![sink],
            scope: scope::scope(&config.scope)?,
            feed: Some(feed.name()),
            clock,
        });
        let bells = ringing.map(|ringing| Arc::new(Bells::new(ringing, &ports, &feed.name())));
        Ok(Self { ports, feed, database: file.if_used(), pushes, bells, knowledge })
    }

    /// Brings the scanner's data up to its sources, where that is ours to do.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused: the old data stays in use.
    pub async fn refresh(&self) -> Result<Refreshed, WiringError> {
        match &self.knowledge {
            Knowledge::Advisories { advisories, layers, .. } => advisories.refresh(layers, &|_| {}).await,
            Knowledge::Server => Ok(Refreshed::default()),
        }
    }

    /// The same for what an image needs and nobody has asked for yet.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub async fn refresh_needed(&self) -> Result<Refreshed, WiringError> {
        match &self.knowledge {
            Knowledge::Advisories { advisories, layers, .. } => {
                advisories.refresh_needed(layers, &|_| {}).await
            }
            Knowledge::Server => Ok(Refreshed::default()),
        }
    }

    /// Returns once an image needs advisories that nobody has asked for yet; never where a server looks after them.
    pub async fn until_more_is_needed(&self) {
        match &self.knowledge {
            Knowledge::Advisories { advisories, layers, .. } => {
                advisories.until_more_is_needed(layers).await;
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

    fn named(&self, text: &str) -> Result<(RegistryName, RepositoryName, Tag), WiringError> {
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
