//! What a queue asks of the table `dead_letters`.

use cve_monitor_core::ports::{DeadLetter, DeadLetterReason, Lease};
use cve_monitor_core::vocabulary::{Lane, Page, PageToken, RequestId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{self, Held};
use crate::embedded::DatabaseError;
use crate::embedded::sqlite::token_numbers;

/// Every reason, to read its word back.
const REASONS: [DeadLetterReason; 7] = [
    DeadLetterReason::Unreadable,
    DeadLetterReason::UnknownRegistry,
    DeadLetterReason::Denied,
    DeadLetterReason::Corrupt,
    DeadLetterReason::Failed,
    DeadLetterReason::AttemptsExhausted,
    DeadLetterReason::KillsWorkers,
];

fn lane_of(word: &str) -> Result<Lane, DatabaseError> {
    let found = Lane::ALL.into_iter().find(|lane| lane.as_str() == word);
    found.ok_or_else(|| DatabaseError::Damaged(format!("a dead letter names the lane `{word}`")))
}

fn reason_of(word: &str) -> Result<DeadLetterReason, DatabaseError> {
    let found = REASONS.into_iter().find(|reason| reason.as_str() == word);
    found.ok_or_else(|| DatabaseError::Damaged(format!("a dead letter names the reason `{word}`")))
}

pub(super) fn bury(tx: &Connection, lease: &Lease, letter: &DeadLetter) -> Result<Held, DatabaseError> {
    if let Held::No = rows::end(tx, lease)? {
        return Ok(Held::No);
    }
    // Buried twice under one id: one letter, the latest.
    tx.prepare_cached(
        "INSERT OR REPLACE INTO dead_letters (id, lane, reason, detail, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        letter.id.0,
        letter.lane.as_str(),
        letter.reason.as_str(),
        letter.detail,
        letter.body,
        letter.at.as_millis()
    ])?;
    Ok(Held::Yes)
}

fn letter_of(row: &Row<'_>) -> Result<(i64, DeadLetter), DatabaseError> {
    let lane: String = row.get(2)?;
    let reason: String = row.get(3)?;
    let letter = DeadLetter {
        id: RequestId(row.get(1)?),
        lane: lane_of(&lane)?,
        reason: reason_of(&reason)?,
        detail: row.get(4)?,
        body: row.get(5)?,
        at: Timestamp::from_millis(row.get(6)?),
    };
    Ok((row.get(0)?, letter))
}

pub(super) fn page(
    state: &Connection,
    after: Option<&PageToken>,
    (limit, sql_limit): (usize, i64),
) -> Result<Page<DeadLetter>, DatabaseError> {
    let [after] = after.map_or(Ok([0]), token_numbers)?;
    let mut statement = state.prepare_cached(
        "SELECT seq, id, lane, reason, detail, body, at FROM dead_letters WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query([after, sql_limit])?;
    let (mut items, mut last) = (vec![], after);
    while let Some(row) = rows.next()? {
        let (seq, letter) = letter_of(row)?;
        last = seq;
        items.push(letter);
    }
    let next = (items.len() == limit).then(|| PageToken(last.to_string()));
    Ok(Page { items, next })
}

/// Answers the lane that the letter was sent to; none where there is no such letter.
pub(super) fn redrive(
    tx: &Connection,
    id: &RequestId,
    now: Timestamp,
) -> Result<Option<Lane>, DatabaseError> {
    let mut remove = tx.prepare_cached("DELETE FROM dead_letters WHERE id = ?1 RETURNING lane, body")?;
    let removed = remove.query_row([&id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((lane, body)): Option<(String, String)> = removed else { return Ok(None) };
    let lane = lane_of(&lane)?;
    rows::send(tx, lane, &[(id.0.clone(), body)], now)?;
    Ok(Some(lane))
}
