//! What a layer index asks of the tables `layer_keys`, `layer_images` and `layer_index`.

use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, Page, PageToken};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use crate::embedded::DatabaseError;

/// Up to so many images of a key are sorted for each page; of more, the sorted list of all images is walked instead,
/// which then finds a page within a few thousand steps. The first costs with the images of the key, the second with
/// those of other keys.
pub(super) const SORTED_MAX: usize = 20_000;
/// The most images that a page walks past; a page that finds none in them is empty and names where to go on.
const WALK_MAX: usize = 50_000;

/// A key as it is stored: a SHA-256 digest as its bytes, anything else as text. The two never meet: SQLite keeps them
/// apart by type.
#[derive(Debug, PartialEq)]
pub(super) struct StoredKey(Value);

impl StoredKey {
    pub(super) fn of(key: &LayerKey) -> Self {
        let bytes = key.0.parse::<Digest>().ok().and_then(|digest| digest_bytes(&digest));
        Self(bytes.map_or_else(|| Value::Text(key.0.clone()), Value::Blob))
    }
}

impl ToSql for StoredKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::from(&self.0)))
    }
}

pub(super) fn stored(keys: &[LayerKey]) -> Vec<StoredKey> {
    keys.iter().map(StoredKey::of).collect()
}

fn digest_bytes(digest: &Digest) -> Option<Vec<u8>> {
    let digits = digest.hex();
    (0..digits.len() / 2).map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

fn number_of(tx: &Connection, find: &str, value: &dyn ToSql) -> Result<Option<i64>, DatabaseError> {
    Ok(tx.prepare_cached(find)?.query_row([value], |row| row.get(0)).optional()?)
}

fn interned(tx: &Connection, find: &str, add: &str, value: &dyn ToSql) -> Result<i64, DatabaseError> {
    match number_of(tx, find, value)? {
        Some(number) => Ok(number),
        None => Ok(tx.prepare_cached(add)?.insert([value])?),
    }
}

const FIND_IMAGE: &str = "SELECT id FROM layer_images WHERE image = ?1";
const FIND_KEY: &str = "SELECT id FROM layer_keys WHERE key = ?1";

pub(super) fn record(tx: &Connection, image: &str, keys: &[StoredKey]) -> Result<(), DatabaseError> {
    let image = interned(tx, FIND_IMAGE, "INSERT INTO layer_images (image) VALUES (?1)", &image)?;
    let mut add = tx.prepare_cached("INSERT OR IGNORE INTO layer_index (key, image) VALUES (?1, ?2)")?;
    for key in keys {
        let key = interned(tx, FIND_KEY, "INSERT INTO layer_keys (key) VALUES (?1)", key)?;
        add.execute([key, image])?;
    }
    Ok(())
}

pub(super) fn forget(tx: &Connection, image: &str, keys: &[StoredKey]) -> Result<(), DatabaseError> {
    let Some(image) = number_of(tx, FIND_IMAGE, &image)? else { return Ok(()) };
    let mut remove = tx.prepare_cached("DELETE FROM layer_index WHERE key = ?1 AND image = ?2")?;
    for key in keys {
        if let Some(key) = number_of(tx, FIND_KEY, key)? {
            remove.execute([key, image])?;
        }
    }
    Ok(())
}

/// A page of the images of a key in the order of their written ids.
pub(super) fn images(
    state: &Connection,
    key: &StoredKey,
    after: &str,
    limit: usize,
    sorted_max: usize,
) -> Result<Page<ImageId>, DatabaseError> {
    let Some(key) = number_of(state, FIND_KEY, key)? else { return Ok(Page::last(vec![])) };
    if at_most(state, key, sorted_max)? {
        sorted(state, key, after, limit)
    } else {
        walked(state, key, after, limit, WALK_MAX)
    }
}

fn at_most(state: &Connection, key: i64, bound: usize) -> Result<bool, DatabaseError> {
    let bound = i64::try_from(bound).unwrap_or(i64::MAX);
    let mut count =
        state.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM layer_index WHERE key = ?1 LIMIT ?2)")?;
    let counted: i64 = count.query_row([key, bound.saturating_add(1)], |row| row.get(0))?;
    Ok(counted <= bound)
}

fn parsed(image: &str) -> Result<ImageId, DatabaseError> {
    image.parse().map_err(|error| DatabaseError::Damaged(format!("the layer index: {error}")))
}

fn sorted(state: &Connection, key: i64, after: &str, limit: usize) -> Result<Page<ImageId>, DatabaseError> {
    let mut statement = state.prepare_cached(
        "SELECT layer_images.image FROM layer_index CROSS JOIN layer_images ON layer_images.id = layer_index.image
         WHERE layer_index.key = ?1 AND layer_images.image > ?2 ORDER BY layer_images.image LIMIT ?3",
    )?;
    let mut rows = statement.query(params![key, after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut items = vec![];
    while let Some(row) = rows.next()? {
        items.push(parsed(row.get_ref(0)?.as_str().unwrap_or_default())?);
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|image| PageToken(image.to_string()));
    Ok(Page { items, next })
}

pub(super) fn walked(
    state: &Connection,
    key: i64,
    after: &str,
    limit: usize,
    walk_max: usize,
) -> Result<Page<ImageId>, DatabaseError> {
    let mut statement = state.prepare_cached(
        "SELECT image, EXISTS (SELECT 1 FROM layer_index WHERE key = ?1 AND layer_index.image = layer_images.id)
         FROM layer_images WHERE image > ?2 ORDER BY image",
    )?;
    let mut rows = statement.query(params![key, after])?;
    let mut items = vec![];
    for step in 1.. {
        let Some(row) = rows.next()? else { break };
        let image = row.get_ref(0)?.as_str().unwrap_or_default();
        if row.get(1)? {
            items.push(parsed(image)?);
        }
        if items.len() == limit || step == walk_max {
            return Ok(Page { next: Some(PageToken(image.to_owned())), items });
        }
    }
    Ok(Page::last(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_stored_as_its_bytes_and_any_other_key_as_text() {
        let digest = Digest::of(b"layer");
        let stored = StoredKey::of(&LayerKey(digest.to_string()));
        assert_eq!(stored, StoredKey(Value::Blob(digest_bytes(&digest).unwrap())));
        let other = format!("{digest}0");
        assert_eq!(StoredKey::of(&LayerKey(other.clone())), StoredKey(Value::Text(other)));
    }
}
