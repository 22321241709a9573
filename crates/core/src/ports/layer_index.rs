//! Which images have this key.

use async_trait::async_trait;

use crate::vocabulary::{ImageId, LayerKey, Page, PageToken};

/// Answers which images have a key that a change feed names. A projection of `LayersRecorded` events.
///
/// # Laws
/// * **L1** `record` is idempotent.
/// * **L2** What was recorded is read by the next `images`.
/// * **L3** Answers come in pages; memory does not depend on how many images have a key.
/// * **L4** `forget(image, keys)` removes exactly these; forgetting what is not there is Ok.
/// * **L5** Recording again what the events say rebuilds it.
///
/// # Errors
/// `Transient`: do the same again. `Permanent`: a setting is wrong.
///
/// # Cancellation
/// A dropped record or forget may have done any part; do it again.
///
/// # Bounds
/// Pages of at most `limit` images, in the order of their ids; at most 4096 keys an image.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LayerIndex: std::fmt::Debug + Send + Sync {
    /// Records that the image has these keys.
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError>;

    /// The images that have a key.
    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError>;

    /// Removes these keys of the image.
    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError>;
}

/// Why the index did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerIndexError {
    /// Try again.
    #[error("the layer index is not available: {0}")]
    Transient(String),
    /// Trying again will not help.
    #[error("the layer index refuses: {0}")]
    Permanent(String),
}
