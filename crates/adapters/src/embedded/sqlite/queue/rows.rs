//! What a queue asks of the table `queue`.

use cve_monitor_core::ports::{Delivery, Depth, Lease, Unreadable};
use cve_monitor_core::vocabulary::{Lane, Timestamp};
use rusqlite::{Connection, Row, params};

use crate::embedded::DatabaseError;
use crate::embedded::sqlite::natural;

/// The oldest messages of a lane that wait.
pub(super) const WAITING: &str =
    "SELECT seq, deliveries, body FROM queue WHERE lane = ?1 AND deliveries = 0 ORDER BY seq LIMIT ?2";
/// Messages of a lane whose lease has ended.
pub(super) const LAPSED: &str = "SELECT seq, deliveries, body FROM queue
     WHERE lane = ?1 AND deliveries > 0 AND visible_at <= ?3 ORDER BY visible_at LIMIT ?2";
/// The same request, waiting in the same lane.
pub(super) const SAME: &str =
    "SELECT EXISTS (SELECT 1 FROM queue WHERE lane = ?1 AND request = ?2 AND deliveries = 0 AND body = ?3)";
/// Whether a lane has anything to give.
pub(super) const READY: &str = "SELECT EXISTS (SELECT 1 FROM queue WHERE lane = ?1 AND deliveries = 0)
         OR EXISTS (SELECT 1 FROM queue WHERE lane = ?1 AND deliveries > 0 AND visible_at <= ?2)";

/// Whether a lease held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
}

impl Held {
    pub(super) fn of(rows_changed: usize) -> Self {
        if rows_changed == 1 { Self::Yes } else { Self::No }
    }
}

/// A message with the lease that it has just been given.
pub(super) struct Message {
    seq: i64,
    deliveries: u32,
    body: String,
}

impl Message {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { seq: row.get(0)?, deliveries: row.get(1)?, body: row.get(2)? })
    }

    pub(super) fn into_delivery(self) -> Delivery {
        let request = serde_json::from_str(&self.body)
            .map_err(|problem| Unreadable { body: self.body, problem: problem.to_string() });
        // The next delivery has another number: what an ended lease is called never comes again.
        let lease = Lease(format!("{}/{}", self.seq, self.deliveries));
        Delivery { lease, deliveries: self.deliveries, request }
    }
}

/// The message and the delivery that a lease names; none where it is no lease of ours, which is as good as lost.
pub(super) fn named_by(lease: &Lease) -> Option<(i64, u32)> {
    let (seq, delivery) = lease.0.split_once('/')?;
    Some((seq.parse().ok()?, delivery.parse().ok()?))
}

pub(super) fn send(
    tx: &Connection,
    lane: Lane,
    requests: &[(String, String)],
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let mut same = tx.prepare_cached(SAME)?;
    let mut add =
        tx.prepare_cached("INSERT INTO queue (lane, request, body, sent_at) VALUES (?1, ?2, ?3, ?4)")?;
    for (id, body) in requests {
        let waits: bool = same.query_row(params![lane.as_str(), id, body], |row| row.get(0))?;
        if !waits {
            add.execute(params![lane.as_str(), id, body, now.as_millis()])?;
        }
    }
    Ok(())
}

pub(super) fn has_ready(state: &Connection, lane: Lane, now: Timestamp) -> Result<bool, DatabaseError> {
    let mut ready = state.prepare_cached(READY)?;
    Ok(ready.query_row(params![lane.as_str(), now.as_millis()], |row| row.get(0))?)
}

pub(super) fn lease(
    tx: &Connection,
    lane: Lane,
    max: usize,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Message>, DatabaseError> {
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut lapsed = tx.prepare_cached(LAPSED)?;
    let lapsed = lapsed.query_map(params![lane.as_str(), limit, now.as_millis()], Message::of)?;
    let mut waiting = tx.prepare_cached(WAITING)?;
    let waiting = waiting.query_map(params![lane.as_str(), limit], Message::of)?;
    let mut messages = lapsed.chain(waiting).collect::<Result<Vec<_>, _>>()?;
    // By age: what comes back has waited longest.
    messages.sort_by_key(|message| message.seq);
    messages.truncate(max);
    let mut take = tx.prepare_cached("UPDATE queue SET deliveries = ?2, visible_at = ?3 WHERE seq = ?1")?;
    for message in &mut messages {
        message.deliveries = message.deliveries.saturating_add(1);
        take.execute(params![message.seq, message.deliveries, until.as_millis()])?;
    }
    Ok(messages)
}

pub(super) fn extend(
    tx: &Connection,
    lease: &Lease,
    now: Timestamp,
    until: Timestamp,
) -> Result<Held, DatabaseError> {
    let Some((seq, delivery)) = named_by(lease) else { return Ok(Held::No) };
    let mut extend = tx.prepare_cached(
        "UPDATE queue SET visible_at = ?3 WHERE seq = ?1 AND deliveries = ?2 AND visible_at > ?4",
    )?;
    let changed = extend.execute(params![seq, delivery, until.as_millis(), now.as_millis()])?;
    Ok(Held::of(changed))
}

/// Removes the message; where nobody has received it since, an ended lease does so too.
pub(super) fn end(tx: &Connection, lease: &Lease) -> Result<Held, DatabaseError> {
    let Some((seq, delivery)) = named_by(lease) else { return Ok(Held::No) };
    let mut remove = tx.prepare_cached("DELETE FROM queue WHERE seq = ?1 AND deliveries = ?2")?;
    Ok(Held::of(remove.execute(params![seq, delivery])?))
}

pub(in crate::embedded) fn depth(
    state: &Connection,
    lane: Lane,
    now: Timestamp,
) -> Result<Depth, DatabaseError> {
    let mut count = state.prepare_cached(
        "SELECT (SELECT count(*) FROM queue WHERE lane = ?1 AND deliveries = 0),
                (SELECT count(*) FROM queue WHERE lane = ?1 AND deliveries > 0 AND visible_at <= ?2),
                (SELECT count(*) FROM queue WHERE lane = ?1 AND deliveries > 0 AND visible_at > ?2)",
    )?;
    let (waiting, lapsed, leased): (i64, i64, i64) = count
        .query_row(params![lane.as_str(), now.as_millis()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(Depth { ready: natural(waiting)? + natural(lapsed)?, leased: natural(leased)? })
}
