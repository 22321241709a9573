//! A registry in memory that gives addresses as a real one does: each another one, and with a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
};

/// What its addresses begin with; the repository, the digest and `?token=` follow.
pub(crate) const HOST: &str = "http://registry.test/";

/// The same registry with addresses.
#[derive(Debug)]
pub(crate) struct Fetchable {
    registry: Arc<MemoryRegistry>,
    given: AtomicU64,
}

impl Fetchable {
    pub(crate) fn new(registry: Arc<MemoryRegistry>) -> Self {
        Self { registry, given: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Registry for Fetchable {
    fn identity(&self) -> RegistryIdentity {
        self.registry.identity()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.registry.repositories(after, limit).await
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        self.registry.images(repository, after, limit).await
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.registry.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.registry.manifest(image).await
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.registry.blob(repository, blob).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.registry.location(repository, blob).await?;
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let uri = format!("{HOST}{repository}/{}?token=t{number}", blob.digest);
        Ok(BlobLocation {
            uri,
            headers: vec![("Authorization".to_owned(), format!("Bearer t{number}"))],
            expires: None,
        })
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.registry.tags(image).await
    }
}
