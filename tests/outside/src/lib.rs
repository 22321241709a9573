//! A pipeline of one's own: its own registry, scanner and report sink on the core alone.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use cve_monitor_core::ports::{
    BlobLocation, BlobStream, IndexRequest, ListedImage, Readiness, Registry, RegistryError, ReportObject,
    ReportSink, Scanner, ScannerError, SinkError,
};
use cve_monitor_core::vocabulary::{
    Assessment, Completeness, Descriptor, Digest, Generation, ImageId, Knowledge, KnowledgeId, LayerKey,
    Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, ScannerIdentity, Tag,
};
use futures::StreamExt as _;

/// A registry that holds one image.
#[derive(Debug)]
pub struct OneImage {
    identity: RegistryIdentity,
    repository: RepositoryName,
    tag: Tag,
    manifest: Vec<u8>,
    blobs: Vec<Vec<u8>>,
}

impl OneImage {
    /// The image of one layer.
    pub fn new(identity: RegistryIdentity, repository: RepositoryName, tag: Tag, layer: &[u8]) -> Self {
        let config = br#"{"os":"linux","architecture":"amd64"}"#.to_vec();
        let blob = |kind: &str, bytes: &[u8]| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{}","size":{}}}"#,
                Digest::of(bytes),
                bytes.len()
            )
        };
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
            blob("config.v1+json", &config),
            blob("layer.v1.tar", layer)
        );
        Self {
            identity,
            repository,
            tag,
            manifest: manifest.into_bytes(),
            blobs: vec![config, layer.to_vec()],
        }
    }

    /// Its name.
    pub fn image(&self) -> ImageId {
        ImageId {
            registry: self.identity.name.clone(),
            repository: self.repository.clone(),
            digest: Digest::of(&self.manifest),
        }
    }
}

#[async_trait]
impl Registry for OneImage {
    fn identity(&self) -> RegistryIdentity {
        self.identity.clone()
    }

    async fn repositories(
        &self,
        _after: Option<PageToken>,
        _limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        Ok(Page { items: vec![self.repository.clone()], next: None })
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        _after: Option<PageToken>,
        _limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        if *repository != self.repository {
            return Err(RegistryError::NotFound(repository.to_string()));
        }
        let listed =
            ListedImage { digest: Digest::of(&self.manifest), tags: vec![self.tag.clone()], pushed: None };
        Ok(Page { items: vec![listed], next: None })
    }

    async fn resolve(&self, _repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        let known = (*tag == self.tag).then(|| Digest::of(&self.manifest));
        known.ok_or_else(|| RegistryError::NotFound(tag.to_string()))
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        if *image != self.image() {
            return Err(RegistryError::NotFound(image.to_string()));
        }
        Ok(RawManifest { media_type: None, bytes: self.manifest.clone() })
    }

    async fn blob(
        &self,
        _repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        let found = self.blobs.iter().find(|bytes| Digest::of(bytes) == blob.digest);
        let bytes = found.ok_or_else(|| RegistryError::NotFound(blob.digest.to_string()))?;
        Ok(futures::stream::iter([Ok(Bytes::from(bytes.clone()))]).boxed())
    }

    async fn location(
        &self,
        _repository: &RepositoryName,
        _blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        Err(RegistryError::Unsupported("an address".to_owned()))
    }

    async fn tags(&self, _image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        Ok(vec![self.tag.clone()])
    }
}

/// A scanner that finds nothing, because nothing is there to be found.
#[derive(Debug, Default)]
pub struct NothingToFind {
    indexed: Mutex<Vec<ImageId>>,
}

impl NothingToFind {
    fn knowledge() -> Knowledge {
        let id = Some(KnowledgeId("nothing".to_owned()));
        Knowledge { id, generation: Some(Generation(1)), last_changed: std::collections::BTreeMap::new() }
    }
}

#[async_trait]
impl Scanner for NothingToFind {
    fn identity(&self) -> ScannerIdentity {
        ScannerIdentity { name: "nothing".to_owned(), version: "1".to_owned() }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        request.manifest.layers.iter().map(|layer| LayerKey(layer.digest.to_string())).collect()
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        Ok(Readiness::Ready(Self::knowledge()))
    }

    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        if let Ok(mut indexed) = self.indexed.lock() {
            indexed.push(request.image.clone());
        }
        Ok(vec![])
    }

    async fn assess(
        &self,
        image: &ImageId,
        _at_least: Option<Generation>,
    ) -> Result<Assessment, ScannerError> {
        if !self.indexed.lock().is_ok_and(|indexed| indexed.contains(image)) {
            return Err(ScannerError::NotIndexed);
        }
        Ok(Assessment {
            findings: vec![],
            completeness: Completeness::complete(),
            looked_at: vec![],
            sbom: None,
            knowledge: Self::knowledge(),
        })
    }
}

/// A sink that keeps what it is given.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<ReportObject>>);

impl Shelf {
    /// What it was given.
    pub fn reports(&self) -> Vec<ReportObject> {
        self.0.lock().map(|reports| reports.clone()).unwrap_or_default()
    }
}

#[async_trait]
impl ReportSink for Shelf {
    fn name(&self) -> String {
        "shelf".to_owned()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        let mut reports = self.0.lock().map_err(|error| SinkError::Permanent(error.to_string()))?;
        if !reports.contains(report) {
            reports.push(report.clone());
        }
        Ok(())
    }
}
