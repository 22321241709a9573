//! Which images have this key, in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::ports::{LayerIndex, LayerIndexError};
use crate::testkit::locked::Locked;
use crate::testkit::pages::page_of;
use crate::vocabulary::{ImageId, LayerKey, Page, PageToken};

/// The most keys of one image.
const MAX_KEYS: usize = 4096;

/// A [`LayerIndex`] in memory.
#[derive(Debug, Default)]
pub struct MemoryLayerIndex(Locked<State>);

#[derive(Debug, Default)]
struct State {
    rows: BTreeSet<(LayerKey, String, ImageId)>,
    failure: Option<LayerIndexError>,
}

impl State {
    fn available(&self) -> Result<(), LayerIndexError> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

impl MemoryLayerIndex {
    /// Every call fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<LayerIndexError>) {
        self.0.lock().failure = failure;
    }

    /// How many pairs of key and image are recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().rows.len()
    }

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn row(image: &ImageId, key: &LayerKey) -> (LayerKey, String, ImageId) {
    // Images are listed in the byte order of their written ids, which is not that of their parts.
    (key.clone(), image.to_string(), image.clone())
}

#[async_trait]
impl LayerIndex for MemoryLayerIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let mut state = self.0.lock();
        state.available()?;
        if keys.len() > MAX_KEYS {
            return Err(LayerIndexError::Permanent(format!(
                "{image} has {} keys; at most {MAX_KEYS} are recorded",
                keys.len()
            )));
        }
        state.rows.extend(keys.iter().map(|key| row(image, key)));
        Ok(())
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let state = self.0.lock();
        state.available()?;
        let of_key = state.rows.iter().filter(|(of, _, _)| of == key);
        Ok(page_of(
            of_key.map(|(_, written, image)| (written, image.clone())),
            after.as_ref(),
            limit,
            |written| (*written).clone(),
        ))
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let mut state = self.0.lock();
        state.available()?;
        for key in keys {
            state.rows.remove(&row(image, key));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::vocabulary::Digest;

    #[test]
    fn the_bound_on_keys_holds_at_its_edge() {
        let index = MemoryLayerIndex::default();
        let image = format!("r.example/a@{}", Digest::of(b"m")).parse().unwrap_or_else(|e| panic!("{e}"));
        let keys: Vec<_> = (0..=MAX_KEYS).map(|n| LayerKey(n.to_string())).collect();
        let refused = index.record(&image, &keys).now_or_never();
        assert!(matches!(refused, Some(Err(LayerIndexError::Permanent(_)))), "{refused:?}");
        assert!(index.is_empty());
        assert_eq!(index.record(&image, &keys[1..]).now_or_never(), Some(Ok(())));
        assert_eq!(index.len(), MAX_KEYS);
    }
}
