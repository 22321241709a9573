//! Places outside: registries here, the scanner and where advisories come from below.

mod advisories;
mod clair;
mod credentials;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cve_monitor_adapters::oci::{DistributionSettings, RepositorySelection, repository_name};
use cve_monitor_core::vocabulary::{RegistryName, RepositoryName};
use url::Url;

use super::read::Reader;
use super::{Environment, Variables};

pub(super) use advisories::advisories;
pub use advisories::{Advisories, AdvisorySource};
pub(super) use clair::scanner;
pub use clair::{Clair, ScannerSettings};
use credentials::credentials;

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
    /// An OCI layout in a folder.
    Layout {
        /// The folder.
        path: PathBuf,
        /// The repository of images that are named by a bare tag.
        repository: RepositoryName,
    },
    /// An OCI archive.
    OciArchive {
        /// The file.
        path: PathBuf,
        /// The repository of images that are named by a bare tag.
        repository: RepositoryName,
    },
    /// An archive as `docker save` writes it.
    DockerArchive {
        /// The file.
        path: PathBuf,
        /// The repository of images that are named by a bare tag.
        repository: RepositoryName,
    },
}

/// The keys that each kind of registry has besides its name and kind.
const DISTRIBUTION_KEYS: [&str; 8] = [
    "url",
    "repositories",
    "insecure",
    "ca_file",
    "username",
    "password_file",
    "password_env",
    "docker_config",
];
const LOCAL_KEYS: [&str; 2] = ["path", "repository"];
const KINDS: &str = "expected \"distribution\", \"oci-layout\", \"oci-archive\" or \"docker-archive\"";

/// Reads `registry[at]`.
pub(super) fn registry(
    reader: &mut Reader<'_>,
    at: usize,
    variables: &Variables,
    environment: &Environment,
) -> Option<RegistrySettings> {
    let key = |name: &str| format!("registry[{at}].{name}");
    let kind = reader.text(&key("kind")).unwrap_or("distribution");
    let local = ["oci-layout", "oci-archive", "docker-archive"].contains(&kind);
    if !local && kind != "distribution" {
        reader.refuse(&key("kind"), &format!("`{kind}` is no kind of registry: {KINDS}"));
    }
    for foreign in if local { &DISTRIBUTION_KEYS[..] } else { &LOCAL_KEYS[..] } {
        if reader.is_given(&key(foreign)) {
            reader.refuse(&key(foreign), &format!("a registry of kind {kind} has no such key: remove it"));
        }
    }
    let name = reader.required(&key("name"), "give the host by which its images are known");
    let name = name.and_then(|_| reader.parsed(&key("name"), named::<RegistryName>));
    if !local {
        let settings = distribution(reader, &key, name.clone(), variables, environment)?;
        return Some(RegistrySettings { name: name?, at: RegistryAt::Distribution(Box::new(settings)) });
    }
    reader.required(&key("path"), "say where the folder or file is");
    let path = reader.path(&key("path"))?;
    let repository = match reader.parsed(&key("repository"), named::<RepositoryName>) {
        Some(repository) => repository,
        None => repository_name(&path).map_err(|e| reader.refuse(&key("path"), &e.to_string())).ok()?,
    };
    let at = match kind {
        "oci-layout" => RegistryAt::Layout { path, repository },
        "oci-archive" => RegistryAt::OciArchive { path, repository },
        _ => RegistryAt::DockerArchive { path, repository },
    };
    Some(RegistrySettings { name: name?, at })
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
    let endpoint = reader.parsed(&key("url"), endpoint);
    let insecure = reader.flag(&key("insecure"));
    if endpoint.as_ref().is_some_and(|url| url.scheme() == "http") && !insecure {
        reader.refuse(&key("url"), "it is plain HTTP: write https, or set insecure = true");
    }
    let repositories = reader.list(&key("repositories")).map_or_else(
        || Ok(RepositorySelection::catalogue()),
        |entries| {
            let none =
                "the list is empty: name repositories, or remove it for the whole catalogue".to_owned();
            if entries.is_empty() { Err(none) } else { RepositorySelection::of(entries) }
        },
    );
    let repositories = repositories.map_err(|problem| reader.refuse(&key("repositories"), &problem)).ok();
    let ca_file = reader.path(&key("ca_file"));
    let credentials = credentials(reader, key, variables, environment);
    let mut settings = DistributionSettings::new(name?);
    settings.endpoint = endpoint;
    settings.insecure = insecure;
    settings.ca_file = ca_file;
    settings.credentials = credentials;
    settings.proxy = environment.proxy.clone();
    settings.repositories = repositories?;
    Some(settings)
}

/// The address of a registry. It may carry credentials by mistake, so it is never repeated.
fn endpoint(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|e| format!("it is no address ({e}): expected https://HOST[:PORT]"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it carries credentials: use username and password_file".to_owned());
    }
    let whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.has_host();
    if !["http", "https"].contains(&url.scheme()) || !whole {
        return Err("expected a scheme, a host and a port, as in https://HOST:5000".to_owned());
    }
    Ok(url)
}
