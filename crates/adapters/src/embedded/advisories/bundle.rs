//! Advisories in one file, to be carried to where no mirror is: a tar archive of a manifest, the manifest's hash, and the
//! archives as the mirrors sent them.

mod pack;
mod unpack;

use std::io;
use std::path::Path;

use cve_monitor_core::vocabulary::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::MirrorError;

/// The version of the bundle's form.
const FORMAT: u32 = 1;
/// The first member.
const MANIFEST: &str = "manifest.json";
/// The second member: the manifest's hash, as `sha256:` and hexadecimal digits.
const MANIFEST_HASH: &str = "manifest.sha256";
/// The longest manifest that is read, in bytes: a few hundred for each archive.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// What a bundle holds of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundled {
    /// The ecosystem, by the name of its export.
    pub ecosystem: String,
    /// The mirror that it came from.
    pub mirror: String,
    /// How long the archive is, in bytes.
    pub bytes: u64,
    /// The archive's hash.
    pub digest: Digest,
    /// What the mirror knows this archive by.
    pub etag: Option<String>,
    /// When the mirror says that it was made.
    pub last_modified: Option<String>,
    /// When the mirror last said that this is what it has.
    pub checked: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    archives: Vec<Bundled>,
}

/// The member that holds an archive.
fn member(number: usize) -> String {
    format!("archives/{number:04}.zip")
}

/// Why there is no bundle, or why one is refused: nothing of a refused one is used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// There is nothing to put into it.
    #[error("no advisories of a mirror are kept here: fetch them with `advisories update ECOSYSTEM…` first")]
    Nothing,
    /// The file is damaged, cut short, or none.
    #[error("{path} is not a whole bundle of advisories: {problem}; copy it again, nothing of it was used")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A newer program made it.
    #[error("{path} is a bundle of form {found}, this program reads form {FORMAT}: use a newer program")]
    Newer {
        /// The file.
        path: String,
        /// Its form.
        found: u32,
    },
    /// A kept archive is no longer what was fetched.
    #[error(
        "the kept archive of {ecosystem} is damaged: fetch it again with `advisories update {ecosystem}`"
    )]
    Kept {
        /// The ecosystem.
        ecosystem: String,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The work stopped in the middle.
    #[error("the work on the bundle broke off: {0}")]
    BrokenOff(String),
}

impl BundleError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }

    fn damaged(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.display().to_string(), problem: problem.to_string() }
    }
}

/// Runs what blocks outside of the polling threads.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, BundleError> + Send + 'static,
) -> Result<T, BundleError> {
    let ran = tokio::task::spawn_blocking(run).await;
    ran.unwrap_or_else(|error| Err(BundleError::BrokenOff(error.to_string())))
}
