//! A scanner: index an image once, assess it as often as you like.

use std::time::Duration;

use async_trait::async_trait;

use crate::vocabulary::{
    Assessment, Digest, Generation, ImageId, ImageManifest, Knowledge, LayerKey, ScannerIdentity,
};

/// The most keys that indexing an image may answer: they stand in one event.
pub const MAX_FURTHER_KEYS: usize = 4096;

/// What is to be indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRequest {
    /// The image.
    pub image: ImageId,
    /// Its manifest.
    pub manifest: ImageManifest,
    /// The indexes that are known to name it.
    pub parents: Vec<Digest>,
}

/// Whether the scanner's data is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet; with what is missing, for people.
    Loading(String),
    /// It is, but for some images, which wait; with what they wait for, for people.
    Partly(Knowledge, String),
    /// It is.
    Ready(Knowledge),
}

/// Looks into images.
///
/// # Laws
/// * **S1** Indexing twice is harmless.
/// * **S2** `assess` reads no layers.
/// * **S3** The same knowledge gives the same assessment (unversioned knowledge excepted).
/// * **S4** What it cannot read is told in the completeness; an assessment of it is never complete and empty.
/// * **S5** Data that is not loaded is `Loading`, not an empty assessment.
/// * **S6** Knowledge older than `at_least` is `Behind`.
/// * **S7** Assessing what was never indexed is `NotIndexed`.
///
/// # Errors
/// `Loading`, `Behind`, `Unreachable`: wait; no attempt is spent. `NotIndexed`: index, then assess. `Transient`: try again.
/// `Gone`: the registry says that the image or a layer of it is not there, or archived. `Denied`: credentials are
/// missing.
/// `Corrupt`: a layer is not what its digest promises; another transfer may be. `Permanent`: give up.
///
/// # Cancellation
/// A dropped index may have stored any number of whole layers; index again.
///
/// # Bounds
/// Memory does not depend on the size of a layer. At most [`MAX_FURTHER_KEYS`] keys an answer.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Scanner: std::fmt::Debug + Send + Sync {
    /// Its name and the version of what it extracts.
    fn identity(&self) -> ScannerIdentity;

    /// The keys under which the configured feed will name this image, as far as its manifest tells them. Pure.
    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey>;

    /// Whether its data is there, and which.
    async fn readiness(&self) -> Result<Readiness, ScannerError>;

    /// Reads what it has not read of the image's layers, and keeps what it needs to assess it. The answer: the keys
    /// under which the feed may name this image besides, known only now; at most [`MAX_FURTHER_KEYS`].
    async fn index(&self, request: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError>;

    /// What is known about an image that was indexed, from data at least this new.
    async fn assess(&self, image: &ImageId, at_least: Option<Generation>)
    -> Result<Assessment, ScannerError>;
}

/// Why a scanner gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScannerError {
    /// Its data is not loaded.
    #[error("the scanner is still loading its data: {0}")]
    Loading(String),
    /// Its data is older than asked for.
    #[error("the scanner's data is older than the change that asks for this assessment")]
    Behind,
    /// The image was never indexed.
    #[error("the scanner does not know this image")]
    NotIndexed,
    /// It cannot be reached at all: no image is to blame, and none is given up for it.
    #[error("the scanner cannot be reached: {0}")]
    Unreachable(String),
    /// Try again.
    #[error("the scanner is not available: {detail}")]
    Transient {
        /// How long to wait, where it says.
        retry_after: Option<Duration>,
        /// What happened.
        detail: String,
    },
    /// The registry says that the image or a layer of it is not there.
    #[error("the scanner found nothing in the registry: {0}")]
    Gone(String),
    /// The registry denies access.
    #[error("the scanner was denied access: {0}")]
    Denied(String),
    /// A layer is not what its digest promises.
    #[error("what the scanner was given is damaged: {0}")]
    Corrupt(String),
    /// Trying again will not help.
    #[error("the scanner refuses: {0}")]
    Permanent(String),
}
