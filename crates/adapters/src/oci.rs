//! Registries that speak OCI: Distribution servers over HTTP, image layouts in folders, archives in files.
//!
//! * [`DistributionRegistry`]: any server of the Distribution protocol
//! * [`LocalRegistry`]: an OCI layout folder, an OCI archive, a docker archive
//! * [`DockerConfig`]: credentials as `docker login` keeps them
//! * [`notification`]: what a Distribution server posts when something is pushed
//! * [`image_config`]: platform and layers out of an image's configuration
//! * [`ImageSource`]: what a person types to name any of them
//!
//! Nothing here reads the environment: paths, proxies and search paths come in as settings.

pub mod bounds;
mod distribution;
mod docker_config;
mod file;
pub mod image_config;
mod local;
pub mod notification;

#[cfg(feature = "testkit")]
pub use distribution::testkit;

pub use distribution::{
    CredentialSource, Credentials, DistributionRegistry, DistributionSettings, InvalidSettings,
    ProxySettings, RepositorySelection, Secret, TAG_AGE,
};
pub use docker_config::{CredentialError, DockerConfig, HELPER_TIMEOUT};
pub use local::{
    ArchiveForm, ImageSource, LocalName, LocalRegistry, OpenError, SourceError, repository_name,
};
