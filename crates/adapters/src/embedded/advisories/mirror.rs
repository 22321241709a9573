//! A mirror of OSV's exports over HTTP (osv.dev, "Data dumps"): `<base>/<Ecosystem>/all.zip`, kept in a folder and
//! fetched again only where the mirror has something newer.

mod cache;
mod error;
mod fetch;

use std::path::PathBuf;

use cve_monitor_core::vocabulary::{Digest, Timestamp};
use url::Url;

pub(super) use self::cache::{Cache, Validators};
pub use self::error::MirrorError;
pub use self::fetch::MAX_MIRROR_REDIRECTS;
use super::store::lock;
use crate::ProxySettings;
use crate::http::outbound::Outbound;

/// The largest archive of one ecosystem, in bytes: the largest of OSV's are a few hundred MB.
pub const MAX_EXPORT_BYTES: u64 = 4 << 30;

/// How mirrors are reached. Nothing is read from the environment.
#[derive(Debug, Clone)]
pub struct MirrorSettings {
    /// Where the archives are kept.
    pub cache: PathBuf,
    /// Plain HTTP is allowed. Nothing is read unencrypted unless asked for, also not from `localhost`.
    pub insecure: bool,
    /// Ask no mirror: what the cache holds is used.
    pub offline: bool,
    /// The largest archive, in bytes.
    pub max_export_bytes: u64,
    /// A file of PEM certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Follow redirects of a mirror to networks that are not public. The mirror itself may be in one always.
    pub allow_private: bool,
    /// Proxies.
    pub proxy: ProxySettings,
}

impl MirrorSettings {
    /// Encrypted, direct, with this cache.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            insecure: false,
            offline: false,
            max_export_bytes: MAX_EXPORT_BYTES,
            ca_file: None,
            allow_private: false,
            proxy: ProxySettings::default(),
        }
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The ecosystem.
    pub ecosystem: &'a str,
    /// Bytes so far.
    pub bytes: u64,
    /// Bytes in all, where the mirror says.
    pub total: Option<u64>,
}

/// An archive that is there to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The archive.
    pub path: PathBuf,
    /// Whether it was transferred now; else the cache still holds.
    pub transferred: bool,
    /// The hash of the archive.
    pub digest: Digest,
    /// When the mirror last said that this is what it has.
    pub checked: Timestamp,
}

/// Fetches archives, each at most once as long as the mirror says that it is unchanged.
#[derive(Debug, Clone)]
pub struct AdvisoryMirror {
    outbound: Outbound,
    settings: MirrorSettings,
}

impl AdvisoryMirror {
    /// # Errors
    /// Where the certificates or the proxies of the settings cannot be used.
    pub fn new(settings: MirrorSettings) -> Result<Self, MirrorError> {
        let MirrorSettings { proxy, ca_file, insecure, allow_private, .. } = &settings;
        let outbound = Outbound::new(proxy, ca_file.as_deref(), *insecure, *allow_private);
        Ok(Self { outbound: outbound.map_err(MirrorError::Settings)?, settings })
    }

    /// The archive of an ecosystem. One process at a time fetches an archive; a transfer that breaks off leaves what was
    /// there before.
    ///
    /// # Errors
    /// Where the mirror does not answer, what it sends is no whole archive or too large, or offline, where the cache
    /// is empty. Nothing is tried twice: the next refresh does.
    pub async fn fetch(
        &self,
        base: &Url,
        ecosystem: &str,
        progress: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) -> Result<Fetched, MirrorError> {
        let (address, cache) = self.place(base, ecosystem)?;
        if address.scheme() != "https" && !self.settings.insecure {
            return Err(MirrorError::Unencrypted { address: address.to_string() });
        }
        let _lock = self.lock(&cache).await?;
        if self.settings.offline {
            let cache_folder = self.settings.cache.clone();
            let missing = MirrorError::Offline { ecosystem: ecosystem.to_owned(), cache: cache_folder };
            let cached = cache.validators(&address).ok_or(missing)?;
            return Ok(cached.kept(&cache));
        }
        fetch::fetch(&self.outbound, &self.settings, &cache, &address, ecosystem, progress).await
    }

    /// What is kept of an ecosystem, without asking the mirror; none where nothing whole is.
    ///
    /// # Errors
    /// Where the cache cannot be used.
    pub async fn kept(&self, base: &Url, ecosystem: &str) -> Result<Option<Fetched>, MirrorError> {
        let (address, cache) = self.place(base, ecosystem)?;
        let _lock = self.lock(&cache).await?;
        Ok(cache.validators(&address).map(|known| known.kept(&cache)))
    }

    pub(super) fn settings(&self) -> &MirrorSettings {
        &self.settings
    }

    pub(super) fn place(&self, base: &Url, ecosystem: &str) -> Result<(Url, Cache), MirrorError> {
        let address = address(base, ecosystem)?;
        let cache = Cache::of(&self.settings.cache, &address);
        Ok((address, cache))
    }

    pub(super) async fn lock(&self, cache: &Cache) -> Result<std::fs::File, MirrorError> {
        let folder = &self.settings.cache;
        std::fs::create_dir_all(folder).map_err(|error| MirrorError::io(folder, error))?;
        lock::acquire(&cache.lock).await.map_err(|error| MirrorError::io(&cache.lock, error))
    }
}

/// `<base>/<Ecosystem>/all.zip`, the name of the ecosystem encoded as one part of a path.
fn address(base: &Url, ecosystem: &str) -> Result<Url, MirrorError> {
    let mut address = base.clone();
    let is_name = !ecosystem.is_empty() && !ecosystem.starts_with('.');
    match address.path_segments_mut() {
        Ok(mut parts) if is_name => parts.pop_if_empty().push(ecosystem).push("all.zip"),
        _ => return Err(MirrorError::Address { base: base.to_string(), ecosystem: ecosystem.to_owned() }),
    };
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn the_name_of_an_ecosystem_is_one_part_of_the_path() {
        for (base, ecosystem, expected) in [
            ("https://m.example", "Debian", "https://m.example/Debian/all.zip"),
            ("https://m.example/osv/", "Debian:12", "https://m.example/osv/Debian:12/all.zip"),
            ("https://m.example/osv", "Red Hat/x?", "https://m.example/osv/Red%20Hat%2Fx%3F/all.zip"),
        ] {
            let address = address(&base.parse().unwrap(), ecosystem).unwrap();
            assert_eq!(address.as_str(), expected);
        }
        for bad in ["", ".", ".."] {
            assert!(address(&"https://m.example".parse().unwrap(), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_not_printed() {
        let mut settings = MirrorSettings::new("/cache");
        settings.proxy.https = Some(Secret::new("http://u:s3cret@proxy.example".to_owned()));
        assert!(!format!("{settings:?}").contains("s3cret"));
        settings.proxy.https = Some(Secret::new("http://u:s3cret@[".to_owned()));
        let refused = AdvisoryMirror::new(settings).unwrap_err().to_string();
        assert!(refused.contains("its proxy is no address") && !refused.contains("s3cret"), "{refused}");
    }
}
