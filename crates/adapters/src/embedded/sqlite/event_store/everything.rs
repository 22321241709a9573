//! Every event, or every one of a type, in the order of their appends.

use cve_monitor_core::ports::Position;
use cve_monitor_core::scan::{EventType, RecordedEvent, StreamId, may_be_of};
use cve_monitor_core::vocabulary::{Page, PageToken};
use rusqlite::{Connection, params};

use super::rows::{Limit, event_of};
use crate::embedded::DatabaseError;
use crate::embedded::sqlite::{natural, token_numbers};

/// Events in the order of their appends.
pub(super) const ALL_EVENTS: &str = "SELECT events.seq, heads.stream, events.version, events.body
     FROM events CROSS JOIN heads ON heads.id = events.stream
     WHERE events.seq > ?1 AND events.seq <= ?2 ORDER BY events.seq LIMIT ?3";

/// The same without the names of their streams.
pub(super) const ALL_BODIES: &str = "SELECT seq, stream, version, body FROM events
     WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";

/// The last place read, and the last one that there was when the reading began: events that are appended meanwhile do not
/// keep it from ending.
struct Passage {
    after: i64,
    until: i64,
}

impl Passage {
    fn at(state: &Connection, token: Option<&PageToken>) -> Result<Self, DatabaseError> {
        if let Some(token) = token {
            let [after, until] = token_numbers(token)?;
            return Ok(Self { after, until });
        }
        let newest: Option<i64> = state.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
        Ok(Self { after: 0, until: newest.unwrap_or(0) })
    }

    /// The token after so many of at most so many events, of which the last stands there.
    fn token(&self, passed: usize, limit: usize, last: i64) -> Option<PageToken> {
        (passed == limit && last < self.until).then(|| PageToken(format!("{last}/{}", self.until)))
    }
}

pub(super) fn all_events(
    state: &Connection,
    after: Option<&PageToken>,
    (limit, sql_limit): Limit,
) -> Result<Page<(Position, RecordedEvent)>, DatabaseError> {
    let passage = Passage::at(state, after)?;
    let mut statement = state.prepare_cached(ALL_EVENTS)?;
    let mut rows = statement.query(params![passage.after, passage.until, sql_limit])?;
    let (mut items, mut last) = (vec![], passage.after);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let stream: String = row.get(1)?;
        let event = event_of(&stream, row.get_ref(3)?.as_blob().unwrap_or_default())?;
        items.push((Position { stream: StreamId(stream), version: natural(row.get(2)?)? }, event));
    }
    let next = passage.token(items.len(), limit, last);
    Ok(Page { items, next })
}

/// The same, of one type: of the others, not even the stream is asked for.
pub(super) fn all_events_of(
    state: &Connection,
    wanted: EventType,
    after: Option<&PageToken>,
    (limit, sql_limit): Limit,
) -> Result<Page<(Position, RecordedEvent)>, DatabaseError> {
    let passage = Passage::at(state, after)?;
    let mut statement = state.prepare_cached(ALL_BODIES)?;
    let mut rows = statement.query(params![passage.after, passage.until, sql_limit])?;
    let mut stream_of = state.prepare_cached("SELECT stream FROM heads WHERE id = ?1")?;
    let (mut items, mut passed, mut last) = (vec![], 0, passage.after);
    while let Some(row) = rows.next()? {
        (last, passed) = (row.get(0)?, passed + 1);
        let body = row.get_ref(3)?.as_blob().unwrap_or_default();
        if may_be_of(wanted, body) {
            let stream: String = stream_of.query_row([row.get::<_, i64>(1)?], |row| row.get(0))?;
            let recorded = event_of(&stream, body)?;
            if wanted.is_of(&recorded.event) {
                items.push((Position { stream: StreamId(stream), version: natural(row.get(2)?)? }, recorded));
            }
        }
    }
    let next = passage.token(passed, limit, last);
    Ok(Page { items, next })
}
