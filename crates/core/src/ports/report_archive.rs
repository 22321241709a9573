//! Report bodies by digest.

use async_trait::async_trait;

use crate::vocabulary::Digest;

/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// Keeps the bodies of reports: put before the event that names them; what "new" and "gone" are computed from,
/// and what the lake is rebuilt from.
///
/// # Laws
/// * **A1** `put` is idempotent.
/// * **A2** After `put`, `get` gives the same bytes.
/// * **A3** The bytes that `get` gives hash to the digest; else the answer is `Corrupt`.
/// * **A4** After `remove`, `get` gives none; removing what is not there is Ok.
///
/// # Errors
/// `Transient`: do the same again. `Corrupt`: the stored bytes are damaged; stop and tell a person.
///
/// # Cancellation
/// A dropped put has happened wholly or not at all.
///
/// # Bounds
/// Bodies of at most [`MAX_BODY_BYTES`].
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ReportArchive: std::fmt::Debug + Send + Sync {
    /// Keeps a body, and says what it hashes to.
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError>;

    /// A body; none where it is not kept.
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError>;

    /// Forgets a body.
    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError>;
}

/// Why the archive did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Try again.
    #[error("the report archive is not available: {0}")]
    Transient(String),
    /// Trying again will not help.
    #[error("the report archive refuses: {0}")]
    Permanent(String),
    /// The stored bytes do not hash to their digest.
    #[error("the archived body {0} is damaged")]
    Corrupt(Digest),
}
