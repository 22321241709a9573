//! Many items in one call, and again those that the service did not get to.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeysAndAttributes, WriteRequest};
use futures::{StreamExt as _, TryStreamExt as _};

use super::failure::{Failure, failed};
use super::item::Item;
use crate::aws::backoff::Backoff;

/// The most items that one call writes (API reference, BatchWriteItem).
const WRITTEN_AT_ONCE: usize = 25;
/// The most items that one call reads (API reference, BatchGetItem).
pub(super) const READ_AT_ONCE: usize = 100;
/// How many calls of one batch are under way at a time.
const CALLS_AT_ONCE: usize = 4;
/// The wait before the second attempt is at most this.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often what is left over is tried again: about ten seconds at most.
const FURTHER_ATTEMPTS: u32 = 10;

/// Waits between attempts of whatever this folder tries again itself.
pub(super) fn patience() -> Backoff {
    Backoff::new(FIRST_WAIT, LONGEST_WAIT, FURTHER_ATTEMPTS)
}

/// Writes all of these, in no order: where it fails, any part may be written. No two may be of the same key.
pub(super) async fn write(client: &Client, table: &str, requests: Vec<WriteRequest>) -> Result<(), Failure> {
    let chunks: Vec<_> = requests.chunks(WRITTEN_AT_ONCE).map(<[_]>::to_vec).collect();
    futures::stream::iter(chunks.into_iter().map(|chunk| write_chunk(client, table, chunk)))
        .buffer_unordered(CALLS_AT_ONCE)
        .try_collect()
        .await
}

async fn write_chunk(client: &Client, table: &str, mut left: Vec<WriteRequest>) -> Result<(), Failure> {
    let mut patience = patience();
    loop {
        let call = client.batch_write_item().request_items(table, left.clone());
        let answer = call.send().await.map_err(|e| failed("BatchWriteItem", table, &e))?;
        left = answer.unprocessed_items.and_then(|mut items| items.remove(table)).unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        wait(&mut patience, "BatchWriteItem", table, left.len()).await?;
    }
}

/// Reads the items with these keys, at most [`READ_AT_ONCE`], strongly consistent, in no order. Keys without an item are
/// left out.
pub(super) async fn read(client: &Client, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, Failure> {
    let (mut left, mut found, mut patience) = (keys, vec![], patience());
    while !left.is_empty() {
        let asked = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
        let asked = asked.map_err(|e| Failure::Refused(e.to_string()))?;
        let answer = client.batch_get_item().request_items(table, asked).send().await;
        let answer = answer.map_err(|e| failed("BatchGetItem", table, &e))?;
        found.extend(answer.responses.and_then(|mut items| items.remove(table)).unwrap_or_default());
        let unread = answer.unprocessed_keys.and_then(|mut keys| keys.remove(table));
        left = unread.map(|keys| keys.keys).unwrap_or_default();
        if !left.is_empty() {
            wait(&mut patience, "BatchGetItem", table, left.len()).await?;
        }
    }
    Ok(found)
}

async fn wait(patience: &mut Backoff, operation: &str, table: &str, left: usize) -> Result<(), Failure> {
    let Some(wait) = patience.next() else {
        let attempts = FURTHER_ATTEMPTS + 1;
        return Err(Failure::Unavailable(format!(
            "table {table}: {operation}: {left} items are left over after {attempts} attempts"
        )));
    };
    tracing::debug!(table, operation, left, "left over, tried again");
    tokio::time::sleep(wait).await;
    Ok(())
}
