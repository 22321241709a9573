//! Registries out of their settings.

use std::path::Path;
use std::sync::Arc;

use cve_monitor_adapters::oci::{
    ArchiveForm, CredentialSource, DistributionRegistry, DistributionSettings, LocalRegistry,
};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::{RegistryName, RepositoryName};

use super::WiringError;
use crate::config::{Environment, RegistryAt, RegistrySettings};

/// A registry, and what of it is more than the port.
#[derive(Debug, Clone)]
pub(super) enum Opened {
    /// A server.
    Distribution(Arc<DistributionRegistry>),
    /// Files.
    Local(Arc<LocalRegistry>),
}

impl Opened {
    pub(super) fn registry(&self) -> Arc<dyn Registry> {
        match self {
            Self::Distribution(registry) => Arc::<DistributionRegistry>::clone(registry),
            Self::Local(registry) => Arc::<LocalRegistry>::clone(registry),
        }
    }
}

pub(super) async fn open(settings: &RegistrySettings) -> Result<Opened, WiringError> {
    let name = settings.name.clone();
    match &settings.at {
        RegistryAt::Distribution(settings) => distribution(settings.as_ref().clone()),
        RegistryAt::Layout { path, repository } => layout(name, repository.clone(), path).await,
        RegistryAt::OciArchive { path, repository } => {
            archive(name, repository.clone(), path, ArchiveForm::Oci).await
        }
        RegistryAt::DockerArchive { path, repository } => {
            archive(name, repository.clone(), path, ArchiveForm::Docker).await
        }
    }
}

/// A registry that nobody configured: over HTTPS, with what `docker login` keeps.
pub(super) fn unconfigured(
    name: RegistryName,
    insecure: bool,
    environment: &Environment,
) -> Result<Opened, WiringError> {
    let mut settings = DistributionSettings::new(name);
    settings.insecure = insecure;
    settings.proxy = environment.proxy.clone();
    if let Some(docker) = environment.docker.clone() {
        settings.credentials = CredentialSource::Docker(docker);
    }
    distribution(settings)
}

fn distribution(settings: DistributionSettings) -> Result<Opened, WiringError> {
    let registry = DistributionRegistry::new(settings).map_err(WiringError::of)?;
    Ok(Opened::Distribution(Arc::new(registry)))
}

pub(super) async fn layout(
    name: RegistryName,
    repository: RepositoryName,
    path: &Path,
) -> Result<Opened, WiringError> {
    let opened = LocalRegistry::open_layout(name, repository, path.to_owned()).await;
    Ok(Opened::Local(Arc::new(opened.map_err(WiringError::of)?)))
}

pub(super) async fn archive(
    name: RegistryName,
    repository: RepositoryName,
    path: &Path,
    form: ArchiveForm,
) -> Result<Opened, WiringError> {
    let opened = LocalRegistry::open_archive(name, repository, path.to_owned(), form).await;
    Ok(Opened::Local(Arc::new(opened.map_err(WiringError::of)?)))
}
