//! What an event store asks of the tables `heads` and `events`.

use cve_monitor_core::scan::{CodecError, Due, Head, RecordedEvent, StreamId, decode_event, decode_head};
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::embedded::DatabaseError;
use crate::embedded::sqlite::natural;

/// `due_kind` of a head that waits for a time.
const DUE_AT: i64 = 1;
/// `due_kind` of a head that waits for the scanner.
const DUE_SCANNER: i64 = 2;

/// Heads by name, after one.
pub(super) const HEADS_AFTER: &str =
    "SELECT stream, version, body FROM heads WHERE stream > ?1 ORDER BY stream LIMIT ?2";
const HEADS_FROM: &str =
    "SELECT stream, version, body FROM heads WHERE stream >= ?1 ORDER BY stream LIMIT ?2";
/// Heads that wait, earliest first.
pub(super) const DUE: &str = "SELECT stream, version, body, due_at FROM heads
     WHERE due_kind = ?1 AND due_at <= ?2 AND (due_at, stream) > (?3, ?4)
     ORDER BY due_at, stream LIMIT ?5";
/// Events of one stream.
pub(super) const EVENTS_OF_STREAM: &str = "SELECT body FROM events
     WHERE stream = (SELECT id FROM heads WHERE stream = ?1) AND version >= ?2 ORDER BY version LIMIT ?3";
/// The same bound as a number of entries and as SQL takes it.
pub(super) type Limit = (usize, i64);

pub(super) struct NewEvent {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) body: Vec<u8>,
}

pub(super) struct NewHead {
    pub(super) version: i64,
    pub(super) due: Option<Due>,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Written,
    Conflict,
}

fn unreadable(of: &str) -> impl Fn(CodecError) -> DatabaseError {
    move |error| match error {
        CodecError::Newer { .. } => DatabaseError::Refused(format!("{of}: {error}")),
        _ => DatabaseError::Damaged(format!("{of}: {error}")),
    }
}

fn due_columns(due: Option<&Due>) -> (Option<i64>, Option<i64>) {
    match due {
        None => (None, None),
        Some(Due::At(at)) => (Some(DUE_AT), Some(at.as_millis())),
        // One instant for all: they are listed in the order of their names.
        Some(Due::ScannerReady) => (Some(DUE_SCANNER), Some(0)),
    }
}

/// The number and the version of a stream; a stream without events has neither.
fn stream_row(tx: &Connection, stream: &str) -> Result<Option<(i64, i64)>, DatabaseError> {
    let mut statement = tx.prepare_cached("SELECT id, version FROM heads WHERE stream = ?1")?;
    Ok(statement.query_row([stream], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Whether these very events stand after version `expected`.
fn stands(tx: &Connection, stream: i64, expected: i64, events: &[NewEvent]) -> Result<bool, DatabaseError> {
    let mut statement = tx.prepare_cached("SELECT id FROM events WHERE stream = ?1 AND version = ?2")?;
    for (version, event) in (expected.saturating_add(1)..).zip(events) {
        let found: Option<String> = statement.query_row([stream, version], |row| row.get(0)).optional()?;
        if found.as_deref() != Some(event.id.as_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn append(
    tx: &Connection,
    stream: &str,
    expected: i64,
    events: &[NewEvent],
    head: &NewHead,
) -> Result<Outcome, DatabaseError> {
    let id = match stream_row(tx, stream)? {
        Some((id, version)) if version != expected => {
            let repeated = version > expected && stands(tx, id, expected, events)?;
            return Ok(if repeated { Outcome::Written } else { Outcome::Conflict });
        }
        None if expected != 0 => return Ok(Outcome::Conflict),
        Some((id, _)) => {
            let (kind, at) = due_columns(head.due.as_ref());
            tx.prepare_cached(
                "UPDATE heads SET version = ?2, due_kind = ?3, due_at = ?4, body = ?5 WHERE id = ?1",
            )?
            .execute(params![id, head.version, kind, at, head.body])?;
            id
        }
        None => {
            let (kind, at) = due_columns(head.due.as_ref());
            tx.prepare_cached(
                "INSERT INTO heads (stream, version, due_kind, due_at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![stream, head.version, kind, at, head.body])?
        }
    };
    let mut insert =
        tx.prepare_cached("INSERT INTO events (stream, version, id, at, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (version, event) in (expected + 1..).zip(events) {
        insert.execute(params![id, version, event.id, event.at, event.body])?;
    }
    Ok(Outcome::Written)
}

pub(super) fn rewrite_head(tx: &Connection, stream: &str, head: &NewHead) -> Result<Outcome, DatabaseError> {
    let (kind, at) = due_columns(head.due.as_ref());
    let rewritten = tx
        .prepare_cached(
            "UPDATE heads SET due_kind = ?3, due_at = ?4, body = ?5 WHERE stream = ?1 AND version = ?2",
        )?
        .execute(params![stream, head.version, kind, at, head.body])?;
    Ok(if rewritten == 1 { Outcome::Written } else { Outcome::Conflict })
}

fn decoded_head(stream: &str, version: i64, body: &[u8]) -> Result<Head, DatabaseError> {
    let head = decode_head(body).map_err(unreadable(stream))?;
    if head.version == natural(version)? {
        return Ok(head);
    }
    let says = head.version;
    Err(DatabaseError::Damaged(format!("the head of {stream} says version {says}, its row {version}")))
}

pub(super) fn head(state: &Connection, stream: &str) -> Result<Option<Head>, DatabaseError> {
    let mut statement = state.prepare_cached("SELECT version, body FROM heads WHERE stream = ?1")?;
    let mut rows = statement.query([stream])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    decoded_head(stream, row.get(0)?, row.get_ref(1)?.as_blob().unwrap_or_default()).map(Some)
}

fn head_of_row(row: &Row<'_>) -> Result<(StreamId, Head), DatabaseError> {
    let stream: String = row.get(0)?;
    let head = decoded_head(&stream, row.get(1)?, row.get_ref(2)?.as_blob().unwrap_or_default())?;
    Ok((StreamId(stream), head))
}

pub(super) fn heads(
    state: &Connection,
    prefix: &str,
    after: Option<PageToken>,
    (limit, sql_limit): Limit,
) -> Result<Page<(StreamId, Head)>, DatabaseError> {
    // One bound alone, so that the index is entered there and no earlier row is passed over again.
    let after = after.map(|token| token.0).filter(|after| after.as_str() >= prefix);
    let mut statement = state.prepare_cached(if after.is_some() { HEADS_AFTER } else { HEADS_FROM })?;
    let mut rows = statement.query(params![after.as_deref().unwrap_or(prefix), sql_limit])?;
    let mut items = vec![];
    while let Some(row) = rows.next()? {
        let (stream, head) = head_of_row(row)?;
        if !stream.0.starts_with(prefix) {
            return Ok(Page::last(items));
        }
        items.push((stream, head));
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|(stream, _)| PageToken(stream.0.clone()));
    Ok(Page { items, next })
}

pub(super) fn due(
    state: &Connection,
    kind: &Due,
    before: Timestamp,
    after: Option<PageToken>,
    (limit, sql_limit): Limit,
) -> Result<Page<(StreamId, Head)>, DatabaseError> {
    let (kind, until) = match kind {
        Due::At(_) => (DUE_AT, before.as_millis()),
        Due::ScannerReady => (DUE_SCANNER, 0),
    };
    let after = after.map(|token| place_of_token(&token)).transpose()?;
    let (after_at, after_stream) = after.unwrap_or((i64::MIN, String::new()));
    let mut statement = state.prepare_cached(DUE)?;
    let mut rows = statement.query(params![kind, until, after_at, after_stream, sql_limit])?;
    let (mut items, mut last_at) = (vec![], 0_i64);
    while let Some(row) = rows.next()? {
        last_at = row.get(3)?;
        items.push(head_of_row(row)?);
    }
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|(stream, _)| PageToken(format!("{last_at} {stream}")));
    Ok(Page { items, next })
}

fn place_of_token(token: &PageToken) -> Result<(i64, String), DatabaseError> {
    token
        .0
        .split_once(' ')
        .and_then(|(at, stream)| Some((at.parse().ok()?, stream.to_owned())))
        .ok_or_else(|| DatabaseError::Refused(format!("`{token}` is not a page token of this listing")))
}

pub(super) fn event_of(place: &str, body: &[u8]) -> Result<RecordedEvent, DatabaseError> {
    decode_event(body).map_err(unreadable(place))
}

pub(super) fn events(
    state: &Connection,
    stream: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<RecordedEvent>, DatabaseError> {
    let mut statement = state.prepare_cached(EVENTS_OF_STREAM)?;
    let mut rows = statement.query(params![stream, from, limit])?;
    let mut events = vec![];
    while let Some(row) = rows.next()? {
        events.push(event_of(stream, row.get_ref(0)?.as_blob().unwrap_or_default())?);
    }
    Ok(events)
}
