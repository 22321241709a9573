//! What one database says differently from another: packages and ecosystems, not texts.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rusqlite::{Connection, Rows, Statement};

use super::database::{Database, DatabaseError};
use super::{Ecosystem, ended};
use crate::{PackageKey, PackageKind};

/// The packages about which `new` says something else than `old`, sorted, after a key, at most `limit`.
///
/// A package is listed if for any release a record came, went, was withdrawn, or changed in its ranges,
/// versions, severity, urgency, aliases or upstream names. Edited texts, links and time stamps do not count.
/// Go on with the last key of the page; a page shorter than `limit` is the last.
///
/// # Errors
///
/// [`DatabaseError`] where either file is damaged.
pub fn changed_packages(
    old: &Database,
    new: &Database,
    after: Option<&PackageKey>,
    limit: usize,
) -> Result<Vec<PackageKey>, DatabaseError> {
    old.query(|old| {
        new.query(|new| merge(old, new, after, limit))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    })
}

/// The ecosystems for which one of the databases has rules and the other has none, and those whose support has ended by
/// one of them alone.
///
/// Images of such a release go from "not covered" to covered, or back, or from clean to ended, whatever packages they hold:
/// no list of packages can name them all.
pub fn changed_ecosystems(old: &Database, new: &Database) -> Vec<String> {
    let names: BTreeSet<String> =
        [old, new].iter().flat_map(|database| database.ecosystems().into_keys()).collect();
    let is_ended =
        |name: &str, database| Ecosystem::parse(name).and_then(|found| ended(&found, database)).is_some();
    let differs = |name: &String| {
        old.has_ecosystem(name) != new.has_ecosystem(name) || is_ended(name, old) != is_ended(name, new)
    };
    names.into_iter().filter(differs).collect()
}

type Row = (String, String, Vec<u8>);

/// Both sides are sorted: one pass over them finds what differs.
fn merge(
    old: &Connection,
    new: &Connection,
    after: Option<&PackageKey>,
    limit: usize,
) -> rusqlite::Result<Vec<PackageKey>> {
    let (mut old, mut new) = (select(old)?, select(new)?);
    let (mut old_rows, mut new_rows) = (start(&mut old, after)?, start(&mut new, after)?);
    let (mut left, mut right) = (next(&mut old_rows)?, next(&mut new_rows)?);
    let mut changed = Vec::new();
    while changed.len() < limit {
        let order = match (&left, &right) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => (&left.0, &left.1).cmp(&(&right.0, &right.1)),
        };
        let differs =
            order != Ordering::Equal || left.as_ref().map(|row| &row.2) != right.as_ref().map(|row| &row.2);
        let from_left = if order.is_le() { std::mem::replace(&mut left, next(&mut old_rows)?) } else { None };
        let from_right =
            if order.is_ge() { std::mem::replace(&mut right, next(&mut new_rows)?) } else { None };
        if let Some((kind, name, _)) = from_left.or(from_right).filter(|_| differs) {
            changed.extend(PackageKind::from_name(&kind).map(|kind| PackageKey { kind, name }));
        }
    }
    Ok(changed)
}

fn select(connection: &Connection) -> rusqlite::Result<Statement<'_>> {
    connection
        .prepare("SELECT kind, name, digest FROM package WHERE (kind, name) > (?1, ?2) ORDER BY kind, name")
}

fn start<'s>(statement: &'s mut Statement<'_>, after: Option<&PackageKey>) -> rusqlite::Result<Rows<'s>> {
    // No kind is named by the empty text: it comes before every key.
    let (kind, name) = after.map_or(("", ""), |key| (key.kind.as_str(), key.name.as_str()));
    statement.query([kind, name])
}

fn next(rows: &mut Rows<'_>) -> rusqlite::Result<Option<Row>> {
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?, row.get(2)?))),
        None => Ok(None),
    }
}
