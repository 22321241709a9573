//! What the figures stand beside: the same disk and the same file without us, or as others would ask it. And what is put
//! back to what it was.

use std::path::Path;
use std::time::Instant;

use cve_monitor_adapters::embedded::{Database, SqliteEventStore};
use cve_monitor_core::ports::EventStore as _;
use cve_monitor_core::scan::{Head, StreamId};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::Failure;

/// Heads that are read at a time.
const PAGE: usize = 1_000;
/// Rows of one transaction.
const ROWS: u64 = 1_000;
/// About as long as a request.
const ROW_BYTES: usize = 300;

fn file(folder: &Path) -> Result<Connection, Failure> {
    Ok(Connection::open(folder.join("state.db"))?)
}

fn count(file: &Connection, sql: &str) -> Result<i64, Failure> {
    Ok(file.query_row(sql, [], |row| row.get(0))?)
}

/// How many requests wait in each lane; then there are none.
pub(crate) fn forget_requests(folder: &Path) -> Result<Value, Failure> {
    let file = file(folder)?;
    let of = |lane: &str| count(&file, &format!("SELECT count(*) FROM queue WHERE lane = '{lane}'"));
    let counted = json!({"push": of("push")?, "change": of("change")?, "backfill": of("backfill")?});
    file.execute_batch("DELETE FROM queue; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(counted)
}

/// How much the layer index holds; then, if it is to be lost, nothing.
pub(crate) fn index(folder: &Path, is_lost: bool) -> Result<Value, Failure> {
    let file = file(folder)?;
    let counted = json!({
        "rows": count(&file, "SELECT count(*) FROM layer_index")?,
        "keys": count(&file, "SELECT count(*) FROM layer_keys")?,
        "images": count(&file, "SELECT count(*) FROM layer_images")?,
    });
    if is_lost {
        file.execute_batch(
            "DELETE FROM layer_index; DELETE FROM layer_keys; DELETE FROM layer_images; PRAGMA wal_checkpoint(TRUNCATE)",
        )?;
    }
    Ok(counted)
}

/// One look at every image, as whoever polls has to take it: its head, and whether it has a report.
pub(crate) async fn poll(folder: &Path) -> Result<Value, Failure> {
    let store = SqliteEventStore::new(Database::open(folder.join("state.db"))?);
    let began = Instant::now();
    let (mut after, mut reported) = (None, 0_u64);
    loop {
        let page = store.heads(StreamId::IMAGES, after, PAGE).await?;
        let has = |head: &Head| head.image().is_some_and(|image| image.last_report.is_some());
        reported += page.items.iter().filter(|(_, head)| has(head)).count() as u64;
        after = page.next;
        if after.is_none() {
            return Ok(json!({"reported": reported, "seconds": began.elapsed().as_secs_f64()}));
        }
    }
}

/// The bodies of all events, in the order of their appends, and nothing done with them.
pub(crate) fn read(folder: &Path) -> Result<Value, Failure> {
    let file = file(folder)?;
    let began = Instant::now();
    let bytes = count(&file, "SELECT sum(length(CAST(body AS BLOB)) + unicode(body)) FROM events")?;
    Ok(json!({"bytes": bytes, "seconds": began.elapsed().as_secs_f64()}))
}

/// So many rows of a request's length into a table without an index, as durable, a thousand a commit.
pub(crate) fn inserts(folder: &Path, rows: u64) -> Result<Value, Failure> {
    let path = folder.join("raw.db");
    let forget = || ["", "-wal", "-shm"].map(|end| std::fs::remove_file(folder.join(format!("raw.db{end}"))));
    let _ = forget();
    let mut raw = Connection::open(&path)?;
    raw.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE requests (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    )?;
    let body = "x".repeat(ROW_BYTES);
    let began = Instant::now();
    let mut left = rows;
    while left > 0 {
        let transaction = raw.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO requests (body) VALUES (?1)")?;
            for _ in 0..left.min(ROWS) {
                insert.execute(params![body])?;
            }
        }
        transaction.commit()?;
        left -= left.min(ROWS);
    }
    let seconds = began.elapsed().as_secs_f64();
    drop(raw);
    let _ = forget();
    Ok(json!({"rows": rows, "seconds": seconds}))
}
