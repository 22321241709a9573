//! What the conformance suite does not ask: both ways of answering, order across registries, bounds.

use cve_monitor_core::ports::{LayerIndex, LayerIndexError};
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, PageToken};

use super::{MAX_KEYS, SqliteLayerIndex, rows};
use crate::embedded::sqlite::fixture::{File, file, image};

fn index() -> (File, SqliteLayerIndex) {
    let file = file();
    let index = SqliteLayerIndex::new(file.database.clone());
    (file, index)
}

fn key(seed: &str) -> LayerKey {
    LayerKey(Digest::of(seed.as_bytes()).to_string())
}

/// Every page of a key's images, answered in one of the two ways.
async fn pages(file: &File, key: &LayerKey, limit: usize, sorted_max: usize) -> Vec<ImageId> {
    let (mut found, mut after) = (vec![], None::<PageToken>);
    loop {
        let stored = rows::StoredKey::of(key);
        let from = after.map(|token| token.0).unwrap_or_default();
        let page = file.database.read(move |state| rows::images(state, &stored, &from, limit, sorted_max));
        let page = page.await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        after = Some(next);
    }
}

#[tokio::test]
async fn few_images_and_many_are_listed_alike_in_the_order_of_their_written_ids() {
    let (file, index) = index();
    let mut expected = vec![];
    // `a.b/…` is written before `a/…`, though the registry `a` comes before `a.b`.
    for (n, registry) in ["a", "a.b", "b", "a-b", "a"].iter().cycle().take(40).enumerate() {
        let image = image(registry, &n.to_string());
        index.record(&image, &[key("other")]).await.unwrap();
        if n % 3 != 0 {
            index.record(&image, &[key("shared")]).await.unwrap();
            expected.push(image);
        }
    }
    expected.sort_by_key(ToString::to_string);
    for limit in [1, 7, 26, 27, 100] {
        assert_eq!(pages(&file, &key("shared"), limit, usize::MAX).await, expected, "sorted, {limit}");
        assert_eq!(pages(&file, &key("shared"), limit, 0).await, expected, "walked, {limit}");
    }
}

#[tokio::test]
async fn a_walk_past_its_bound_is_an_empty_page_that_names_where_to_go_on() {
    let (file, index) = index();
    for n in 0..5 {
        index.record(&image("a", &n.to_string()), &[key("other")]).await.unwrap();
    }
    let last = image("z", "0");
    index.record(&last, &[key("shared")]).await.unwrap();
    let found = file.database.read(move |state| {
        let number = state.query_row("SELECT max(id) FROM layer_keys", [], |row| row.get(0))?;
        let first = rows::walked(state, number, "", 10, 5)?;
        let after = first.next.clone().map(|token| token.0).unwrap_or_default();
        Ok((first, rows::walked(state, number, &after, 10, 5)?))
    });
    let (first, second) = found.await.unwrap();
    assert!(first.items.is_empty() && first.next.is_some());
    assert_eq!((second.items, second.next), (vec![last], None));
}

#[tokio::test]
async fn an_image_has_at_most_the_bound_of_keys() {
    let (_file, index) = index();
    let keys: Vec<_> = (0..=MAX_KEYS).map(|n| key(&n.to_string())).collect();
    let image = image("a", "0");
    index.record(&image, &keys[1..]).await.unwrap();
    assert_eq!(index.images(&keys[MAX_KEYS], None, 10).await.unwrap().items, std::slice::from_ref(&image));
    assert!(matches!(index.record(&image, &keys).await, Err(LayerIndexError::Permanent(_))));
    assert!(index.images(&keys[0], None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_chain_id_and_a_digest_that_is_spelt_alike_are_different_keys() {
    let (_file, index) = index();
    let (digest, shouted) = (key("layer"), LayerKey(key("layer").0.to_uppercase()));
    index.record(&image("a", "0"), std::slice::from_ref(&digest)).await.unwrap();
    index.record(&image("a", "1"), std::slice::from_ref(&shouted)).await.unwrap();
    assert_eq!(index.images(&digest, None, 10).await.unwrap().items, [image("a", "0")]);
    assert_eq!(index.images(&shouted, None, 10).await.unwrap().items, [image("a", "1")]);
}
