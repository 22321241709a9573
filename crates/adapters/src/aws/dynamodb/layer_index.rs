//! Which images have a key, in the table `PREFIX-layer-index`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use cve_monitor_core::ports::{LayerIndex, LayerIndexError};
use cve_monitor_core::vocabulary::{ImageId, LayerKey, Page, PageToken};
use futures::future::try_join_all;

use super::failure::{Failure, failed};
use super::item::{Item, item, text, text_of};
use super::merge::{Run, least, share};
use super::tables::Names;
use super::{at_most, batch, page_limit, shard};
use crate::aws::quiet::Quiet;

/// The most keys of one image.
const MAX_KEYS: usize = 4096;
/// Into how many partitions the images of one key are spread, by image: a partition takes 1,000 WRU a second, and a base
/// layer is in every image. Part of what is stored: it cannot change without recording everything again.
const SHARDS: u8 = 4;

/// A [`LayerIndex`] in DynamoDB: an item without attributes for each key of each image.
///
/// `record` and `forget` cost one WRU a key; new or not. A page of `images` costs what its items measure, about an RRU for
/// twenty images, and at least one RRU for each of the four shards.
#[derive(Debug, Clone)]
pub struct DynamoLayerIndex {
    client: Quiet<Client>,
    table: String,
}

impl DynamoLayerIndex {
    /// The index in the tables of this prefix.
    #[must_use]
    pub fn new(config: &SdkConfig, prefix: &str) -> Self {
        Self { client: Quiet(Client::new(config)), table: Names::of(prefix).layer_index }
    }

    /// Images of a key in one shard, in order.
    async fn run(&self, key: String, after: &str, limit: usize) -> Result<Run<String>, Failure> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("#key = :key AND image > :after")
            .expression_attribute_names("#key", "key")
            .expression_attribute_values(":key", text(key))
            // No text is less than a space, and none is empty.
            .expression_attribute_values(":after", text(if after.is_empty() { " " } else { after }))
            .limit(at_most(limit));
        let answer = query.send().await.map_err(|e| failed("Query", &self.table, &e))?;
        let more = answer.last_evaluated_key.is_some();
        let images = answer.items.unwrap_or_default();
        let entries = images.iter().map(|found| Ok(text_of(found, "image")?.to_owned()));
        Ok(Run { entries: entries.collect::<Result<_, Failure>>()?, more })
    }

    async fn page(&self, key: &LayerKey, after: &str, limit: usize) -> Result<Page<ImageId>, Failure> {
        let share = share(limit, usize::from(SHARDS));
        let shards = (0..SHARDS).map(|shard| self.run(stored_key(key, shard), after, share));
        let mut runs = try_join_all(shards).await?;
        let found = least(&mut runs, limit, Clone::clone);
        let last = runs.iter().all(|run| run.entries.is_empty() && !run.more);
        let next = found.last().filter(|_| !last).map(|(_, image)| PageToken(image.clone()));
        let items = found.iter().map(|(_, image)| {
            image.parse().map_err(|error| Failure::Damaged(format!("table {}: {error}", self.table)))
        });
        Ok(Page { items: items.collect::<Result<_, Failure>>()?, next })
    }

    async fn write(
        &self,
        image: &ImageId,
        keys: &[LayerKey],
        request: fn(Item) -> Result<WriteRequest, BuildError>,
    ) -> Result<(), Failure> {
        let image = image.to_string();
        let shard = shard(&image, SHARDS);
        // One batch must not name an item twice.
        let keys: BTreeSet<_> = keys.iter().collect();
        let items = keys
            .into_iter()
            .map(|key| item([("key", text(stored_key(key, shard))), ("image", text(image.clone()))]));
        let requests = items.map(request).collect::<Result<_, _>>();
        let requests = requests.map_err(|error| Failure::Refused(error.to_string()))?;
        batch::write(&self.client, &self.table, requests).await
    }
}

fn bounded(image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
    if keys.len() > MAX_KEYS {
        let count = keys.len();
        let problem = format!("{image} has {count} keys; at most {MAX_KEYS} are recorded");
        return Err(LayerIndexError::Permanent(problem));
    }
    Ok(())
}

fn stored_key(key: &LayerKey, shard: u8) -> String {
    format!("{}#{shard}", key.0)
}

fn put(item: Item) -> Result<WriteRequest, BuildError> {
    Ok(WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build()?).build())
}

fn delete(key: Item) -> Result<WriteRequest, BuildError> {
    Ok(WriteRequest::builder().delete_request(DeleteRequest::builder().set_key(Some(key)).build()?).build())
}

#[async_trait]
impl LayerIndex for DynamoLayerIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        bounded(image, keys)?;
        Ok(self.write(image, keys, put).await?)
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        // The token is the last image that was given: it does not depend on the number of shards.
        let after = after.map(|token| token.0).unwrap_or_default();
        Ok(self.page(key, &after, page_limit(limit)).await?)
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        Ok(self.write(image, keys, delete).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_may_have_so_many_keys_and_no_more() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = format!("r.example/team/app@{digest}").parse().unwrap();
        let keys = |count: usize| vec![LayerKey("k".to_owned()); count];
        assert_eq!(bounded(&image, &keys(MAX_KEYS)), Ok(()));
        let refused = bounded(&image, &keys(MAX_KEYS + 1));
        let named = "has 4097 keys; at most 4096 are recorded";
        assert!(
            matches!(&refused, Err(LayerIndexError::Permanent(why)) if why.contains(named)),
            "{refused:?}"
        );
    }
}
