//! What a layer index asks of the tables `layer_keys`, `layer_images` and `layer_index`.

use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, Page, PageToken};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use crate::embedded::DatabaseError;

/// The number before that of any image.
pub(super) const BEFORE_ALL: i64 = i64::MIN;

/// A key as it is stored: a SHA-256 digest as its bytes, anything else as text. The two never meet: SQLite keeps them
/// apart by type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StoredKey {
    Text(String),
    Digest([u8; 32]),
}

impl StoredKey {
    pub(super) fn of(key: &LayerKey) -> Self {
        let bytes = key.0.parse::<Digest>().ok().and_then(|digest| digest_bytes(&digest));
        bytes.map_or_else(|| Self::Text(key.0.clone()), Self::Digest)
    }
}

impl ToSql for StoredKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Digest(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(super) fn stored(keys: &[LayerKey]) -> Vec<StoredKey> {
    keys.iter().map(StoredKey::of).collect()
}

fn digest_bytes(digest: &Digest) -> Option<[u8; 32]> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; 32];
    let (pairs, _) = digest.hex().as_bytes().as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
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

/// The number of a key; none where nothing was ever recorded under it.
pub(super) fn key_number(state: &Connection, key: &StoredKey) -> Result<Option<i64>, DatabaseError> {
    number_of(state, FIND_KEY, key)
}

pub(super) fn record(tx: &Connection, image: &str, keys: &[StoredKey]) -> Result<(), DatabaseError> {
    let image = image_number(tx, image)?;
    keys.iter().try_for_each(|key| add(tx, key, image))
}

/// The numbers of these images, in their order.
pub(super) fn image_numbers(tx: &Connection, images: &[String]) -> Result<Vec<i64>, DatabaseError> {
    images.iter().map(|image| image_number(tx, image)).collect()
}

/// Records these keys, each of an image by its number.
pub(super) fn add_all(tx: &Connection, pairs: &[(StoredKey, i64)]) -> Result<(), DatabaseError> {
    pairs.iter().try_for_each(|(key, image)| add(tx, key, *image))
}

fn image_number(tx: &Connection, image: &str) -> Result<i64, DatabaseError> {
    interned(tx, FIND_IMAGE, "INSERT INTO layer_images (image) VALUES (?1)", &image)
}

fn add(tx: &Connection, key: &StoredKey, image: i64) -> Result<(), DatabaseError> {
    let key = interned(tx, FIND_KEY, "INSERT INTO layer_keys (key) VALUES (?1)", key)?;
    tx.prepare_cached("INSERT OR IGNORE INTO layer_index (key, image) VALUES (?1, ?2)")?
        .execute([key, image])?;
    Ok(())
}

pub(super) fn forget(tx: &Connection, image: &str, keys: &[StoredKey]) -> Result<(), DatabaseError> {
    let Some(image) = number_of(tx, FIND_IMAGE, &image)? else { return Ok(()) };
    let mut remove = tx.prepare_cached("DELETE FROM layer_index WHERE key = ?1 AND image = ?2")?;
    for key in keys {
        if let Some(key) = key_number(tx, key)? {
            remove.execute([key, image])?;
        }
    }
    Ok(())
}

/// Images of a key in the order of their numbers: that in which the index first heard of them.
pub(super) const IMAGES_OF_KEY: &str = "SELECT layer_images.id, layer_images.image
     FROM layer_index CROSS JOIN layer_images ON layer_images.id = layer_index.image
     WHERE layer_index.key = ?1 AND layer_index.image > ?2 ORDER BY layer_index.image LIMIT ?3";

/// A page of the images of a key. Its token is the number of the last: numbers are never given twice.
pub(super) fn images(
    state: &Connection,
    key: &StoredKey,
    after: i64,
    (limit, sql_limit): (usize, i64),
) -> Result<Page<ImageId>, DatabaseError> {
    let Some(key) = key_number(state, key)? else { return Ok(Page::last(vec![])) };
    let mut statement = state.prepare_cached(IMAGES_OF_KEY)?;
    let mut rows = statement.query(params![key, after, sql_limit])?;
    let (mut items, mut last) = (vec![], after);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        items.push(parsed(row.get_ref(1)?.as_str().unwrap_or_default())?);
    }
    let next = (items.len() == limit).then(|| PageToken(last.to_string()));
    Ok(Page { items, next })
}

pub(super) fn parsed(image: &str) -> Result<ImageId, DatabaseError> {
    image.parse().map_err(|error| DatabaseError::Damaged(format!("the layer index: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_stored_as_its_bytes_and_any_other_key_as_text() {
        let digest = Digest::of(b"layer");
        let stored = StoredKey::of(&LayerKey(digest.to_string()));
        assert_eq!(stored, StoredKey::Digest(digest_bytes(&digest).unwrap()));
        let other = format!("{digest}0");
        assert_eq!(StoredKey::of(&LayerKey(other.clone())), StoredKey::Text(other));
    }
}
