//! What the conformance suite does not ask: the order, the plan, bounds.

use cve_monitor_core::ports::{LayerIndex, LayerIndexError};
use cve_monitor_core::vocabulary::{Digest, LayerKey, PageToken};

use super::{ANY_PAGE_MAX, MAX_KEYS, SqliteLayerIndex, rows};
use crate::embedded::sqlite::fixture::{File, file, image, plan};

fn index() -> (File, SqliteLayerIndex) {
    let file = file();
    let index = SqliteLayerIndex::new(file.database.clone());
    (file, index)
}

fn key(seed: &str) -> LayerKey {
    LayerKey(Digest::of(seed.as_bytes()).to_string())
}

#[tokio::test]
async fn images_of_all_registries_come_in_the_order_in_which_they_were_first_recorded() {
    let (_file, index) = index();
    let mut expected = vec![];
    for (n, registry) in ["b", "a", "a.b"].iter().cycle().take(12).enumerate() {
        let image = image(registry, &n.to_string());
        index.record(&image, &[key("other")]).await.unwrap();
        expected.push(image);
    }
    for image in expected.iter().rev() {
        index.record(image, &[key("shared")]).await.unwrap();
    }
    let first = index.images(&key("shared"), None, 5).await.unwrap();
    let second = index.images(&key("shared"), first.next, 100).await.unwrap();
    assert_eq!((first.items, second.items), (expected[..5].to_vec(), expected[5..].to_vec()));
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn a_token_of_another_listing_is_refused() {
    let (_file, index) = index();
    let foreign = PageToken("a/team/app@sha256:0".to_owned());
    let refused = index.images(&key("shared"), Some(foreign), 5).await;
    assert!(matches!(refused, Err(LayerIndexError::Permanent(_))), "{refused:?}");
}

#[test]
fn a_page_costs_with_its_own_images_alone() {
    let file = file();
    let plan = plan(&file.database, rows::IMAGES_OF_KEY);
    assert!(plan.contains("SEARCH layer_index USING PRIMARY KEY (key=? AND image>?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
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

#[tokio::test]
async fn pages_of_several_keys_name_each_image_once_however_many_keys_and_pages_there_are() {
    let (_file, index) = index();
    let keys: Vec<_> = (0..7).map(|n| key(&n.to_string())).collect();
    let images: Vec<_> = (0..40).map(|n| image("a", &n.to_string())).collect();
    for (n, image) in images.iter().enumerate() {
        // Keys of many and of few; every third image has two of them, every seventh none that is asked for.
        let own = [keys[n % 5].clone(), keys[n % 3].clone(), key("other")];
        index.record(image, if n % 7 == 6 { &own[2..] } else { &own }).await.unwrap();
    }
    let expected: Vec<_> = (0..40).filter(|n| n % 7 != 6).map(|n| images[n].clone()).collect();
    for limit in [1, 2, 3, 10, 34, 35, 36, ANY_PAGE_MAX + 1] {
        let (mut found, mut after) = (vec![], None);
        loop {
            let page = index.images_of_any(&keys, after, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
}

#[test]
fn a_page_of_several_keys_enters_the_index_at_each() {
    let file = file();
    let plan = plan(&file.database, super::any::NUMBERS_OF_KEY);
    assert!(plan.contains("SEARCH layer_index USING PRIMARY KEY (key=? AND image>? AND image<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
}
