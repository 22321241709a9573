//! Registries with a fault.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobLocation, BlobStream, ListedImage, Registry, RegistryError};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, RegistryIdentity, RepositoryName, Tag,
};
use futures::{StreamExt as _, future};

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ServesDamage,
    DropsTheEndOfAPage,
    CallsAbsenceTransient,
    ForgetsTags,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn Registry>,
    fault: Fault,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::registry::RegistryHarness>); 4] = [
        ("serves_damage", "R1", || Box::pin(async { Ok(with(Fault::ServesDamage) as _) })),
        ("drops_the_end_of_a_page", "R2", || Box::pin(async { Ok(with(Fault::DropsTheEndOfAPage) as _) })),
        ("calls_absence_transient", "R3", || Box::pin(async { Ok(with(Fault::CallsAbsenceTransient) as _) })),
        ("forgets_tags", "R4", || Box::pin(async { Ok(with(Fault::ForgetsTags) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("registry", fault, law, laws::registry::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.registry = Arc::new(Broken { inner: memory.registry, fault });
    memory
}

#[async_trait]
impl Registry for Broken {
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
        let mut page = self.inner.images(repository, after, limit).await?;
        if self.fault == Fault::DropsTheEndOfAPage {
            page.items.pop();
        }
        Ok(page)
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.inner.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        match (self.fault, self.inner.manifest(image).await) {
            (Fault::CallsAbsenceTransient, Err(RegistryError::NotFound(what))) => {
                Err(RegistryError::Transient(what))
            }
            (_, answer) => answer,
        }
    }

    async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        let stream = self.inner.blob(repository, blob).await?;
        if self.fault == Fault::ServesDamage {
            return Ok(stream.filter(|chunk| future::ready(chunk.is_ok())).boxed());
        }
        Ok(stream)
    }

    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError> {
        self.inner.location(repository, blob).await
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        if self.fault == Fault::ForgetsTags { Ok(vec![]) } else { self.inner.tags(image).await }
    }
}
