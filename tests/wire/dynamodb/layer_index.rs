//! The layer index: batches that are done in part, hot keys, bounds.

use cve_monitor_core::ports::{LayerIndex as _, LayerIndexError};
use cve_monitor_core::vocabulary::{ImageId, LayerKey};
use cve_monitor_tests::fakes::aws_proxy::{Fault, Service, Which};

use super::{Stage, all, image};

fn keys(number: usize) -> Vec<LayerKey> {
    (0..number).map(|n| LayerKey(format!("key-{n}"))).collect()
}

#[tokio::test]
async fn what_a_batch_leaves_over_is_written_by_the_next_one() {
    let Some(stage) = Stage::open("wire-left-over").await else { return };
    let (index, image, keys) = (stage.index(), image("app", "1"), keys(51));
    stage.befall("BatchWriteItem", Which::Next(5), Fault::HalfDone);
    assert_eq!(index.record(&image, &keys).await, Ok(()));
    // Three batches, of 25, 25 and 1 items, and one more for each that was left over.
    assert_eq!(stage.calls("BatchWriteItem"), 8);
    for key in &keys {
        assert_eq!(index.images(key, None, 10).await.unwrap().items, vec![image.clone()]);
    }
    stage.befall("BatchWriteItem", Which::Next(5), Fault::HalfDone);
    assert_eq!(index.forget(&image, &keys).await, Ok(()));
    for key in &keys {
        assert_eq!(index.images(key, None, 10).await.unwrap().items, vec![]);
    }
}

#[tokio::test]
async fn a_batch_that_is_never_done_wholly_is_transient() {
    let Some(stage) = Stage::open("wire-never-whole").await else { return };
    stage.befall("BatchWriteItem", Which::All, Fault::HalfDone);
    let refused = stage.index().record(&image("app", "1"), &keys(1)).await;
    let Err(LayerIndexError::Transient(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("wire-never-whole-layer-index") && why.contains("1 items"), "{why}");
    assert_eq!(stage.calls("BatchWriteItem"), 11);
}

#[tokio::test]
async fn a_throttled_index_is_transient_and_so_is_a_denied_one_with_the_remedy() {
    let Some(stage) = Stage::open("wire-index-throttled").await else { return };
    for operation in ["BatchWriteItem", "Query"] {
        stage.befall(operation, Which::Next(1), Fault::throttling(Service::DynamoDb));
        stage.befall(operation, Which::Next(1), Fault::denial(Service::DynamoDb));
    }
    let (index, image, keys) = (stage.index(), image("app", "1"), keys(1));
    let throttled = index.record(&image, &keys).await;
    assert!(matches!(throttled, Err(LayerIndexError::Transient(_))), "{throttled:?}");
    let denied = index.record(&image, &keys).await;
    let names = |why: &str| why.contains("wire-index-throttled-layer-index") && why.contains("rights");
    assert!(matches!(&denied, Err(LayerIndexError::Transient(why)) if names(why)), "{denied:?}");
}

#[tokio::test]
async fn as_many_keys_are_recorded_as_an_image_may_have() {
    let Some(stage) = Stage::open("wire-keys").await else { return };
    let (index, image, most) = (stage.index(), image("app", "1"), keys(4096));
    assert_eq!(index.record(&image, &most).await, Ok(()));
    assert_eq!(index.images(&most[4095], None, 10).await.unwrap().items, vec![image.clone()]);
    let refused = index.record(&image, &keys(4097)).await;
    assert!(matches!(refused, Err(LayerIndexError::Permanent(_))), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_many_images_have_is_spread_and_listed_in_their_order() {
    let Some(stage) = Stage::open("wire-hot").await else { return };
    let (index, keys) = (stage.index(), keys(1));
    let mut images: Vec<ImageId> = (0..120).map(|n| image("app", &n.to_string())).collect();
    for image in &images {
        index.record(image, &keys).await.unwrap();
    }
    images.sort_by_key(ToString::to_string);
    for limit in [1, 3, 50, 1000] {
        let found = all(limit, |after| index.images(&keys[0], after, limit)).await;
        assert_eq!(found, images, "pages of {limit}");
    }
    for shard in 0..4 {
        let query =
            stage.tables.query().table_name("wire-hot-layer-index").expression_attribute_names("#key", "key");
        let query = query.key_condition_expression("#key = :key");
        let query = query.expression_attribute_values(":key", super::text(&format!("key-0#{shard}")));
        let found = query.send().await.unwrap().count();
        assert!((10..60).contains(&found), "{found} of 120 images in shard {shard}");
    }
}
