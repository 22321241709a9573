//! Registries out of their settings.

mod ecr;
mod when_there;

use std::collections::BTreeMap;
use std::sync::Arc;

use cve_monitor_adapters::oci::{
    CredentialSource, DistributionRegistry, DistributionSettings, LocalRegistry,
};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::RegistryName;

use super::WiringError;
use super::aws::Aws;
use crate::config::{Environment, Files, FilesForm, Loaded, RegistryAt, RegistrySettings};
use when_there::WhenThere;

/// The configured registries.
pub(super) struct Watched {
    pub(super) registries: Registries,
    /// Those that announce pushes over HTTP.
    pub(super) announcing: BTreeMap<RegistryName, Arc<DistributionRegistry>>,
}

/// Nothing is sent to any of them. A folder or file that is not there keeps no other registry from being watched.
pub(super) async fn watched(loaded: &Loaded, aws: &Aws) -> Result<Watched, WiringError> {
    let mut registries: Vec<Arc<dyn Registry>> = vec![];
    let mut announcing = BTreeMap::new();
    for RegistrySettings { name, at } in &loaded.config.registries {
        match at {
            RegistryAt::Distribution(settings) => {
                let registry = distribution(settings.as_ref().clone())?;
                announcing.insert(name.clone(), Arc::clone(&registry));
                registries.push(registry);
            }
            RegistryAt::Ecr(settings) => {
                registries.push(ecr::registry(name, settings, aws, &loaded.environment).await?);
            }
            RegistryAt::Files(files) => {
                registries.push(Arc::new(WhenThere::new(name.clone(), files.clone())));
            }
        }
    }
    Ok(Watched { registries: Registries::new(registries), announcing })
}

/// A registry, and what of it is more than the port.
#[derive(Debug, Clone)]
pub(super) enum Opened {
    /// A server.
    Server(Arc<dyn Registry>),
    /// Files.
    Local(Arc<LocalRegistry>),
}

impl Opened {
    pub(super) fn registry(&self) -> Arc<dyn Registry> {
        match self {
            Self::Server(registry) => Arc::clone(registry),
            Self::Local(registry) => Arc::<LocalRegistry>::clone(registry),
        }
    }
}

pub(super) async fn open(
    settings: &RegistrySettings,
    aws: &Aws,
    environment: &Environment,
) -> Result<Opened, WiringError> {
    match &settings.at {
        RegistryAt::Distribution(at) => Ok(Opened::Server(distribution(at.as_ref().clone())?)),
        RegistryAt::Ecr(at) => Ok(Opened::Server(ecr::registry(&settings.name, at, aws, environment).await?)),
        RegistryAt::Files(at) => Ok(Opened::Local(files(&settings.name, at).await?)),
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
    Ok(Opened::Server(distribution(settings)?))
}

fn distribution(settings: DistributionSettings) -> Result<Arc<DistributionRegistry>, WiringError> {
    Ok(Arc::new(DistributionRegistry::new(settings).map_err(WiringError::of)?))
}

pub(super) async fn files(name: &RegistryName, at: &Files) -> Result<Arc<LocalRegistry>, WiringError> {
    let (name, repository, path) = (name.clone(), at.repository.clone(), at.path.clone());
    let opened = match at.form {
        FilesForm::Layout => LocalRegistry::open_layout(name, repository, path).await,
        FilesForm::Archive(form) => LocalRegistry::open_archive(name, repository, path, form).await,
    };
    Ok(Arc::new(opened.map_err(WiringError::of)?))
}
