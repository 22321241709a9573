//! The images of many keys: as numbers first, each once and in order, and only then by name, so that neighbours are read
//! from one page of the file.

use cve_monitor_core::vocabulary::{ImageId, Page, PageToken};
use rusqlite::{Connection, params};

use super::rows::{self, StoredKey};
use crate::embedded::DatabaseError;

/// Numbers of images of a key, ascending.
pub(super) const NUMBERS_OF_KEY: &str =
    "SELECT image FROM layer_index WHERE key = ?1 AND image > ?2 AND image <= ?3 ORDER BY image LIMIT ?4";
const NAME: &str = "SELECT image FROM layer_images WHERE id = ?1";

/// A page of the images that have any of these keys. Its token is the number of the last: numbers are never given twice.
pub(super) fn images(
    state: &Connection,
    keys: &[StoredKey],
    after: i64,
    limit: usize,
) -> Result<Page<ImageId>, DatabaseError> {
    let numbers = least(state, keys, after, limit)?;
    let mut name = state.prepare_cached(NAME)?;
    let mut items = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let mut found = name.query([number])?;
        // The tables change together: an image that is in the index has a name.
        let row = found.next()?.ok_or_else(|| {
            DatabaseError::Damaged(format!(
                "the layer index names an image {number} that is not there: put back a copy of the file"
            ))
        })?;
        items.push(rows::parsed(row.get_ref(0)?.as_str().unwrap_or_default())?);
    }
    let next = (numbers.len() == limit).then(|| numbers.last().map(|last| PageToken(last.to_string())));
    Ok(Page { items, next: next.flatten() })
}

/// The least so many numbers after one, each once. What is kept never grows beyond some pages: whatever turns out to lie
/// behind this page is left out, and not asked for again.
fn least(
    state: &Connection,
    keys: &[StoredKey],
    after: i64,
    limit: usize,
) -> Result<Vec<i64>, DatabaseError> {
    let mut of_key = state.prepare_cached(NUMBERS_OF_KEY)?;
    let sql_limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut numbers, mut until) = (Vec::with_capacity(2 * limit), i64::MAX);
    for key in keys {
        let Some(key) = rows::key_number(state, key)? else { continue };
        let mut found = of_key.query(params![key, after, until, sql_limit])?;
        while let Some(row) = found.next()? {
            numbers.push(row.get(0)?);
        }
        if numbers.len() >= 2 * limit {
            keep_least(&mut numbers, limit);
            if numbers.len() == limit {
                until = numbers.last().copied().unwrap_or(until);
            }
        }
    }
    keep_least(&mut numbers, limit);
    Ok(numbers)
}

fn keep_least(numbers: &mut Vec<i64>, limit: usize) {
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_are_kept_each_once() {
        let mut numbers = vec![9, 2, 7, 2, 9, 4];
        keep_least(&mut numbers, 3);
        assert_eq!(numbers, [2, 4, 7]);
        keep_least(&mut numbers, 3);
        assert_eq!(numbers, [2, 4, 7]);
    }
}
