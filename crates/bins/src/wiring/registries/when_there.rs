//! A registry in a folder or a file that may come later: a disk that is not mounted must not keep the other registries
//! from being watched.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, Referrer, RegistryIdentity, RegistryName,
    RepositoryName, Tag,
};
use tokio::sync::OnceCell;

use super::super::WiringError;
use super::files;
use crate::config::Files;

/// Opened by the first who asks once it is there; until then every question fails for now.
#[derive(Debug)]
pub(super) struct WhenThere {
    name: RegistryName,
    files: Files,
    opened: OnceCell<Arc<dyn Registry>>,
}

impl WhenThere {
    pub(super) fn new(name: RegistryName, files: Files) -> Self {
        Self { name, files, opened: OnceCell::new() }
    }

    async fn registry(&self) -> Result<&Arc<dyn Registry>, RegistryError> {
        let open = async || Ok::<Arc<dyn Registry>, WiringError>(files(&self.name, &self.files).await?);
        let opened = self.opened.get_or_try_init(open).await;
        opened.map_err(|error| RegistryError::Transient(error.to_string()))
    }
}

#[async_trait]
impl Registry for WhenThere {
    fn identity(&self) -> RegistryIdentity {
        // As a folder or a file names itself.
        let name = self.name.clone();
        RegistryIdentity { registry_id: name.to_string(), name, region: None }
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.registry().await?.repositories(after, limit).await
    }

    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        self.registry().await?.images(repository, after, limit).await
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.registry().await?.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.registry().await?.manifest(image).await
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.registry().await?.blob(repository, blob).await
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.registry().await?.location(repository, blob).await
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.registry().await?.tags(image).await
    }

    async fn referrers(&self, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
        self.registry().await?.referrers(image).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FilesForm;

    #[tokio::test]
    async fn a_folder_that_is_not_there_fails_for_now_and_is_opened_once_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layout");
        let repository: RepositoryName = "app".parse().unwrap();
        let files = Files { form: FilesForm::Layout, path: path.clone(), repository };
        let registry = WhenThere::new("builds".parse().unwrap(), files);
        assert_eq!(registry.identity().name.as_str(), "builds");
        let error = registry.repositories(None, 10).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Transient(why) if why.contains("layout")), "{error}");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        std::fs::write(path.join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        let listed = registry.repositories(None, 10).await;
        assert!(listed.is_ok(), "{listed:?}");
    }
}
