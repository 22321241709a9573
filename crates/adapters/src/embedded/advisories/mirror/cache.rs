//! What was fetched, and what proves to the mirror that it is known.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cve_monitor_core::vocabulary::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Fetched;

/// The place of one archive in the cache. The validators are written after the archive: a crash in between leaves
/// validators that do not fit it, and it is fetched again.
#[derive(Debug)]
pub(in crate::embedded::advisories) struct Cache {
    pub(in crate::embedded::advisories) archive: PathBuf,
    /// Written only under the archive's lock.
    pub(in crate::embedded::advisories) unfinished: PathBuf,
    /// Held by whoever fetches or reads this archive.
    pub(in crate::embedded::advisories) lock: PathBuf,
    validators: PathBuf,
    unfinished_validators: PathBuf,
}

/// What the mirror said about an archive that was wholly fetched (RFC 9110, 8.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::embedded::advisories) struct Validators {
    /// Where it came from.
    pub(in crate::embedded::advisories) address: String,
    /// Its length in bytes.
    pub(in crate::embedded::advisories) bytes: u64,
    pub(in crate::embedded::advisories) etag: Option<String>,
    pub(in crate::embedded::advisories) last_modified: Option<String>,
    /// The hash of the archive.
    pub(in crate::embedded::advisories) digest: Digest,
    /// When the mirror last said that this is what it has.
    pub(in crate::embedded::advisories) checked: Timestamp,
}

impl Cache {
    /// Each address has its own place: what one mirror says proves nothing to another.
    pub(in crate::embedded::advisories) fn of(folder: &Path, address: &Url) -> Self {
        let digest = Digest::of(address.as_str().as_bytes());
        let name = digest.short();
        Self {
            archive: folder.join(format!("{name}.zip")),
            unfinished: folder.join(format!("{name}.zip.unfinished")),
            lock: folder.join(format!("{name}.lock")),
            validators: folder.join(format!("{name}.json")),
            unfinished_validators: folder.join(format!("{name}.json.unfinished")),
        }
    }

    /// What is kept of this address; none where it is not, or not whole.
    pub(in crate::embedded::advisories) fn validators(&self, address: &Url) -> Option<Validators> {
        let known: Validators = serde_json::from_slice(&fs::read(&self.validators).ok()?).ok()?;
        let bytes = fs::metadata(&self.archive).ok()?.len();
        (known.address == address.as_str() && known.bytes == bytes).then_some(known)
    }

    /// Takes over what was fetched.
    pub(in crate::embedded::advisories) fn keep(
        &self,
        fetched: &File,
        validators: &Validators,
    ) -> io::Result<()> {
        fetched.sync_all()?;
        // Validators of the archive before must not speak for this one.
        match fs::remove_file(&self.validators) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::rename(&self.unfinished, &self.archive)?,
        }
        self.confirm(validators)
    }

    /// Writes what the mirror says about the archive that is there.
    pub(in crate::embedded::advisories) fn confirm(&self, validators: &Validators) -> io::Result<()> {
        let mut file = File::create(&self.unfinished_validators)?;
        file.write_all(&serde_json::to_vec(validators)?)?;
        file.sync_all()?;
        fs::rename(&self.unfinished_validators, &self.validators)
    }
}

impl Validators {
    pub(in crate::embedded::advisories) fn kept(&self, cache: &Cache) -> Fetched {
        Fetched {
            path: cache.archive.clone(),
            transferred: false,
            digest: self.digest.clone(),
            checked: self.checked,
        }
    }
}
