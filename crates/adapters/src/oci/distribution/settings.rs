//! What the caller says about a registry: its name, its address, its credentials, the way to it.

use std::path::PathBuf;

use cve_monitor_core::vocabulary::RegistryName;
use url::Url;

use super::super::docker_config::DockerConfig;
use super::selection::RepositorySelection;
pub use crate::ProxySettings;
pub use crate::Secret;

/// The name by which everyone knows Docker Hub, and the host that serves its images.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password (or an access token that stands for one).
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, which buys access tokens.
    IdentityToken(Secret),
}

impl Credentials {
    /// A user and a password.
    #[must_use]
    pub fn basic(username: &str, password: &str) -> Self {
        Self::Basic { username: username.to_owned(), password: Secret::new(password.to_owned()) }
    }
}

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// There are none: public images only.
    Anonymous,
    /// These.
    Fixed(Credentials),
    /// Those that `docker login` keeps, asked for when needed and again when they are refused.
    Docker(DockerConfig),
}

/// A registry, as the caller describes it.
#[derive(Debug, Clone)]
pub struct DistributionSettings {
    /// Its host and port; the name under which its images are known.
    pub name: RegistryName,
    /// Where it is reached if not at its name: scheme, host and port, without a path.
    pub endpoint: Option<Url>,
    /// Plain HTTP instead of HTTPS. Also for `localhost`: nothing is sent unencrypted unless asked for.
    pub insecure: bool,
    /// Follow the registry to stores and token services in networks that are not public. The registry itself may be in one
    /// always.
    pub allow_private: bool,
    /// A file of PEM certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Credentials.
    pub credentials: CredentialSource,
    /// Proxies.
    pub proxy: ProxySettings,
    /// Which repositories are listed.
    pub repositories: RepositorySelection,
    /// How many requests are under way at once, at most.
    pub max_in_flight: usize,
}

/// How many requests are under way at once, if nobody says.
const DEFAULT_IN_FLIGHT: usize = 16;

impl DistributionSettings {
    /// A registry at its name over HTTPS, anonymous, with every repository of its catalogue.
    #[must_use]
    pub fn new(name: RegistryName) -> Self {
        Self {
            name,
            endpoint: None,
            insecure: false,
            allow_private: false,
            ca_file: None,
            credentials: CredentialSource::Anonymous,
            proxy: ProxySettings::default(),
            repositories: RepositorySelection::catalogue(),
            max_in_flight: DEFAULT_IN_FLIGHT,
        }
    }

    /// The address that paths are added to.
    pub(super) fn base(&self) -> Result<Url, InvalidSettings> {
        let fail = |reason: String| InvalidSettings { registry: self.name.to_string(), reason };
        let base = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                let host =
                    if self.name.as_str() == DOCKER_HUB { DOCKER_HUB_HOST } else { self.name.as_str() };
                let scheme = if self.insecure { "http" } else { "https" };
                Url::parse(&format!("{scheme}://{host}"))
                    .map_err(|e| fail(format!("its name is no address ({e}): set its endpoint")))?
            }
        };
        match base.scheme() {
            "https" => {}
            "http" if self.insecure => {}
            "http" => {
                return Err(fail("its endpoint is plain HTTP: write https, or set `insecure`".to_owned()));
            }
            other => return Err(fail(format!("`{other}:` is not spoken: its endpoint is http: or https:"))),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(fail("its endpoint carries credentials: give them as credentials".to_owned()));
        }
        if base.path() != "/" || base.query().is_some() || base.host().is_none() {
            return Err(fail("its endpoint is more than a scheme, a host and a port".to_owned()));
        }
        Ok(base)
    }
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings of registry {registry} cannot be used: {reason}")]
pub struct InvalidSettings {
    pub(super) registry: String,
    pub(super) reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str, endpoint: Option<&str>, insecure: bool) -> Result<String, String> {
        let mut settings = DistributionSettings::new(name.parse().unwrap());
        settings.endpoint = endpoint.map(|text| text.parse().unwrap());
        settings.insecure = insecure;
        settings.base().map(String::from).map_err(|e| e.to_string())
    }

    #[test]
    fn the_address_follows_from_the_name() {
        assert_eq!(base("docker.io", None, false).as_deref(), Ok("https://registry-1.docker.io/"));
        assert_eq!(base("localhost:5000", None, false).as_deref(), Ok("https://localhost:5000/"));
        assert_eq!(base("localhost:5000", None, true).as_deref(), Ok("http://localhost:5000/"));
        assert_eq!(base("name", Some("https://h.example"), false).as_deref(), Ok("https://h.example/"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (endpoint, expected) in [
            ("http://h.example", "set `insecure`"),
            ("ftp://h.example", "`ftp:` is not spoken"),
            ("https://u:p@h.example", "carries credentials"),
            ("https://h.example/prefix", "more than a scheme"),
        ] {
            let error = base("name", Some(endpoint), false).unwrap_err();
            assert!(error.contains(expected) && !error.contains("u:p"), "{error}");
        }
        assert!(base("a:b:c", None, false).unwrap_err().contains("set its endpoint"));
    }

    #[test]
    fn secrets_are_never_printed() {
        let mut settings = DistributionSettings::new("h.example".parse().unwrap());
        settings.credentials = CredentialSource::Fixed(Credentials::basic("u", "s3cret"));
        settings.proxy.https = Some(Secret::new("http://u:s3cret@proxy.example".to_owned()));
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
