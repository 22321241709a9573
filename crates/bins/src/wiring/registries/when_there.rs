//! A registry in a folder or a file that may come later: a disk that is not mounted must not keep the other registries
//! from being watched.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
};
use tokio::sync::OnceCell;

use super::super::registries;
use crate::config::RegistrySettings;

/// Opened by the first who asks once it is there; until then every question fails for now.
#[derive(Debug)]
pub(super) struct WhenThere {
    settings: RegistrySettings,
    opened: OnceCell<Arc<dyn Registry>>,
}

impl WhenThere {
    pub(super) fn new(settings: RegistrySettings) -> Self {
        Self { settings, opened: OnceCell::new() }
    }

    async fn registry(&self) -> Result<&Arc<dyn Registry>, RegistryError> {
        let open = async || registries::open(&self.settings).await.map(|opened| opened.registry());
        let opened = self.opened.get_or_try_init(open).await;
        opened.map_err(|error| RegistryError::Transient(error.to_string()))
    }
}

#[async_trait]
impl Registry for WhenThere {
    fn identity(&self) -> RegistryIdentity {
        // As a folder or a file names itself.
        let name = self.settings.name.clone();
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RegistryAt;

    #[tokio::test]
    async fn a_folder_that_is_not_there_fails_for_now_and_is_opened_once_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layout");
        let repository: RepositoryName = "app".parse().unwrap();
        let at = RegistryAt::Layout { path: path.clone(), repository: repository.clone() };
        let registry = WhenThere::new(RegistrySettings { name: "builds".parse().unwrap(), at });
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
