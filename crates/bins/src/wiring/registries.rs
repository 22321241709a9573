//! Registries out of their settings.

mod when_there;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cve_monitor_adapters::oci::{
    ArchiveForm, CredentialSource, DistributionRegistry, DistributionSettings, LocalRegistry,
};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::{RegistryName, RepositoryName};

use super::WiringError;
use crate::config::{Environment, RegistryAt, RegistrySettings};
use when_there::WhenThere;

/// The configured registries.
pub(super) struct Watched {
    pub(super) registries: Registries,
    /// Those that announce pushes over HTTP.
    pub(super) announcing: BTreeMap<RegistryName, Arc<DistributionRegistry>>,
}

/// Nothing is sent to any of them. A folder or file that is not there keeps no other registry from being watched.
pub(super) fn watched(settings: &[RegistrySettings]) -> Result<Watched, WiringError> {
    let mut registries: Vec<Arc<dyn Registry>> = vec![];
    let mut announcing = BTreeMap::new();
    for settings in settings {
        match &settings.at {
            RegistryAt::Distribution(at) => {
                let registry = distribution_registry(at.as_ref().clone())?;
                announcing.insert(settings.name.clone(), Arc::clone(&registry));
                registries.push(registry);
            }
            RegistryAt::Layout { .. } | RegistryAt::OciArchive { .. } | RegistryAt::DockerArchive { .. } => {
                registries.push(Arc::new(WhenThere::new(settings.clone())));
            }
        }
    }
    Ok(Watched { registries: Registries::new(registries), announcing })
}

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
    Ok(Opened::Distribution(distribution_registry(settings)?))
}

fn distribution_registry(settings: DistributionSettings) -> Result<Arc<DistributionRegistry>, WiringError> {
    Ok(Arc::new(DistributionRegistry::new(settings).map_err(WiringError::of)?))
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
