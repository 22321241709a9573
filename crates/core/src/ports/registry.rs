//! A registry: manifests, layers, tags, and what there is.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::vocabulary::{
    Descriptor, Digest, ImageId, Page, PageToken, RawManifest, Referrer, RegistryIdentity, RepositoryName,
    Tag, Timestamp,
};

/// The bytes of a blob as they arrive.
pub type BlobStream = BoxStream<'static, Result<Bytes, RegistryError>>;

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The tags that lead to it; none for an untagged one.
    pub tags: Vec<Tag>,
    /// When it was pushed, where the registry says.
    pub pushed: Option<Timestamp>,
}

/// Where another program can fetch a blob. Carries credentials: never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BlobLocation {
    /// The address.
    pub uri: String,
    /// Headers to send with it.
    pub headers: Vec<(String, String)>,
    /// When it stops working, where it does.
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for BlobLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobLocation").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// One registry.
///
/// # Laws
/// * **R1** The bytes of a manifest or a blob hash to its digest; else the answer is `Corrupt` (for a blob: the
///   stream ends with that error).
/// * **R2** Paging through repositories and images yields every digest reachable from a tag that was there
///   throughout; untagged ones where the registry lists them. No digest twice in one repository's listing
///   with different tags.
/// * **R3** Not found, denied and throttled are different errors.
/// * **R4** `tags` names exactly the tags that lead to the digest now; an adapter may be up to its stated age late.
///
/// # Errors
/// `NotFound`: the registry says that it is not there. `Denied`: credentials or rights are missing. `Throttled`:
/// wait as told. `Transient`: try again. `Corrupt`: what came is not what the digest promises. `Archived`: it is there, and
/// cannot be read before somebody restores it. `Unsupported`: the registry cannot do this at all (no catalogue, say).
///
/// # Cancellation
/// Nothing is left behind.
///
/// # Bounds
/// Manifests of at most [`crate::vocabulary::MAX_MANIFEST_BYTES`]; pages of at most `limit` entries; a blob is never
/// held whole.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Registry: std::fmt::Debug + Send + Sync {
    /// How this registry is named in reports.
    fn identity(&self) -> RegistryIdentity;

    /// The repositories, ordered by name.
    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError>;

    /// The manifests of a repository.
    async fn images(
        &self,
        repository: &RepositoryName,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ListedImage>, RegistryError>;

    /// The digest that a tag leads to now.
    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError>;

    /// A manifest by digest.
    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError>;

    /// The bytes of a blob, from its first.
    async fn blob(&self, repository: &RepositoryName, blob: &Descriptor)
    -> Result<BlobStream, RegistryError>;

    /// Where another program can fetch a blob.
    async fn location(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobLocation, RegistryError>;

    /// The tags that lead to an image now, sorted.
    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError>;

    /// The manifests whose subject is an image, as far as the registry keeps a list of them. No registry has to: one
    /// that does not says `Unsupported`, never that there are none.
    async fn referrers(&self, image: &ImageId) -> Result<Vec<Referrer>, RegistryError> {
        Err(RegistryError::Unsupported(format!("a list of what refers to {image}")))
    }
}

/// Why a registry gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It is not there.
    #[error("{0} is not in the registry")]
    NotFound(String),
    /// Credentials or rights are missing.
    #[error("the registry denies access: {0}")]
    Denied(String),
    /// Too many requests.
    #[error("the registry asks to slow down: {detail}")]
    Throttled {
        /// How long to wait, where it says.
        retry_after: Option<Duration>,
        /// What it said.
        detail: String,
    },
    /// Try again.
    #[error("the registry is not available: {0}")]
    Transient(String),
    /// What came is not what the digest promises.
    #[error("the registry served something else than was asked for: {0}")]
    Corrupt(String),
    /// It is kept and not served; no more "not found" than it is readable.
    #[error("{0} is archived: the registry keeps it and does not serve it")]
    Archived(String),
    /// It cannot do this at all.
    #[error("the registry does not offer this: {0}")]
    Unsupported(String),
}
