//! Places outside: registries here, the scanner and where advisories come from below.

mod advisories;
mod aws;
mod clair;
mod credentials;
mod ecr;
mod kinds;
mod storage;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cve_monitor_adapters::oci::{ArchiveForm, DistributionSettings, RepositorySelection, repository_name};
use cve_monitor_core::vocabulary::{RegistryName, RepositoryName};
use url::Url;

use super::read::Reader;
use super::{Environment, Variables};

#[cfg(test)]
pub(super) use self::aws::MAX_REGION_CHARS;
#[cfg(test)]
pub(super) use self::clair::MAX_PATH_BYTES;
#[cfg(test)]
pub(super) use self::ecr::MAX_ROLE_ARN_CHARS;
#[cfg(test)]
pub(super) use self::storage::{MAX_KMS_KEY_CHARS, MAX_PREFIX_CHARS};
pub(super) use advisories::advisories;
pub use advisories::{Advisories, AdvisorySource};
pub use aws::Aws;
pub(super) use aws::{AWS_KEYS, aws};
pub(super) use clair::scanner;
pub use clair::{Clair, Embedded, ScannerSettings};
use credentials::credentials;
pub use ecr::{Ecr, EcrLayers};
pub use kinds::{QueueKind, RegistryKind, ReportsKind, ScannerKind, StoreKind};
pub use storage::{Bucket, Queue, Reports, Store, StoreAt};
pub(super) use storage::{queue, reports, store};

/// A registry, as the configuration describes it.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// By which name its images are known.
    pub name: RegistryName,
    /// Where it is.
    pub at: RegistryAt,
}

/// Where a registry is.
#[derive(Debug, Clone)]
pub enum RegistryAt {
    /// A server of the Distribution protocol.
    Distribution(Box<DistributionSettings>),
    /// A registry of ECR.
    Ecr(Box<Ecr>),
    /// Files on this machine.
    Files(Files),
}

/// Images in a folder or a file.
#[derive(Debug, Clone)]
pub struct Files {
    /// What they are.
    pub form: FilesForm,
    /// The folder or file.
    pub path: PathBuf,
    /// The repository of images that are named by a bare tag.
    pub repository: RepositoryName,
}

/// What files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesForm {
    /// An OCI layout in a folder.
    Layout,
    /// An archive.
    Archive(ArchiveForm),
}

/// The keys of registries besides name and kind, each with the kinds that have it.
const KEYS: [(&str, &[RegistryKind]); 18] = {
    use RegistryKind::{Distribution, DockerArchive, Ecr, OciArchive, OciLayout};
    const FILES: &[RegistryKind] = &[OciLayout, OciArchive, DockerArchive];
    [
        ("url", &[Distribution, Ecr]),
        ("insecure", &[Distribution, Ecr]),
        ("allow_private", &[Distribution, Ecr]),
        ("repositories", &[Distribution]),
        ("ca_file", &[Distribution, Ecr]),
        ("username", &[Distribution]),
        ("password_file", &[Distribution]),
        ("password_env", &[Distribution]),
        ("docker_config", &[Distribution]),
        ("path", FILES),
        ("repository", FILES),
        ("role_arn", &[Ecr]),
        ("external_id", &[Ecr]),
        ("endpoint", &[Ecr]),
        ("layers", &[Ecr]),
        ("lists_per_second", &[Ecr]),
        ("manifests_per_second", &[Ecr]),
        ("layers_per_second", &[Ecr]),
    ]
};

/// Reads `registry[at]`.
pub(super) fn registry(
    reader: &mut Reader<'_>,
    at: usize,
    variables: &Variables,
    environment: &Environment,
) -> Option<RegistrySettings> {
    let key = |name: &str| format!("registry[{at}].{name}");
    let given = reader.is_given(&key("kind"));
    let kind = reader.parsed(&key("kind"), RegistryKind::read);
    // Of one whose kind is not known nothing more can be said.
    let kind = if given { kind? } else { RegistryKind::Distribution };
    for (foreign, _) in KEYS.iter().filter(|(_, kinds)| !kinds.contains(&kind)) {
        if reader.is_given(&key(foreign)) {
            let problem = format!("a registry of kind {} has no such key: remove it", kind.as_str());
            reader.refuse(&key(foreign), &problem);
        }
    }
    let name = reader.required(&key("name"), "give the host by which its images are known");
    let name = name.and_then(|_| reader.parsed(&key("name"), named::<RegistryName>));
    let at = match kind {
        RegistryKind::Distribution => {
            let settings = distribution(reader, &key, name.clone(), variables, environment);
            settings.map(|settings| RegistryAt::Distribution(Box::new(settings)))
        }
        RegistryKind::Ecr => ecr::ecr(reader, &key, name.as_ref()).map(|ecr| RegistryAt::Ecr(Box::new(ecr))),
        RegistryKind::OciLayout => files(reader, &key, FilesForm::Layout),
        RegistryKind::OciArchive => files(reader, &key, FilesForm::Archive(ArchiveForm::Oci)),
        RegistryKind::DockerArchive => files(reader, &key, FilesForm::Archive(ArchiveForm::Docker)),
    };
    Some(RegistrySettings { name: name?, at: at? })
}

fn files(reader: &mut Reader<'_>, key: &dyn Fn(&str) -> String, form: FilesForm) -> Option<RegistryAt> {
    reader.required(&key("path"), "say where the folder or file is");
    let path = reader.path(&key("path"))?;
    let repository = match reader.parsed(&key("repository"), named::<RepositoryName>) {
        Some(repository) => repository,
        None => repository_name(&path).map_err(|e| reader.refuse(&key("path"), &e.to_string())).ok()?,
    };
    Some(RegistryAt::Files(Files { form, path, repository }))
}

fn named<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: T::Err| e.to_string())
}

fn distribution(
    reader: &mut Reader<'_>,
    key: &dyn Fn(&str) -> String,
    name: Option<RegistryName>,
    variables: &Variables,
    environment: &Environment,
) -> Option<DistributionSettings> {
    let insecure = reader.flag(&key("insecure"));
    let endpoint = secure(reader, &key("url"), insecure, endpoint);
    let repositories = reader.list(&key("repositories")).map_or_else(
        || Ok(RepositorySelection::catalogue()),
        |entries| {
            let none =
                "the list is empty: name repositories, or remove it for the whole catalogue".to_owned();
            if entries.is_empty() { Err(none) } else { RepositorySelection::of(entries) }
        },
    );
    let repositories = repositories.map_err(|problem| reader.refuse(&key("repositories"), &problem)).ok();
    let allow_private = reader.flag(&key("allow_private"));
    let ca_file = reader.path(&key("ca_file"));
    let credentials = credentials(reader, key, variables, environment);
    let mut settings = DistributionSettings::new(name?);
    settings.endpoint = endpoint;
    settings.insecure = insecure;
    settings.allow_private = allow_private;
    settings.ca_file = ca_file;
    settings.credentials = credentials;
    settings.proxy = environment.proxy.clone();
    settings.repositories = repositories?;
    Some(settings)
}

/// An address that is HTTPS, unless somebody says that it need not be.
fn secure(
    reader: &mut Reader<'_>,
    name: &str,
    insecure: bool,
    parse: impl Fn(&str) -> Result<Url, String>,
) -> Option<Url> {
    let url = reader.parsed(name, parse);
    if url.as_ref().is_some_and(|url| url.scheme() == "http") && !insecure {
        reader.refuse(name, "it is plain HTTP: write https, or set insecure = true");
    }
    url
}

/// The address of a server.
fn endpoint(text: &str) -> Result<Url, String> {
    let url = address(text)?;
    if url.path() != "/" {
        return Err("expected a scheme, a host and a port, as in https://HOST:5000".to_owned());
    }
    Ok(url)
}

/// An address, perhaps with a path. It may carry credentials by mistake, so it is never repeated.
fn address(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|e| format!("it is no address ({e}): expected https://HOST[:PORT]"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it carries credentials: use username and password_file".to_owned());
    }
    let plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
    if !["http", "https"].contains(&url.scheme()) || !plain {
        return Err("expected a scheme, a host and a port, as in https://HOST:5000".to_owned());
    }
    Ok(url)
}
