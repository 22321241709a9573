//! Which images have this key.

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::vocabulary::{ImageId, LayerKey, Page, PageToken};

/// How many images are recorded at once where the index has no way to record several.
const RECORDED_AT_ONCE: usize = 256;
/// How many keys are asked about at once where the index has no way to ask about several.
const FIRST_PAGES_AT_ONCE: usize = 8;

/// Answers which images have a key that a change feed names. A projection of `LayersRecorded` events.
///
/// # Laws
/// * **L1** `record` is idempotent.
/// * **L2** What was recorded is read by the next `images`.
/// * **L3** Answers come in pages; memory does not depend on how many images have a key.
/// * **L4** `forget(image, keys)` removes exactly these; forgetting what is not there is Ok.
/// * **L5** Recording again what the events say rebuilds it.
/// * **L6** `first_pages` answers of each key, in their order, what `images` answers of it without a token.
/// * **L7** `record_all` leaves what recording each of these would leave.
///
/// Not promised: any order of a key's images but one that stays while images come and go.
///
/// # Errors
/// `Transient`: do the same again. `Permanent`: a setting is wrong.
///
/// # Cancellation
/// A dropped record or forget may have done any part; do it again.
///
/// # Bounds
/// Pages of at most `limit` images; at most 4096 keys an image; as many keys a `first_pages` as the caller has memory for
/// pages.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LayerIndex: std::fmt::Debug + Send + Sync {
    /// Records that the image has these keys.
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError>;

    /// Records of each of these images that it has its keys: what an index that can write them in an order of its own does
    /// with a fraction of the work. Dropped, or failed, it may have recorded any of them.
    async fn record_all(&self, images: &[(ImageId, Vec<LayerKey>)]) -> Result<(), LayerIndexError> {
        let records: Vec<_> = images.iter().map(|(image, keys)| self.record(image, keys)).collect();
        stream::iter(records).buffer_unordered(RECORDED_AT_ONCE).try_collect().await
    }

    /// The images that have a key.
    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError>;

    /// The first page of each of these keys: one question to an index that can answer it, where most keys have few images.
    async fn first_pages(
        &self,
        keys: &[LayerKey],
        limit: usize,
    ) -> Result<Vec<Page<ImageId>>, LayerIndexError> {
        let questions: Vec<_> = keys.iter().map(|key| self.images(key, None, limit)).collect();
        stream::iter(questions).buffered(FIRST_PAGES_AT_ONCE).try_collect().await
    }

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
