//! What is in the file.

use std::path::Path;

use cve_monitor_core::ports::Depth;
use cve_monitor_core::vocabulary::{Lane, Timestamp};
use rusqlite::{Connection, Row};

use crate::embedded::sqlite::depth_of;
use crate::embedded::{Database, DatabaseError};

/// What is in the file, and how large it is. The counts are of nearly one moment: each group is read by itself, so that
/// counting millions of rows does not hold up the writers' log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The version of the schema.
    pub schema_version: u32,
    /// Events in all streams.
    pub events: u64,
    /// Streams by their kind, and those that wait.
    pub heads: Heads,
    /// What waits and what is leased, most urgent lane first.
    pub lanes: Vec<(Lane, Depth)>,
    /// Dead letters.
    pub dead_letters: u64,
    /// Report bodies.
    pub bodies: Bodies,
    /// The layer index.
    pub layer_index: Indexed,
    /// The file, in bytes.
    pub file_bytes: u64,
    /// The write-ahead log beside it, in bytes.
    pub log_bytes: u64,
}

/// Streams by their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// All streams.
    pub streams: u64,
    /// Of images.
    pub images: u64,
    /// Of feeds.
    pub feeds: u64,
    /// Of registries' reconciliations.
    pub reconciliations: u64,
    /// Those that wait for a time.
    pub waiting_for_a_time: u64,
    /// Those that wait for the scanner.
    pub waiting_for_the_scanner: u64,
}

/// Report bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bodies {
    /// How many.
    pub count: u64,
    /// Their length, in bytes.
    pub bytes: u64,
    /// What they take in the file, compressed, in bytes.
    pub stored_bytes: u64,
}

/// The layer index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indexed {
    /// Pairs of key and image.
    pub rows: u64,
    /// Distinct keys ever recorded.
    pub keys: u64,
    /// Distinct images ever recorded.
    pub images: u64,
}

// A name with `/` comes before the same name with `0`, the character after it.
const HEADS: &str = "SELECT count(*),
    (SELECT count(*) FROM heads WHERE stream >= 'image/' AND stream < 'image0'),
    (SELECT count(*) FROM heads WHERE stream >= 'feed/' AND stream < 'feed0'),
    (SELECT count(*) FROM heads WHERE stream >= 'reconcile/' AND stream < 'reconcile0'),
    (SELECT count(*) FROM heads WHERE due_kind = 1),
    (SELECT count(*) FROM heads WHERE due_kind = 2)
    FROM heads";
const BODIES: &str = "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(length(body)), 0) FROM bodies";
const INDEXED: &str = "SELECT (SELECT count(*) FROM layer_index), (SELECT count(*) FROM layer_keys),
    (SELECT count(*) FROM layer_images)";

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

async fn one<T: Send + 'static>(
    database: &Database,
    sql: &'static str,
    of: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, DatabaseError> {
    database.read(move |state| Ok(state.query_row(sql, [], of)?)).await
}

fn heads(row: &Row<'_>) -> rusqlite::Result<Heads> {
    Ok(Heads {
        streams: number(row, 0)?,
        images: number(row, 1)?,
        feeds: number(row, 2)?,
        reconciliations: number(row, 3)?,
        waiting_for_a_time: number(row, 4)?,
        waiting_for_the_scanner: number(row, 5)?,
    })
}

fn bodies(row: &Row<'_>) -> rusqlite::Result<Bodies> {
    Ok(Bodies { count: number(row, 0)?, bytes: number(row, 1)?, stored_bytes: number(row, 2)? })
}

fn indexed(row: &Row<'_>) -> rusqlite::Result<Indexed> {
    Ok(Indexed { rows: number(row, 0)?, keys: number(row, 1)?, images: number(row, 2)? })
}

fn lanes(state: &Connection, now: Timestamp) -> Result<Vec<(Lane, Depth)>, DatabaseError> {
    Lane::ALL.into_iter().map(|lane| Ok((lane, depth_of(state, lane, now)?))).collect()
}

fn length(path: &Path) -> u64 {
    // There is no log between two processes' work.
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Counts what is in the file. `now` tells messages that are leased from those whose lease has ended.
///
/// # Errors
/// Where the database does not answer.
pub async fn stats(database: &Database, now: Timestamp) -> Result<Stats, DatabaseError> {
    let mut log = database.path().as_os_str().to_owned();
    log.push("-wal");
    Ok(Stats {
        schema_version: one(database, "PRAGMA user_version", |row| row.get(0)).await?,
        events: one(database, "SELECT count(*) FROM events", |row| number(row, 0)).await?,
        heads: one(database, HEADS, heads).await?,
        lanes: database.read(move |state| lanes(state, now)).await?,
        dead_letters: one(database, "SELECT count(*) FROM dead_letters", |row| number(row, 0)).await?,
        bodies: one(database, BODIES, bodies).await?,
        layer_index: one(database, INDEXED, indexed).await?,
        file_bytes: length(database.path()),
        log_bytes: length(Path::new(&log)),
    })
}
