//! Many images at once, sorted by name and then by key: what is written next to each other lies on the same page, where keys in
//! no order would change a page each, and the log hold that page once for each. Keys that are new are numbered in that order, so
//! that their rows follow each other, too.

use cve_monitor_core::vocabulary::{ImageId, LayerKey};

use super::rows::{self, StoredKey};
use crate::embedded::{Database, DatabaseError};

/// Rows of one transaction: some tens of milliseconds, during which nobody else writes.
const ROWS_OF_A_TRANSACTION: usize = 10_000;

pub(super) async fn record(
    database: &Database,
    images: &[(ImageId, Vec<LayerKey>)],
) -> Result<(), DatabaseError> {
    let mut named: Vec<(String, &[LayerKey])> =
        images.iter().map(|(image, keys)| (image.to_string(), keys.as_slice())).collect();
    named.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut pairs: Vec<(StoredKey, i64)> = Vec::with_capacity(named.iter().map(|(_, keys)| keys.len()).sum());
    for some in named.chunks_mut(ROWS_OF_A_TRANSACTION) {
        let names: Vec<String> = some.iter_mut().map(|(image, _)| std::mem::take(image)).collect();
        let numbers = database.write(move |tx| rows::image_numbers(tx, &names)).await?;
        for ((_, keys), number) in some.iter().zip(numbers) {
            pairs.extend(keys.iter().map(|key| (StoredKey::of(key), number)));
        }
    }
    pairs.sort_unstable();
    for some in pairs.chunks(ROWS_OF_A_TRANSACTION) {
        let some = some.to_vec();
        database.write(move |tx| rows::add_all(tx, &some)).await?;
    }
    Ok(())
}
