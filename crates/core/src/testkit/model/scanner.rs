//! A scanner in memory: it reads layers through a registry, and knows what its knowledge says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::TryStreamExt as _;

use super::ModelKnowledge;
use super::knowledge::{Facts, LayerFacts, READ_KIND};
use crate::ports::{IndexRequest, Readiness, Registry, RegistryError, Scanner, ScannerError};
use crate::testkit::locked::Locked;
use crate::vocabulary::{
    Assessment, Completeness, Digest, Enrichments, Finding, FindingStatus, Generation, ImageId, Knowledge,
    LayerKey, PackageKind, Reason, ReasonCode, ScannerIdentity,
};

/// A [`Scanner`] in memory. Its layer keys are blob digests.
#[derive(Debug)]
pub struct ModelScanner {
    identity: ScannerIdentity,
    knowledge: Arc<ModelKnowledge>,
    registry: Arc<dyn Registry>,
    layer_reads: AtomicU64,
    lag: AtomicU64,
    missing: Locked<BTreeSet<String>>,
    failures: Locked<Vec<ScannerError>>,
}

impl ModelScanner {
    /// A scanner `model`, version `1`, that knows this and reads layers from there.
    #[must_use]
    pub fn new(knowledge: Arc<ModelKnowledge>, registry: Arc<dyn Registry>) -> Self {
        let identity = ScannerIdentity { name: "model".to_owned(), version: "1".to_owned() };
        Self {
            identity,
            knowledge,
            registry,
            layer_reads: AtomicU64::new(0),
            lag: AtomicU64::new(0),
            missing: Locked::default(),
            failures: Locked::default(),
        }
    }

    /// The same under another version: everything is to be indexed again.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.identity.version);
        self
    }

    /// Serves knowledge that is this many states older than the latest.
    pub fn set_lag(&self, states: u64) {
        self.lag.store(states, Ordering::SeqCst);
    }

    /// Lacks the data for images that hold one of these packages, and for no others.
    pub fn set_missing(&self, packages: &[&str]) {
        *self.missing.lock() = packages.iter().map(|name| (*name).to_owned()).collect();
    }

    /// How many layers were read.
    #[must_use]
    pub fn layer_reads(&self) -> u64 {
        self.layer_reads.load(Ordering::SeqCst)
    }

    /// The next `times` calls of `index` or `assess` fail like this.
    pub fn fail_next(&self, times: usize, error: &ScannerError) {
        self.failures.lock().extend(std::iter::repeat_n(error.clone(), times));
    }

    /// Loses what was stored of an image and its layers: it must be indexed again.
    pub fn forget(&self, image: &ImageId) {
        let mut facts = self.knowledge.0.lock();
        for layer in facts.images.remove(image).unwrap_or_default() {
            facts.layers.remove(&layer);
        }
    }

    fn fail_if_told(&self) -> Result<(), ScannerError> {
        let mut failures = self.failures.lock();
        if failures.is_empty() { Ok(()) } else { Err(failures.remove(0)) }
    }

    fn served(&self, facts: &Facts) -> Result<u64, ScannerError> {
        match facts.latest() {
            0 => Err(ScannerError::Loading("no state of knowledge is published".to_owned())),
            latest => Ok(latest.saturating_sub(self.lag.load(Ordering::SeqCst)).max(1)),
        }
    }
}

fn knowledge_of(facts: &Facts, generation: u64) -> Knowledge {
    Knowledge {
        id: facts.id(generation),
        generation: Some(Generation(generation)),
        last_changed: BTreeMap::new(),
    }
}

fn lacking<'a>(packages: impl Iterator<Item = &'a String>) -> String {
    let packages: Vec<&str> = packages.map(String::as_str).collect();
    format!("nothing is loaded for {}", packages.join(", "))
}

fn refused(error: RegistryError) -> ScannerError {
    match error {
        RegistryError::NotFound(what) | RegistryError::Archived(what) => ScannerError::Gone(what),
        RegistryError::Denied(what) => ScannerError::Denied(what),
        RegistryError::Throttled { retry_after, detail } => ScannerError::Transient { retry_after, detail },
        RegistryError::Transient(detail) => ScannerError::Transient { retry_after: None, detail },
        RegistryError::Corrupt(what) => ScannerError::Corrupt(what),
        RegistryError::Unsupported(what) => ScannerError::Permanent(what),
    }
}

fn completeness(layers: &[(&Digest, &LayerFacts)]) -> Completeness {
    let mut reasons = BTreeSet::new();
    for (digest, layer) in layers {
        let unread = layer.unread_kinds.iter();
        reasons
            .extend(unread.map(|kind| Reason { code: ReasonCode::UnreadKind, detail: Some(kind.clone()) }));
        if let Some(problem) = &layer.problem {
            let detail = Some(format!("{digest}: {problem}"));
            reasons.insert(Reason { code: ReasonCode::LayerUnreadable, detail });
        }
    }
    if layers.iter().all(|(_, layer)| layer.packages.is_empty()) {
        reasons.insert(Reason { code: ReasonCode::NoPackageDatabase, detail: None });
        return Completeness::unsupported(reasons);
    }
    Completeness::partial(reasons)
}

fn findings(facts: &Facts, generation: u64, layers: &[(&Digest, &LayerFacts)]) -> Vec<Finding> {
    let advisories = facts.advisories(generation);
    let mut findings = vec![];
    for advisory in advisories.into_iter().flat_map(BTreeMap::values) {
        for (digest, layer) in layers {
            for (package, version) in &layer.packages {
                if *package != advisory.package || advisory.fixed_by.as_ref() == Some(version) {
                    continue;
                }
                let fixed = advisory.fixed_by.is_some();
                findings.push(Finding {
                    name: advisory.name.clone(),
                    records: vec![advisory.name.clone()],
                    aliases: vec![],
                    namespace: "model:1".to_owned(),
                    severity: advisory.severity,
                    severity_source: None,
                    status: if fixed { FindingStatus::FixAvailable } else { FindingStatus::NoFix },
                    kind: PackageKind(READ_KIND.to_owned()),
                    package: package.clone(),
                    version: version.clone(),
                    architecture: None,
                    source: None,
                    fixed_by: advisory.fixed_by.clone(),
                    location: "packages".to_owned(),
                    layer: Some((*digest).clone()),
                    description: advisory.description.clone(),
                    link: String::new(),
                    enrichments: Enrichments::default(),
                });
            }
        }
    }
    findings
}

#[async_trait]
impl Scanner for ModelScanner {
    fn identity(&self) -> ScannerIdentity {
        self.identity.clone()
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        let digests: BTreeSet<_> = request.manifest.layers.iter().map(|layer| &layer.digest).collect();
        digests.into_iter().map(|digest| LayerKey(digest.to_string())).collect()
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        let facts = self.knowledge.0.lock();
        match self.served(&facts) {
            Ok(generation) => {
                let (known, missing) = (knowledge_of(&facts, generation), self.missing.lock());
                Ok(if missing.is_empty() {
                    Readiness::Ready(known)
                } else {
                    Readiness::Partly(known, lacking(missing.iter()))
                })
            }
            Err(ScannerError::Loading(missing)) => Ok(Readiness::Loading(missing)),
            Err(other) => Err(other),
        }
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        self.fail_if_told()?;
        for layer in &request.manifest.layers {
            if self.knowledge.0.lock().layers.contains_key(&layer.digest) {
                continue;
            }
            let stream = self.registry.blob(&request.image.repository, layer).await.map_err(refused)?;
            let chunks: Vec<bytes::Bytes> = stream.try_collect().await.map_err(refused)?;
            self.layer_reads.fetch_add(1, Ordering::SeqCst);
            let facts = LayerFacts::read(&chunks.concat());
            self.knowledge.0.lock().layers.insert(layer.digest.clone(), facts);
        }
        let layers = request.manifest.layers.iter().map(|layer| layer.digest.clone()).collect();
        self.knowledge.0.lock().images.insert(request.image.clone(), layers);
        Ok(vec![])
    }

    async fn assess(
        &self,
        image: &ImageId,
        at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        self.fail_if_told()?;
        let facts = self.knowledge.0.lock();
        let generation = self.served(&facts)?;
        if at_least.is_some_and(|least| generation < least.0) {
            return Err(ScannerError::Behind);
        }
        let layers = facts.images.get(image).ok_or(ScannerError::NotIndexed)?;
        let layers: Option<Vec<_>> =
            layers.iter().map(|digest| facts.layers.get(digest).map(|layer| (digest, layer))).collect();
        let layers = layers.ok_or(ScannerError::NotIndexed)?;
        let missing = self.missing.lock();
        let holds =
            |name: &&String| layers.iter().any(|(_, layer)| layer.packages.iter().any(|p| p.0 == **name));
        if missing.iter().any(|name| holds(&name)) {
            return Err(ScannerError::Loading(lacking(missing.iter().filter(holds))));
        }
        Ok(Assessment {
            findings: findings(&facts, generation, &layers),
            completeness: completeness(&layers),
            looked_at: vec![PackageKind(READ_KIND.to_owned())],
            sbom: None,
            knowledge: knowledge_of(&facts, generation),
        })
    }
}
