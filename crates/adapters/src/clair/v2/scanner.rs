//! Clair v2 as the scanner.
//!
//! Assessing asks for the image's own layer, the empty one on top (see [`super::chain`]): with it come the packages of the
//! whole chain and what is known of them now. Neither the registry nor a layer is read for it.

mod index;
mod refusal;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{
    Clock, EventStore, IndexRequest, Readiness, Scanner, ScannerError, StoreError,
};
use cve_monitor_core::scan::{HeadState, StreamId};
use cve_monitor_core::vocabulary::{Assessment, Generation, ImageId, LayerKey, ReasonCode, ScannerIdentity};

use self::index::index;
pub use self::index::{CHAINS_MAX, POSTS_MAX};
use self::refusal::{failed, transient};
use super::ClairV2Settings;
use super::answer::{Look, unversioned};
use super::chain::{ChainId, Edition, ImageName, NOTED_LAYERS_MAX, Note, chain};
use super::client::{ClairV2Client, Source};
use super::feed::{Latch, Place, feed_name};
use super::probe;
use super::wire::Layer;

/// An empty layer that is posted to learn the version of the engine: Clair names it in no other answer.
const ENGINE_LAYER: &str = "cve-monitor.engine";
const NO_DATA: &str =
    "Clair has no advisories yet: it loads them at its first start, and says nothing of its progress";

/// A [`Scanner`] named `clair-v2`. Its layer keys are chain ids.
#[derive(Debug)]
pub struct ClairV2Scanner {
    client: ClairV2Client,
    registries: Registries,
    /// Says in the head of the feed's stream whether Clair's data is complete.
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    /// The version of its engine, as its last answer told it.
    engine: AtomicU32,
    generation: u32,
}

impl ClairV2Scanner {
    /// A scanner that lets this server read layers out of these registries. Asks the server for the version of its
    /// engine.
    ///
    /// # Errors
    /// Where the settings are wrong, or the server does not answer.
    pub async fn connect(
        settings: &ClairV2Settings,
        registries: Registries,
        store: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ScannerError> {
        let client = settings.client().map_err(|error| ScannerError::Permanent(error.to_string()))?;
        let scanner = Self {
            client,
            registries,
            store,
            clock,
            engine: AtomicU32::new(0),
            generation: settings.layer_generation,
        };
        scanner.look_at_engine().await?;
        Ok(scanner)
    }

    fn edition(&self) -> Edition {
        Edition { engine: self.engine.load(Ordering::Relaxed), generation: self.generation }
    }

    /// Every answer to a posted layer tells the version of the engine that answers.
    fn saw(&self, engine: u32) {
        let before = self.engine.swap(engine, Ordering::Relaxed);
        if before != engine && before != 0 {
            tracing::warn!(
                before,
                now = engine,
                "Clair reads layers in another way now: images are indexed anew"
            );
        }
    }

    async fn look_at_engine(&self) -> Result<(), ScannerError> {
        let posted = self.client.post_layer(ENGINE_LAYER, None, &Source::nothing()).await;
        self.saw(posted.map_err(failed)?);
        Ok(())
    }

    /// Whether the feed has found Clair's data complete.
    async fn is_latched(&self) -> Result<bool, ScannerError> {
        let head = self.store.head(&StreamId::feed(&feed_name())).await.map_err(|error| match error {
            StoreError::Transient(detail) => transient(detail),
            other => ScannerError::Permanent(other.to_string()),
        })?;
        let Some(HeadState::Feed(state)) = head.map(|head| head.state) else { return Ok(false) };
        Ok(state.cursor.as_ref().and_then(Place::read).is_some_and(|place| place.latch == Latch::Ready))
    }

    /// What is noted about an image, from its own layer down.
    async fn notes(&self, image: &ImageName, top: &Layer) -> Result<Vec<Note>, ScannerError> {
        let (mut notes, mut parent) = (vec![], top.parent_name.clone());
        while let Some(note) = image.read_note(&parent).filter(|_| notes.len() <= NOTED_LAYERS_MAX) {
            notes.push(note);
            let layer = self.client.layer(&parent).await.map_err(failed)?;
            // Deleted since, and the image's own layer with it.
            parent = layer.ok_or(ScannerError::NotIndexed)?.parent_name;
        }
        Ok(notes)
    }

    /// Adds what Clair did not know when it gave this answer.
    async fn doubt(&self, look: &mut Look, latched: bool) -> Result<(), ScannerError> {
        // Asked after the answer was given: where the witness stands now, it stood then, and with it the data that was
        // complete when it was posted.
        let ready = latched && probe::witness_stands(&self.client).await.map_err(failed)?;
        if !ready {
            if !look.has_findings() && !probe::has_advisories(&self.client).await.map_err(failed)? {
                return Err(ScannerError::Loading(NO_DATA.to_owned()));
            }
            look.because(ReasonCode::KnowledgeNotReady, None);
        }
        for namespace in std::mem::take(&mut look.quiet) {
            if !self.client.has_advisories(&namespace).await.map_err(failed)? {
                look.because(ReasonCode::NoAdvisoriesForDistribution, Some(namespace));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Scanner for ClairV2Scanner {
    fn identity(&self) -> ScannerIdentity {
        ScannerIdentity { name: feed_name().0, version: self.edition().to_string() }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        let blobs = request.manifest.layers.iter().map(|layer| &layer.digest);
        chain(self.edition(), blobs).into_iter().map(ChainId::key).collect()
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        self.look_at_engine().await?;
        // As soon as there is anything, images get reports that say how complete it was.
        Ok(if probe::has_advisories(&self.client).await.map_err(failed)? {
            Readiness::Ready(unversioned())
        } else {
            Readiness::Loading(NO_DATA.to_owned())
        })
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        index(self, request).await?;
        // The chain is known before, and a notification names nothing else.
        Ok(vec![])
    }

    /// What Clair knows now: its data has no generations, and its answers show a change from the moment on in which a
    /// notification tells of it.
    async fn assess(&self, image: &ImageId, _: Option<Generation>) -> Result<Assessment, ScannerError> {
        let latched = self.is_latched().await?;
        let name = ImageName::of(self.edition(), &image.digest);
        let top = self.client.layer_with_vulnerabilities(&name.to_string()).await.map_err(failed)?;
        let top = top.ok_or(ScannerError::NotIndexed)?;
        let mut look = Look::at(&top, &self.notes(&name, &top).await?);
        // What Clair knows does not matter where there is nothing to know it about.
        if look.has_packages {
            self.doubt(&mut look, latched).await?;
        }
        Ok(look.into_assessment())
    }
}
