//! The scanner inside: layers are read once, what is in them is kept in the SQLite file, and judged by the advisories
//! of the moment.

mod answer;
mod error;
#[cfg(test)]
pub(super) mod fixture;
mod flights;
mod judge;
mod needs;
mod reading;
pub(super) mod rows;
mod sbom;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{IndexRequest, Readiness, Registry, RegistryError, Scanner, ScannerError};
use cve_monitor_core::vocabulary::{
    Assessment, Descriptor, Digest, Generation, ImageId, LayerKey, RepositoryName, ScannerIdentity,
};
use cve_monitor_scanner::{Extraction, LayerRecord, Limits};
use futures::{StreamExt as _, TryStreamExt as _};

use self::error::{refused, transient};
use self::flights::Flights;
pub use self::judge::Seen;
use self::judge::{Unjudged, judge};
pub use self::needs::needed_ecosystems;
use self::needs::{Needs, fetching};
use self::reading::{is_encrypted, is_foreign, key_of};
use self::rows::{ImageLayers, NewLayer, StoredRecord};
use self::sbom::Looked;
pub use self::sbom::SbomUse;
use super::Database;
use super::advisories::AdvisoryStore;

/// How many layers of one image are read at once.
const LAYERS_AT_ONCE: usize = 2;
const NOTHING_IMPORTED: &str = "no advisories have been imported yet; import them from a folder, an archive or a \
                                mirror of OSV records, and what waits goes on by itself";

/// A [`Scanner`] named `embedded`. Its layer keys are blob digests.
#[derive(Debug)]
pub struct EmbeddedScanner {
    database: Database,
    advisories: AdvisoryStore,
    registries: Registries,
    extraction: Extraction,
    sbom: SbomUse,
    looked: Looked,
    flights: Flights,
    needs: Needs,
    bytes_read: AtomicU64,
    layers_read: AtomicU64,
}

impl EmbeddedScanner {
    /// A scanner that keeps its records in this file, judges by these advisories, and reads layers from there.
    #[must_use]
    pub fn new(database: Database, advisories: AdvisoryStore, registries: Registries) -> Self {
        Self {
            database,
            advisories,
            registries,
            extraction: Extraction::default(),
            sbom: SbomUse::default(),
            looked: Looked::default(),
            flights: Flights::default(),
            needs: Needs::default(),
            bytes_read: AtomicU64::new(0),
            layers_read: AtomicU64::new(0),
        }
    }

    /// The same within these bounds.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { extraction: Extraction { limits, ..self.extraction }, ..self }
    }

    /// The same with lock files read, or without. Layers that were read otherwise are read again.
    #[must_use]
    pub fn with_lock_files(self, lock_files: bool) -> Self {
        Self { extraction: Extraction { lock_files, ..self.extraction }, ..self }
    }

    /// The same with SBOMs used in this way. What was found in another way is looked for again.
    #[must_use]
    pub fn with_sbom(self, sbom: SbomUse) -> Self {
        Self { sbom, ..self }
    }

    /// How many bytes of layers came from registries, those of broken transfers included, since this scanner was made.
    #[must_use]
    pub fn layer_bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// How many layers were read to their end since this scanner was made.
    #[must_use]
    pub fn layers_read(&self) -> u64 {
        self.layers_read.load(Ordering::Relaxed)
    }

    /// What an image holds, out of what is stored of it: no layer is read.
    ///
    /// # Errors
    /// `NotIndexed` where the image, or a layer of it, has to be indexed first.
    pub async fn inventory(&self, image: &ImageId) -> Result<Seen, ScannerError> {
        let stored = self.layers(image).await?;
        match blocking(move || Ok(Seen::of(&stored))).await? {
            Ok(seen) => Ok(seen),
            Err(layer) => Err(self.distrust(layer).await),
        }
    }

    async fn is_stored(&self, layer: &Descriptor) -> Result<bool, ScannerError> {
        let (digest, must_be_fetched) = (key_of(layer), !is_foreign(layer) && !is_encrypted(layer));
        let version = self.extraction.version();
        Ok(self.database.read(move |state| rows::is_stored(state, &digest, version, must_be_fetched)).await?)
    }

    async fn index_layer(
        &self,
        registry: &Arc<dyn Registry>,
        repository: &RepositoryName,
        layer: &Descriptor,
    ) -> Result<(), ScannerError> {
        let _alone = self.flights.board(&key_of(layer)).await;
        // Stored before, or by whoever was waited for.
        if self.is_stored(layer).await? {
            return Ok(());
        }
        let (record, fetched) = if is_encrypted(layer) {
            (reading::encrypted(layer, self.extraction), false)
        } else {
            self.fetch(registry, repository, layer).await?
        };
        let (digest, extractor) = (key_of(layer), self.extraction.version());
        let new = blocking(move || {
            let stored = StoredRecord::of(&record)
                .map_err(|problem| ScannerError::Permanent(format!("layer {digest}: {problem}")))?;
            Ok(NewLayer { digest, extractor, record: stored, packages: record.posting_keys(), fetched })
        })
        .await?;
        Ok(self.database.write(move |tx| rows::put_layer(tx, &new)).await?)
    }

    /// The record of a layer, and whether its bytes came from the registry.
    async fn fetch(
        &self,
        registry: &Arc<dyn Registry>,
        repository: &RepositoryName,
        layer: &Descriptor,
    ) -> Result<(LayerRecord, bool), ScannerError> {
        match registry.blob(repository, layer).await {
            Ok(stream) => {
                let record = reading::read(stream, layer, self.extraction, &self.bytes_read).await?;
                self.layers_read.fetch_add(1, Ordering::Relaxed);
                Ok((record, true))
            }
            // Registries do not hold such layers, by their licence: the look at the image is not complete without.
            Err(RegistryError::NotFound(_)) if is_foreign(layer) => {
                Ok((reading::held_nowhere(layer, self.extraction), false))
            }
            Err(error) => Err(refused(error)),
        }
    }

    /// What is stored of an image; `NotIndexed` where any of that is missing.
    async fn layers(&self, image: &ImageId) -> Result<ImageLayers, ScannerError> {
        let wanted = self.sbom.stored_as(image);
        let version = self.extraction.version();
        let layers = self.database.read(move |state| rows::image_layers(state, &wanted, version)).await?;
        layers.ok_or(ScannerError::NotIndexed)
    }

    /// A damaged record is as good as none: the layer is read again.
    async fn distrust(&self, digest: Digest) -> ScannerError {
        tracing::warn!(layer = %digest, "the stored record of a layer cannot be read: the layer is read again");
        let marked = self.database.write(move |tx| rows::distrust_layer(tx, &digest)).await;
        marked.map_or_else(ScannerError::from, |()| ScannerError::NotIndexed)
    }
}

#[async_trait]
impl Scanner for EmbeddedScanner {
    fn identity(&self) -> ScannerIdentity {
        ScannerIdentity { name: "embedded".to_owned(), version: self.sbom.version(self.extraction.version()) }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        let digests: BTreeSet<&Digest> = request.manifest.layers.iter().map(|layer| &layer.digest).collect();
        digests.into_iter().map(|digest| LayerKey(digest.to_string())).collect()
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        // Before the state, which then holds at least what this promises.
        let coverage = self.advisories.coverage().await?;
        let state = match self.advisories.current().await.map_err(ScannerError::from) {
            Err(ScannerError::Loading(problem)) => return Ok(Readiness::Loading(problem)),
            state => state?,
        };
        let awaited = coverage.awaited(&needed_ecosystems(&self.database).await?);
        Ok(match (state, awaited.is_empty()) {
            (Some(state), true) => Readiness::Ready(state.knowledge(|_| true)),
            (Some(state), false) => Readiness::Partly(state.knowledge(|_| true), fetching(&awaited)),
            (None, _) if !coverage.as_needed => Readiness::Loading(NOTHING_IMPORTED.to_owned()),
            // Whoever needs none, or what nobody offers, does not wait for the others' either.
            (None, false) => Readiness::Partly(judge::nothing_known(), fetching(&awaited)),
            // No image needs any yet.
            (None, true) => Readiness::Ready(judge::nothing_known()),
        })
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        let IndexRequest { image, manifest, .. } = request;
        let registry = self.registries.get(&image.registry).ok_or_else(|| {
            ScannerError::Permanent(format!("no registry named `{}` is configured", image.registry))
        })?;
        if let Some(inventory) = sbom::inventory(self.sbom, &**registry, request).await? {
            return self.index_sbom(image, inventory).await;
        }
        // A future does nothing until it is one of those that run.
        let layers = distinct(request).into_values();
        let readings: Vec<_> =
            layers.map(|layer| self.index_layer(registry, &image.repository, layer)).collect();
        futures::stream::iter(readings).buffer_unordered(LAYERS_AT_ONCE).try_collect::<()>().await?;
        let stored_as = self.sbom.stored_as(image);
        let layers: Vec<Digest> = manifest.layers.iter().map(key_of).collect();
        self.database.write(move |tx| rows::put_image(tx, &stored_as, &layers)).await?;
        Ok(vec![])
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        // Before the state, which then holds at least what this promises.
        let coverage = self.advisories.coverage().await?;
        let state = self.advisories.current().await?;
        if at_least.is_some_and(|least| state.as_ref().is_some_and(|state| state.generation() < least)) {
            return Err(ScannerError::Behind);
        }
        let stored = self.layers(image).await?;
        let none_since = self.looked.is_recent(&self.sbom.stored_as(image), Instant::now());
        let judged =
            blocking(move || Ok(judge(&stored, none_since, &coverage, state.as_ref(), at_least))).await?;
        let (needed, answer) = match judged {
            Ok(judged) => judged,
            Err(Unjudged::Damaged(layer)) => return Err(self.distrust(layer).await),
            Err(Unjudged::Other(error)) => return Err(error),
        };

        // Before the answer, which may be to wait for just these.
        self.needs.remember(&self.database, needed).await?;
        answer
    }
}

/// Each layer once. One that a registry must hold counts before the same one that it need not hold.
fn distinct(request: &IndexRequest) -> BTreeMap<Digest, &Descriptor> {
    let mut layers: BTreeMap<Digest, &Descriptor> = BTreeMap::new();
    for layer in &request.manifest.layers {
        let known = layers.entry(key_of(layer)).or_insert(layer);
        if is_foreign(known) {
            *known = layer;
        }
    }
    layers
}

async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, ScannerError> + Send + 'static,
) -> Result<T, ScannerError> {
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|error| Err(transient(error)))
}
