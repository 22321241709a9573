//! Why there is no archive from a mirror.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no archive from a mirror. What the cache holds stays as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The settings cannot be used.
    #[error("the mirror of advisories: {0}")]
    Settings(String),
    /// No address can be made.
    #[error("the mirror of advisories: {base} has no place for the ecosystem `{ecosystem}`")]
    Address {
        /// The mirror.
        base: String,
        /// The ecosystem.
        ecosystem: String,
    },
    /// Plain HTTP was not asked for.
    #[error("{address} is not encrypted: use https, or allow plain HTTP to this mirror")]
    Unencrypted {
        /// What was to be fetched.
        address: String,
    },
    /// Offline, and nothing is kept.
    #[error(
        "offline, and {} holds no advisories for {ecosystem} from this mirror: fetch them once online (`advisories \
         update {ecosystem}`), or import them (`advisories import FILE`)",
        cache.display()
    )]
    Offline {
        /// The ecosystem.
        ecosystem: String,
        /// The folder.
        cache: PathBuf,
    },
    /// The mirror has no such archive.
    #[error(
        "{address} is not there: check the address and the name of the ecosystem (names are case-sensitive)"
    )]
    NotFound {
        /// What was asked for.
        address: String,
    },
    /// The mirror did not answer, or refused.
    #[error("{address}: {problem}")]
    Refused {
        /// What was asked for.
        address: String,
        /// What happened.
        problem: String,
    },
    /// The transfer broke off.
    #[error("{address} broke off after {bytes} bytes: {problem}; the archive from before stays in use")]
    BrokeOff {
        /// What was asked for.
        address: String,
        /// How much came.
        bytes: u64,
        /// What happened.
        problem: String,
    },
    /// Larger than the bound.
    #[error("{address} is larger than {max_bytes} bytes")]
    TooLarge {
        /// What was asked for.
        address: String,
        /// The bound.
        max_bytes: u64,
    },
    /// What came is no archive.
    #[error("what {address} sent is not a zip archive with anything in it: {problem}")]
    NoArchive {
        /// What was asked for.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// The cache cannot be used.
    #[error("the cache of advisories: {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl MirrorError {
    /// Whether what was kept of an earlier transfer may stand in: what came, or did not, says nothing about what the
    /// settings allow.
    #[must_use]
    pub(in crate::embedded::advisories) fn is_of_the_moment(&self) -> bool {
        !matches!(self, Self::Settings(_) | Self::Address { .. } | Self::Unencrypted { .. } | Self::Io { .. })
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }
}
