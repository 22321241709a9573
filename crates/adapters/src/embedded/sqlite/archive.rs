//! Report bodies by digest in the SQLite file.

mod coding;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{ArchiveError, Clock, MAX_BODY_BYTES, ReportArchive};
use cve_monitor_core::vocabulary::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};

use self::coding::Coded;
use crate::embedded::{Database, DatabaseError};

/// A [`ReportArchive`] in the SQLite file. Bodies are compressed where that makes them smaller. The clock dates them: a
/// body that is put again is as young as a new one, so that no clearing removes it before an event names it.
#[derive(Debug, Clone)]
pub struct SqliteArchive {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl SqliteArchive {
    /// The bodies of this file.
    #[must_use]
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }
}

/// Ports speak of one body: damage that SQLite finds is damage of the body that was asked for.
fn failed(error: DatabaseError, digest: &Digest) -> ArchiveError {
    match error {
        DatabaseError::Unavailable(problem) => ArchiveError::Transient(problem),
        DatabaseError::Damaged(_) => ArchiveError::Corrupt(digest.clone()),
        DatabaseError::Refused(problem) => ArchiveError::Permanent(problem),
        other => ArchiveError::Permanent(other.to_string()),
    }
}

fn put(tx: &Connection, digest: &str, at: i64, coded: &Coded) -> Result<(), DatabaseError> {
    tx.prepare_cached(
        "INSERT INTO bodies (digest, put_at, size, coding, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (digest) DO UPDATE SET put_at = max(put_at, excluded.put_at), size = excluded.size,
                                            coding = excluded.coding, body = excluded.body",
    )?
    .execute(params![digest, at, coded.size, coded.coding, coded.bytes])?;
    Ok(())
}

fn get(state: &Connection, digest: &str) -> Result<Option<Coded>, DatabaseError> {
    let mut statement = state.prepare_cached("SELECT size, coding, body FROM bodies WHERE digest = ?1")?;
    let coded = statement
        .query_row([digest], |row| Ok(Coded { size: row.get(0)?, coding: row.get(1)?, bytes: row.get(2)? }));
    Ok(coded.optional()?)
}

#[async_trait]
impl ReportArchive for SqliteArchive {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        if body.len() > MAX_BODY_BYTES {
            let length = body.len();
            return Err(ArchiveError::Permanent(format!(
                "a body of {length} bytes is over the bound of {MAX_BODY_BYTES}"
            )));
        }
        let body = body.to_vec();
        let prepared = tokio::task::spawn_blocking(move || (Digest::of(&body), Coded::smallest(body)));
        let (digest, coded) = prepared
            .await
            .map_err(|error| ArchiveError::Transient(format!("the body was not compressed: {error}")))?;
        let (key, at) = (digest.hex().to_owned(), self.clock.now().as_millis());
        let written = self.database.write(move |tx| put(tx, &key, at, &coded)).await;
        written.map_err(|error| failed(error, &digest))?;
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        let asked = digest.clone();
        let read = self.database.read(move |state| {
            let Some(coded) = get(state, asked.hex())? else { return Ok(None) };
            let body = coded.decoded().filter(|body| Digest::of(body) == asked);
            body.map(Some).ok_or_else(|| DatabaseError::Damaged(format!("the body {asked}")))
        });
        read.await.map_err(|error| failed(error, digest))
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        let key = digest.hex().to_owned();
        let remove = move |tx: &rusqlite::Transaction<'_>| {
            tx.prepare_cached("DELETE FROM bodies WHERE digest = ?1")?.execute([key])?;
            Ok(())
        };
        self.database.write(remove).await.map_err(|error| failed(error, digest))
    }
}
