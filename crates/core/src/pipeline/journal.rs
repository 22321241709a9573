//! A stream that one pipeline writes: read the head, decide, append; again after a conflict.

use std::time::Duration;

use super::Ports;
use crate::ports::{AppendError, StoreError};
use crate::scan::{Event, Head, HeadState, StreamId, seal};
use crate::vocabulary::Timestamp;

/// How often an append is attempted that may or may not have happened.
pub const APPEND_ATTEMPTS_MAX: u32 = 4;
/// How long it waits after the first attempt; that much longer after each further one.
const APPEND_WAIT: Duration = Duration::from_millis(200);

/// Appends events that were decided at `version` and dated `at`, with the state that they fold into. The new version.
///
/// An append that may or may not have happened is attempted again: its event ids tell the store that it is the same.
pub(super) async fn append(
    ports: &Ports,
    stream: &StreamId,
    version: u64,
    at: Timestamp,
    events: Vec<Event>,
    state: HeadState,
) -> Result<u64, AppendError> {
    let sealed = seal(stream, version, at, events);
    let head = Head { version: version + sealed.len() as u64, state };
    for attempt in 1.. {
        match ports.store.append(stream, version, &sealed, &head).await {
            Err(AppendError::Store(StoreError::Transient(_))) if attempt < APPEND_ATTEMPTS_MAX => {
                ports.clock.sleep_until(ports.clock.now().plus(APPEND_WAIT * attempt)).await;
            }
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    Ok(head.version)
}
