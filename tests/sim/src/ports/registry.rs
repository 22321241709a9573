//! The registry.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
};

use super::PAGE;
use crate::wire::Wire;
use crate::world::World;

/// Manifests, blobs and tags; untagged manifests are listed, or are not, as registries differ.
#[derive(Debug)]
pub(crate) struct SimRegistry(pub(crate) Wire, pub(crate) Arc<World>);

#[async_trait]
impl Registry for SimRegistry {
    fn identity(&self) -> RegistryIdentity {
        self.1.registry.identity()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        let page = self.1.registry.repositories(after, limit.min(2));
        self.0.call("registry.repositories", String::new, page).await
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        let images = async {
            let mut page = self.1.registry.images(repository, after, limit.min(PAGE)).await?;
            if self.1.truth.lock().lists_tagged_only {
                page.items.retain(|listed| !listed.tags.is_empty());
            }
            Ok(page)
        };
        self.0.call("registry.images", || repository.to_string(), images).await
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.0
            .call(
                "registry.resolve",
                || format!("{repository}:{tag}"),
                self.1.registry.resolve(repository, tag),
            )
            .await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        let manifest = async {
            let answer = self.1.registry.manifest(image).await;
            if matches!(answer, Err(RegistryError::NotFound(_))) {
                self.1.truth.lock().tell_gone(self.0.role(), image);
            }
            answer
        };
        self.0.call("registry.manifest", || image.to_string(), manifest).await
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.0.call("registry.blob", || blob.digest.to_string(), self.1.registry.blob(repository, blob)).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.0
            .call("registry.location", || blob.digest.to_string(), self.1.registry.location(repository, blob))
            .await
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.0.call("registry.tags", || image.to_string(), self.1.registry.tags(image)).await
    }
}
