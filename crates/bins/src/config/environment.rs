//! The environment: the only place of the programs that reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cve_monitor_adapters::oci::{DockerConfig, ProxySettings, Secret as ProxyAddress};

/// What the variables of this program begin with.
pub(super) const PREFIX: &str = "CVE_MONITOR_";
/// Names the configuration file.
pub(super) const FILE_VARIABLE: &str = "CVE_MONITOR_CONFIG";
/// Says what is logged, as `RUST_LOG` does; it wins over that one.
pub(super) const LOG_VARIABLE: &str = "CVE_MONITOR_LOG";
const COMMON_LOG_VARIABLE: &str = "RUST_LOG";

/// The variables of a process. Never printed: they hold secrets.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}

impl Variables {
    /// Those of this process that are text.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// These.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// One of them; an empty one counts as not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Those that set a key, whether there is such a key or not.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = self.0.iter().filter(|(name, _)| name.starts_with(PREFIX));
        ours.map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| ![FILE_VARIABLE, LOG_VARIABLE].contains(name))
    }

    /// What is logged, if a variable says so, with the variable's name.
    pub(super) fn log_level(&self) -> Option<(&'static str, &str)> {
        [LOG_VARIABLE, COMMON_LOG_VARIABLE].into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    /// `$XDG_CONFIG_HOME`, or `.config` at home.
    pub(super) fn config_home(&self) -> Option<PathBuf> {
        self.folder("XDG_CONFIG_HOME", ".config")
    }

    /// The folder of this program in `$XDG_CACHE_HOME`, or in `.cache` at home.
    pub(super) fn cache(&self) -> Option<PathBuf> {
        Some(self.folder("XDG_CACHE_HOME", ".cache")?.join("cve-monitor"))
    }

    /// `$XDG_DATA_HOME`, or `.local/share` at home.
    pub(super) fn data_home(&self) -> Option<PathBuf> {
        self.folder("XDG_DATA_HOME", ".local/share")
    }

    /// The base directories of the XDG specification; it says that relative ones are ignored.
    fn folder(&self, variable: &str, at_home: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| Some(Path::new(self.get("HOME")?).join(at_home)))
    }
}

/// What the adapters need of the environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Where `docker login` keeps its credentials; none without a home.
    pub docker: Option<DockerConfig>,
    /// Where this user's runs keep what can be had again; none without a home.
    pub cache: Option<PathBuf>,
    /// The way out.
    pub proxy: ProxySettings,
    /// Whether people asked for no colour at all (no-color.org).
    pub no_color: bool,
}

impl Environment {
    /// Out of the variables.
    #[must_use]
    pub fn of(variables: &Variables) -> Self {
        let either = |upper: &str, lower: &str| variables.get(lower).or_else(|| variables.get(upper));
        let secret = |text: &str| ProxyAddress::new(text.to_owned());
        let folder = variables.get("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(Path::new(variables.get("HOME")?).join(".docker")));
        let helpers = variables.0.iter().filter(|(name, _)| !name.starts_with(PREFIX));
        let helpers: Vec<_> = helpers.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self {
            docker: folder
                .map(|folder| DockerConfig { file: folder.join("config.json"), environment: helpers }),
            cache: variables.cache(),
            proxy: ProxySettings {
                // In upper case a CGI server would take it from a request's `Proxy:` header; we are none.
                http: either("HTTP_PROXY", "http_proxy").map(secret),
                https: either("HTTPS_PROXY", "https_proxy").map(secret),
                no_proxy: either("NO_PROXY", "no_proxy").map(str::to_owned),
            },
            no_color: variables.get("NO_COLOR").is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_keeps_its_credentials_where_it_says_or_at_home() {
        let file = |variables: &[(&str, &str)]| {
            Environment::of(&Variables::of(variables)).docker.map(|docker| docker.file)
        };
        assert_eq!(file(&[]), None);
        assert_eq!(file(&[("HOME", "/h")]), Some("/h/.docker/config.json".into()));
        assert_eq!(file(&[("HOME", "/h"), ("DOCKER_CONFIG", "/d")]), Some("/d/config.json".into()));
    }

    #[test]
    fn helpers_see_the_environment_without_our_settings_and_nobody_prints_it() {
        let variables =
            [("HOME", "/h"), ("AWS_SECRET_ACCESS_KEY", "s3cret"), ("CVE_MONITOR_LOG_LEVEL", "info")];
        let variables = Variables::of(&variables);
        let environment = Environment::of(&variables);
        let names: Vec<_> =
            environment.docker.iter().flat_map(|d| d.environment.iter().map(|(n, _)| n)).collect();
        assert_eq!(names, ["AWS_SECRET_ACCESS_KEY", "HOME"]);
        assert!(!format!("{environment:?} {variables:?}").contains("s3cret"));
    }

    #[test]
    fn proxies_are_read_in_either_case() {
        for names in [["https_proxy", "no_proxy"], ["HTTPS_PROXY", "NO_PROXY"]] {
            let proxy = Environment::of(&Variables::of(&[(names[0], "http://p"), (names[1], "a,b")])).proxy;
            assert_eq!(proxy.https, Some(ProxyAddress::new("http://p".to_owned())));
            assert_eq!(proxy.no_proxy.as_deref(), Some("a,b"));
        }
    }
}
