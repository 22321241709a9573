//! How events and heads are written: JSON with a version, read for ever.

use serde::{Deserialize, Serialize};

use super::{Event, EventId, EventType, Head, HeadState, MAX_HEAD_BYTES, RecordedEvent};
use crate::vocabulary::Timestamp;

/// The version that events are written in.
const EVENT_VERSION: u32 = 1;
/// How every event of this version begins.
const EVENT_BEGINS: &[u8] = br#"{"v":1,"#;
/// The version that heads are written in. A head of another version is folded from its events again.
const HEAD_VERSION: u32 = 1;

/// Why stored bytes cannot be read, or a value cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not what was written.
    #[error("stored {what} cannot be read: {problem}")]
    Malformed {
        /// An event or a head.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Written by a newer program.
    #[error("stored {what} has version {found}; this program reads up to {known}: use a newer one")]
    Newer {
        /// An event or a head.
        what: &'static str,
        /// The version found.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// A head over the bound.
    #[error("a head of {0} bytes is over the bound of {MAX_HEAD_BYTES}")]
    HeadTooLong(usize),
}

/// The event in its own form where it is read, and with its keys in order where it is written.
#[derive(Serialize, Deserialize)]
struct StoredEvent<E> {
    v: u32,
    id: EventId,
    at: Timestamp,
    event: E,
}

#[derive(Serialize, Deserialize)]
struct StoredHead<S> {
    v: u32,
    n: u64,
    s: S,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

fn malformed(what: &'static str) -> impl Fn(serde_json::Error) -> CodecError {
    move |error| CodecError::Malformed { what, problem: error.to_string() }
}

fn check_version(what: &'static str, found: u32, known: u32) -> Result<(), CodecError> {
    if found > known { Err(CodecError::Newer { what, found, known }) } else { Ok(()) }
}

/// Reads in one pass; only what cannot be read so is asked whether a newer program wrote it.
fn read<'a, T: Deserialize<'a>>(what: &'static str, bytes: &'a [u8], known: u32) -> Result<T, CodecError> {
    serde_json::from_slice(bytes).map_err(|problem| {
        let version: Result<VersionOnly, CodecError> = serde_json::from_slice(bytes).map_err(malformed(what));
        let newer = version.and_then(|VersionOnly { v: found }| check_version(what, found, known));
        newer.err().unwrap_or_else(|| malformed(what)(problem))
    })
}

/// Writes an event.
///
/// # Errors
/// Never for events that this crate made.
pub fn encode_event(event: &RecordedEvent) -> Result<Vec<u8>, CodecError> {
    let value = serde_json::to_value(&event.event).map_err(malformed("event"))?;
    let stored = StoredEvent { v: EVENT_VERSION, id: event.id.clone(), at: event.at, event: value };
    serde_json::to_vec(&stored).map_err(malformed("event"))
}

/// Reads an event of any version that was ever written.
///
/// # Errors
/// Where the bytes are damaged, or newer than this program.
pub fn decode_event(bytes: &[u8]) -> Result<RecordedEvent, CodecError> {
    let stored: StoredEvent<Event> = read("event", bytes, EVENT_VERSION)?;
    check_version("event", stored.v, EVENT_VERSION)?;
    Ok(RecordedEvent { id: stored.id, at: stored.at, event: stored.event })
}

/// Whether stored bytes may be an event of this type, for whoever passes many: what it lets pass is read, and asked again. What
/// does not begin as an event of this version does is let pass, so that it is refused by whoever reads it.
#[must_use]
pub fn may_be_of(wanted: EventType, bytes: &[u8]) -> bool {
    !bytes.starts_with(EVENT_BEGINS) || memchr::memmem::find(bytes, wanted.written().as_bytes()).is_some()
}

/// Writes a head.
///
/// # Errors
/// Where it is over [`MAX_HEAD_BYTES`].
pub fn encode_head(head: &Head) -> Result<Vec<u8>, CodecError> {
    let state = serde_json::to_value(&head.state).map_err(malformed("head"))?;
    let stored = StoredHead { v: HEAD_VERSION, n: head.version, s: state };
    let bytes = serde_json::to_vec(&stored).map_err(malformed("head"))?;
    if bytes.len() > MAX_HEAD_BYTES { Err(CodecError::HeadTooLong(bytes.len())) } else { Ok(bytes) }
}

/// Reads a head.
///
/// # Errors
/// Where the bytes are damaged, or newer than this program.
pub fn decode_head(bytes: &[u8]) -> Result<Head, CodecError> {
    let stored: StoredHead<HeadState> = read("head", bytes, HEAD_VERSION)?;
    check_version("head", stored.v, HEAD_VERSION)?;
    Ok(Head { version: stored.n, state: stored.s })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::ImageEvent;

    #[test]
    fn an_event_is_passed_over_only_where_it_is_surely_of_another_type() {
        let written = |event: ImageEvent| {
            let id = EventId("one".to_owned());
            encode_event(&RecordedEvent { id, at: Timestamp::from_millis(0), event: event.into() }).unwrap()
        };
        let recorded = written(ImageEvent::LayersRecorded { keys: vec![], generation: 1 });
        let other = written(ImageEvent::ImageDeleted);
        for (bytes, expected) in [
            (&recorded[..], true),
            (&other, false),
            (b"", true),
            (br#"{"v":2,"id":"one","layers recorded":[]}"#, true),
            (br#"{"v":1"#, true),
        ] {
            let found = may_be_of(EventType::LayersRecorded, bytes);
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(bytes));
        }
        assert!(!may_be_of(EventType::Assessed, &recorded));
    }
}
