//! Removing what nobody needs any more.

use std::time::Duration;

use cve_monitor_core::scan::{Head, HeadState, decode_head};
use cve_monitor_core::vocabulary::{Digest, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::blocking;
use crate::embedded::{Database, DatabaseError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Bodies younger than this are never removed, whatever the retention says: a body is put before the event that names it.
pub const MIN_BODY_RETENTION: Duration = DAY;
/// How many rows are read or removed at a time.
const BATCH: usize = 500;

/// How long what is not needed is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Bodies of reports that are not the last of their image.
    pub report_bodies: Duration,
    /// Dead letters.
    pub dead_letters: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { report_bodies: 90 * DAY, dead_letters: 30 * DAY }
    }
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Bodies of reports.
    pub bodies: u64,
    /// What these took in the file, in bytes.
    pub body_bytes: u64,
    /// Dead letters.
    pub dead_letters: u64,
}

/// Removes bodies and dead letters that are older than the retention. Never an event, and never the body of an image's
/// last report, however old: the next report's "new" and "gone" are computed from it. The room in the file is used
/// again; the file itself does not shrink ([`super::backup`] makes a copy without the gaps).
///
/// # Errors
/// Where the retention of bodies is under [`MIN_BODY_RETENTION`], and where a head cannot be read: then it is not known
/// which bodies are needed, and none is removed.
pub async fn prune(
    database: &Database,
    retention: Retention,
    now: Timestamp,
) -> Result<Pruned, DatabaseError> {
    if retention.report_bodies < MIN_BODY_RETENTION {
        return Err(DatabaseError::Refused(format!(
            "a retention of report bodies of {} s is under the least of {} s",
            retention.report_bodies.as_secs(),
            MIN_BODY_RETENTION.as_secs()
        )));
    }
    let mut pruned = Pruned::default();
    prune_bodies(database, now.minus(retention.report_bodies), &mut pruned).await?;
    prune_letters(database, now.minus(retention.dead_letters), &mut pruned).await?;
    Ok(pruned)
}

async fn prune_bodies(
    database: &Database,
    cutoff: Timestamp,
    pruned: &mut Pruned,
) -> Result<(), DatabaseError> {
    let opener = database.clone();
    let mut sweep = blocking(move || Sweep::begin(opener.connect()?, cutoff)).await?;
    loop {
        let (rest, unneeded) = blocking(move || sweep.next_batch()).await?;
        sweep = rest;
        if unneeded.is_empty() {
            return Ok(());
        }
        let (bodies, bytes) = database.write(move |tx| remove_bodies(tx, &unneeded, cutoff)).await?;
        pruned.bodies += bodies;
        pruned.body_bytes += bytes;
    }
}

/// Looks for bodies that no head needs. What is needed is marked in a temporary table, so that memory does not grow
/// with the number of images. A head that changes meanwhile names a body that was just put: too young to be removed.
struct Sweep {
    connection: Connection,
    cutoff: Timestamp,
    after: (i64, String),
}

impl Sweep {
    fn begin(connection: Connection, cutoff: Timestamp) -> Result<Self, DatabaseError> {
        connection.execute_batch("CREATE TEMP TABLE needed (digest TEXT PRIMARY KEY) WITHOUT ROWID")?;
        let mut after = String::new();
        loop {
            let heads = heads(&connection, &after)?;
            let Some((last, _)) = heads.last() else { break };
            after.clone_from(last);
            let marking = connection.unchecked_transaction()?;
            let mut mark = marking.prepare_cached("INSERT OR IGNORE INTO needed VALUES (?1)")?;
            for digest in heads.iter().flat_map(|(_, head)| needed_by(head)) {
                mark.execute([digest.hex()])?;
            }
            drop(mark);
            marking.commit()?;
        }
        Ok(Self { connection, cutoff, after: (i64::MIN, String::new()) })
    }

    fn next_batch(mut self) -> Result<(Self, Vec<String>), DatabaseError> {
        let mut found: Vec<(i64, String)> = vec![];
        {
            let mut statement = self.connection.prepare_cached(
                "SELECT put_at, digest FROM bodies
                 WHERE put_at < ?1 AND (put_at, digest) > (?2, ?3)
                   AND NOT EXISTS (SELECT 1 FROM needed WHERE needed.digest = bodies.digest)
                 ORDER BY put_at, digest LIMIT ?4",
            )?;
            let (at, digest) = &self.after;
            let mut rows = statement.query(params![self.cutoff.as_millis(), at, digest, batch()])?;
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, row.get(1)?));
            }
        }
        if let Some(last) = found.last() {
            self.after.clone_from(last);
        }
        Ok((self, found.into_iter().map(|(_, digest)| digest).collect()))
    }
}

fn batch() -> i64 {
    i64::try_from(BATCH).unwrap_or(i64::MAX)
}

/// The bodies that a head names: an image's last report, and what a feed's cursors stand for where they are digests.
fn needed_by(head: &Head) -> Vec<Digest> {
    match &head.state {
        HeadState::Image(image) => image.last_report.iter().map(|report| report.body.clone()).collect(),
        HeadState::Feed(feed) => {
            let of_change = feed.fan_out.iter().flat_map(|change| [&change.from, &change.to]);
            feed.cursor.iter().chain(of_change).filter_map(|cursor| cursor.0.parse().ok()).collect()
        }
        HeadState::Reconcile(_) => vec![],
    }
}

fn heads(connection: &Connection, after: &str) -> Result<Vec<(String, Head)>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT stream, body FROM heads WHERE stream > ?1 ORDER BY stream LIMIT ?2")?;
    let mut rows = statement.query(params![after, batch()])?;
    let mut heads = vec![];
    while let Some(row) = rows.next()? {
        let stream: String = row.get(0)?;
        let head = decode_head(row.get_ref(1)?.as_blob().unwrap_or_default());
        let head =
            head.map_err(|error| DatabaseError::Damaged(format!("nothing was removed: {stream}: {error}")))?;
        heads.push((stream, head));
    }
    Ok(heads)
}

/// Looks at the age again: a body that was put once more since is young.
fn remove_bodies(
    tx: &Transaction<'_>,
    digests: &[String],
    cutoff: Timestamp,
) -> Result<(u64, u64), DatabaseError> {
    let mut remove =
        tx.prepare_cached("DELETE FROM bodies WHERE digest = ?1 AND put_at < ?2 RETURNING length(body)")?;
    let (mut bodies, mut bytes) = (0, 0);
    for digest in digests {
        let mut removed = remove.query(params![digest, cutoff.as_millis()])?;
        while let Some(row) = removed.next()? {
            bodies += 1;
            bytes += u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        }
    }
    Ok((bodies, bytes))
}

async fn prune_letters(
    database: &Database,
    cutoff: Timestamp,
    pruned: &mut Pruned,
) -> Result<(), DatabaseError> {
    loop {
        let removed = database.write(move |tx| remove_letters(tx, cutoff)).await?;
        pruned.dead_letters += removed as u64;
        if removed < BATCH {
            return Ok(());
        }
    }
}

fn remove_letters(tx: &Transaction<'_>, cutoff: Timestamp) -> Result<usize, DatabaseError> {
    let mut remove = tx.prepare_cached(
        "DELETE FROM dead_letters WHERE seq IN (SELECT seq FROM dead_letters WHERE at < ?1 ORDER BY at LIMIT ?2)",
    )?;
    Ok(remove.execute(params![cutoff.as_millis(), batch()])?)
}
