//! The scanner: each process sees it as old, as loaded and as reachable as the run says.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{IndexRequest, Readiness, Registry, Scanner, ScannerError};
use cve_monitor_core::testkit::model::ModelScanner;
use cve_monitor_core::vocabulary::{Assessment, Digest, Generation, ImageId, LayerKey, ScannerIdentity};

use crate::wire::Wire;
use crate::world::World;

/// Whether the key of a layer is known only once the layer was read.
fn is_told_late(layer: &Digest) -> bool {
    layer.hex().as_bytes()[0].is_multiple_of(3)
}

/// The scanner of one process.
#[derive(Debug)]
pub(crate) struct SimScanner {
    wire: Wire,
    world: Arc<World>,
    inner: ModelScanner,
}

impl SimScanner {
    pub(crate) fn new(wire: Wire, world: &Arc<World>, registry: Arc<dyn Registry>) -> Self {
        let inner = ModelScanner::new(Arc::clone(&world.knowledge), registry);
        Self { wire, world: Arc::clone(world), inner }
    }

    /// Takes over how the scanner is just now; the error where it is loading.
    fn as_it_is(&self) -> Result<(), ScannerError> {
        let truth = self.world.truth.lock();
        self.inner.set_lag(truth.scanner.lag_of(self.wire.role()));
        let missing: Vec<&str> = truth.scanner.missing.iter().copied().collect();
        self.inner.set_missing(&missing);
        if truth.scanner.loading {
            return Err(ScannerError::Loading("everything".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Scanner for SimScanner {
    fn identity(&self) -> ScannerIdentity {
        let version = self.world.truth.lock().scanner.version.to_string();
        ScannerIdentity { version, ..self.inner.identity() }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        let late: BTreeSet<String> = request
            .manifest
            .layers
            .iter()
            .filter(|l| is_told_late(&l.digest))
            .map(|l| l.digest.to_string())
            .collect();
        let mut keys = self.inner.keys(request);
        keys.retain(|key| !late.contains(&key.0));
        keys
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        let readiness = async {
            match self.as_it_is() {
                Err(ScannerError::Loading(missing)) => Ok(Readiness::Loading(missing)),
                Err(other) => Err(other),
                Ok(()) => self.inner.readiness().await,
            }
        };
        self.wire.call("scanner.readiness", String::new, readiness).await
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        let index = async {
            self.inner.index(request).await?;
            let layers = request.manifest.layers.iter().filter(|layer| is_told_late(&layer.digest));
            let late: BTreeSet<String> = layers.map(|layer| layer.digest.to_string()).collect();
            Ok(late.into_iter().map(LayerKey).collect())
        };
        self.wire.call("scanner.index", || request.image.to_string(), index).await
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        let assess = async {
            self.as_it_is()?;
            let assessment = self.inner.assess(image, at_least).await?;
            let generation = assessment.knowledge.generation.map_or(0, |generation| generation.0);
            self.wire.stage().note(self.wire.role(), generation, || {
                format!("scanner knows {generation} and finds {} in {image}", assessment.findings.len())
            });
            Ok(assessment)
        };
        let about = || format!("{image} knowing at least {:?}", at_least.map(|generation| generation.0));
        self.wire.call("scanner.assess", about, assess).await
    }
}
