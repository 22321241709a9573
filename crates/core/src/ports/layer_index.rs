//! Which images have this key.

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::vocabulary::{ImageId, LayerKey, Page, PageToken};

/// How many images are recorded at once where the index has no way to record several.
const RECORDED_AT_ONCE: usize = 256;
/// How many keys are asked about at once where the index has no way to ask about several.
const KEYS_AT_ONCE: usize = 8;

/// Answers which images have a key that a change feed names. A projection of `LayersRecorded` events.
///
/// # Laws
/// * **L1** `record` is idempotent.
/// * **L2** What was recorded is read by the next `images`.
/// * **L3** Answers come in pages; memory does not depend on how many images have a key.
/// * **L4** `forget(image, keys)` removes exactly these; forgetting what is not there is Ok.
/// * **L5** Recording again what the events say rebuilds it.
/// * **L6** The pages of `images_of_any` name every image that has one of the keys all the while, and none that has none.
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
/// Pages of at most `limit` images; at most 4096 keys an image.
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

    /// The images that have any of these keys: one question to an index that can answer it. An image that has several of
    /// them may come several times. The token belongs to these very keys. No token of `images` is empty.
    async fn images_of_any(
        &self,
        keys: &[LayerKey],
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let (at, within) = place_among(keys, after.as_ref())?;
        let token = |key: usize, within: &str| PageToken(format!("{key}/{within}"));
        let next_key = |key: usize| (key < keys.len()).then(|| token(key, ""));
        if let Some(within) = within {
            let page = self.images(&keys[at], Some(within), limit).await?;
            let next = page.next.map_or_else(|| next_key(at + 1), |within| Some(token(at, &within.0)));
            return Ok(Page { items: page.items, next });
        }
        // Together no more than a page, whatever each has.
        let first = (limit / KEYS_AT_ONCE).max(1);
        let some: Vec<_> = keys[at..].iter().take(KEYS_AT_ONCE.min(limit.max(1))).collect();
        let pages: Vec<_> = some.iter().map(|key| self.images(key, None, first)).collect();
        let pages: Vec<Page<ImageId>> = stream::iter(pages).buffered(KEYS_AT_ONCE).try_collect().await?;
        let (mut items, mut key) = (vec![], at);
        for page in pages {
            items.extend(page.items);
            if let Some(within) = page.next {
                return Ok(Page { items, next: Some(token(key, &within.0)) });
            }
            key += 1;
        }
        Ok(Page { items, next: next_key(key) })
    }

    /// Removes these keys of the image.
    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError>;
}

/// The key that a token of `images_of_any` stands at, and the token within its images.
fn place_among(
    keys: &[LayerKey],
    after: Option<&PageToken>,
) -> Result<(usize, Option<PageToken>), LayerIndexError> {
    let Some(token) = after else { return Ok((0, None)) };
    let place = token.0.split_once('/').and_then(|(key, within)| Some((key.parse().ok()?, within)));
    match place {
        Some((key, within)) if key < keys.len() => {
            Ok((key, (!within.is_empty()).then(|| PageToken(within.to_owned()))))
        }
        _ => Err(LayerIndexError::Permanent(format!("`{token}` is not a page token of these keys"))),
    }
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
