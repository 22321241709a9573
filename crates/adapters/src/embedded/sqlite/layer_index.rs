//! Which images have a key, in the SQLite file.

mod any;
mod bulk;
mod rows;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use cve_monitor_core::ports::{LayerIndex, LayerIndexError};
use cve_monitor_core::vocabulary::{ImageId, LayerKey, Page, PageToken};

use super::{page_limit, token_numbers};
use crate::embedded::Database;

/// The most keys of one image.
const MAX_KEYS: usize = 4096;
/// The most images of a page of several keys, whatever the caller asks for: the keys are gone through again for each page.
const ANY_PAGE_MAX: usize = 20_000;

/// A [`LayerIndex`] in the SQLite file: a row of two small integers for each key of each image.
#[derive(Debug, Clone)]
pub struct SqliteLayerIndex {
    database: Database,
}

impl SqliteLayerIndex {
    /// The index of this file.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn within_bounds(image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
    if keys.len() <= MAX_KEYS {
        return Ok(());
    }
    let count = keys.len();
    Err(LayerIndexError::Permanent(format!("{image} has {count} keys; at most {MAX_KEYS} are recorded")))
}

#[async_trait]
impl LayerIndex for SqliteLayerIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        within_bounds(image, keys)?;
        let (image, keys) = (image.to_string(), rows::stored(keys));
        Ok(self.database.write(move |tx| rows::record(tx, &image, &keys)).await?)
    }

    async fn record_all(&self, images: &[(ImageId, Vec<LayerKey>)]) -> Result<(), LayerIndexError> {
        images.iter().try_for_each(|(image, keys)| within_bounds(image, keys))?;
        Ok(bulk::record(&self.database, images).await?)
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let key = rows::StoredKey::of(key);
        let limit = page_limit(limit);
        let [after] = after.as_ref().map_or(Ok([rows::BEFORE_ALL]), token_numbers)?;
        Ok(self.database.read(move |state| rows::images(state, &key, after, limit)).await?)
    }

    async fn images_of_any(
        &self,
        keys: &[LayerKey],
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let keys = rows::stored(keys);
        let limit = limit.clamp(1, ANY_PAGE_MAX);
        let [after] = after.as_ref().map_or(Ok([rows::BEFORE_ALL]), token_numbers)?;
        Ok(self.database.read(move |state| any::images(state, &keys, after, limit)).await?)
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let (image, keys) = (image.to_string(), rows::stored(keys));
        Ok(self.database.write(move |tx| rows::forget(tx, &image, &keys)).await?)
    }
}
