//! A registry whose addresses carry what must not be repeated: a signature that is another each time, and a token.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
};

#[derive(Debug)]
pub(crate) struct Locations {
    pub(crate) inner: MemoryRegistry,
    given: AtomicUsize,
}

impl Locations {
    pub(crate) fn new() -> Self {
        Self { inner: MemoryRegistry::new("r.example".parse().unwrap()), given: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Registry for Locations {
    fn identity(&self) -> RegistryIdentity {
        self.inner.identity()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.inner.repositories(after, limit).await
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        self.inner.images(repository, after, limit).await
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.inner.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.inner.manifest(image).await
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.inner.blob(repository, blob).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.inner.location(repository, blob).await?;
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(BlobLocation {
            uri: format!("https://store.example/{}?sig=s3cret{number}", blob.digest),
            headers: vec![("Authorization".to_owned(), format!("Bearer s3cret{number}"))],
            expires: None,
        })
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.inner.tags(image).await
    }
}
