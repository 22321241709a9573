//! Credentials as `docker login` keeps them: `config.json` and the helper programs that it names.
//!
//! The order is docker's own: `credHelpers` for the host, else `credsStore`, else `auths`. What a helper does not
//! know is looked for in `auths`. The file is read anew each time, so a later `docker login` counts at once.

mod helper;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use serde::Deserialize;

use super::distribution::{Credentials, Secret};
use super::file::read_small;

pub use helper::HELPER_TIMEOUT;

/// The longest `config.json` that is read, in bytes.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// The key under which docker keeps the credentials of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const DOCKER_HUB: &str = "docker.io";
/// The user name by which a helper says that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// Where docker's credentials are. The caller names both; nothing here looks at the environment.
#[derive(Clone)]
pub struct DockerConfig {
    /// `config.json`; a file that is not there means no credentials.
    pub file: PathBuf,
    /// The environment of the helper programs, which see nothing else; its `PATH` is where they are looked for.
    pub environment: Vec<(String, String)>,
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment of a helper often holds keys.
        f.debug_struct("DockerConfig").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Why there are no credentials to be had. Never repeats a secret, nor what a helper printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be used.
    #[error("docker's configuration {file} cannot be used: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A helper failed.
    #[error(
        "the credential helper `{program}` {reason}; run `echo {host} | {program} get` by hand to see what it says"
    )]
    Helper {
        /// The program.
        program: String,
        /// The registry that was asked for.
        host: String,
        /// How it failed.
        reason: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl DockerConfig {
    /// The credentials for a registry by its name (`docker.io` for Docker Hub); none where there are none.
    ///
    /// # Errors
    /// Where the file cannot be read or parsed, or a helper fails.
    pub async fn credentials(&self, host: &str) -> Result<Option<Credentials>, CredentialError> {
        let Some(file) = self.read().await? else { return Ok(None) };
        let keys = keys(host);
        let helper = keys.iter().find_map(|key| file.cred_helpers.get(*key)).or(file.creds_store.as_ref());
        if let Some(name) = helper.filter(|name| !name.is_empty()) {
            let key = keys.first().copied().unwrap_or(host);
            if let Some(found) = helper::get(name, key, &self.environment).await? {
                return Ok(Some(found));
            }
        }
        let entry = file.auths.iter().find(|(key, _)| matches(key, &keys)).map(|(_, entry)| entry);
        entry.map_or(Ok(None), |entry| {
            entry.credentials().map_err(|reason| self.unreadable(format!("the entry for {host} {reason}")))
        })
    }

    async fn read(&self) -> Result<Option<File>, CredentialError> {
        let bytes = match read_small(&self.file, MAX_CONFIG_BYTES).await {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.unreadable(e.to_string())),
            Ok(None) => return Err(self.unreadable(format!("it is longer than {MAX_CONFIG_BYTES} bytes"))),
            Ok(Some(bytes)) => bytes,
        };
        // serde's message may quote the text that it stumbled over, which may be a secret: only the place is told.
        serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            self.unreadable(format!("it is not docker's JSON at line {}, column {}", e.line(), e.column()))
        })
    }

    fn unreadable(&self, reason: String) -> CredentialError {
        CredentialError::Unreadable { file: self.file.display().to_string(), reason }
    }
}

impl Entry {
    fn credentials(&self) -> Result<Option<Credentials>, &'static str> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::IdentityToken(Secret::new(token.clone()))));
        }
        if let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(auth.trim())
                .map_err(|_| "has an `auth` that is not base64")?;
            let text = String::from_utf8(bytes).map_err(|_| "has an `auth` that is not text")?;
            let (user, password) = text.split_once(':').ok_or("has an `auth` without a colon")?;
            return Ok(Some(Credentials::basic(user, password.trim_end_matches('\0'))));
        }
        match (&self.username, &self.password) {
            (Some(user), Some(password)) => Ok(Some(Credentials::basic(user, password))),
            _ => Ok(None),
        }
    }
}

/// The keys under which a host may be listed, the one that helpers are asked for first.
fn keys(host: &str) -> Vec<&str> {
    if host == DOCKER_HUB {
        vec![DOCKER_HUB_KEY, "index.docker.io", DOCKER_HUB, "registry-1.docker.io"]
    } else {
        vec![host]
    }
}

/// Old versions of docker wrote whole addresses; only their host counts.
fn matches(key: &str, keys: &[&str]) -> bool {
    let host = |text: &str| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        rest.split('/').next().unwrap_or_default().to_ascii_lowercase()
    };
    keys.iter().any(|wanted| host(wanted) == host(key))
}

/// What a helper answers, as credentials.
fn from_helper(user: &str, secret: String) -> Credentials {
    if user == TOKEN_USER {
        Credentials::IdentityToken(Secret::new(secret))
    } else {
        Credentials::basic(user, &secret)
    }
}

#[cfg(test)]
mod tests;
