//! Streams of events in memory, stored as they would be on disk: encoded.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::ports::{AppendError, EventStore, Position, StoreError};
use crate::scan::{
    CodecError, Due, EventId, Head, MAX_APPEND, RecordedEvent, StreamId, decode_event, decode_head,
    encode_event, encode_head,
};
use crate::testkit::locked::Locked;
use crate::testkit::pages::{ordered, page_of};
use crate::vocabulary::{Page, PageToken, Timestamp};

/// Where the next append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendFault {
    /// Before anything is written.
    Before,
    /// After everything is written: the caller cannot tell.
    After,
    /// As where somebody else was first: a conflict, and nothing is written.
    Conflict,
}

/// An [`EventStore`] in memory.
#[derive(Debug, Default)]
pub struct MemoryEventStore(Locked<State>);

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<StreamId, Stream>,
    /// Every event in the order of its append: stream and version.
    order: Vec<(StreamId, u64)>,
    append_faults: Vec<AppendFault>,
    failure: Option<StoreError>,
    appends: u64,
    event_reads: u64,
}

#[derive(Debug, Default)]
struct Stream {
    events: Vec<(EventId, Vec<u8>)>,
    head: Vec<u8>,
}

impl Stream {
    fn version(&self) -> u64 {
        self.events.len() as u64
    }

    fn holds(&self, expected: u64, events: &[RecordedEvent]) -> bool {
        usize::try_from(expected).ok().and_then(|from| self.events.get(from..)).is_some_and(|rest| {
            rest.len() >= events.len() && rest.iter().zip(events).all(|((id, _), event)| *id == event.id)
        })
    }
}

impl MemoryEventStore {
    /// The next append fails there, as `Transient` unless it is a conflict. Faults queue up, one an append.
    pub fn fail_next_append(&self, fault: AppendFault) {
        self.0.lock().append_faults.push(fault);
    }

    /// Every call fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<StoreError>) {
        self.0.lock().failure = failure;
    }

    /// How many appends wrote something.
    #[must_use]
    pub fn appends(&self) -> u64 {
        self.0.lock().appends
    }

    /// How many events were read.
    #[must_use]
    pub fn event_reads(&self) -> u64 {
        self.0.lock().event_reads
    }
}

impl State {
    fn available(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn heads_where<'a>(
        &'a self,
        chosen: impl Fn(&StreamId, &Head) -> bool + 'a,
    ) -> Result<Vec<(StreamId, Head)>, StoreError> {
        let mut heads = vec![];
        for (id, stream) in &self.streams {
            let head = decode_head(&stream.head).map_err(|e| corrupt(&e))?;
            if chosen(id, &head) {
                heads.push((id.clone(), head));
            }
        }
        Ok(heads)
    }

    fn write(&mut self, id: &StreamId, expected: u64, events: &[RecordedEvent], head: &Head) -> Written {
        let stream = self.streams.get(id);
        let version = stream.map_or(0, Stream::version);
        if stream.is_some_and(|stream| stream.holds(expected, events)) {
            return Ok(());
        }
        if version != expected {
            return Err(AppendError::Conflict { stream: id.clone(), expected });
        }
        // Everything is encoded before anything is written: all or nothing (E1).
        let encoded: Result<Vec<_>, CodecError> =
            events.iter().map(|event| Ok((event.id.clone(), encode_event(event)?))).collect();
        let encoded = encoded.map_err(|e| refused(&e))?;
        let head = encode_head(head).map_err(|e| refused(&e))?;
        let stream = self.streams.entry(id.clone()).or_default();
        stream.events.extend(encoded);
        stream.head = head;
        self.order.extend((expected + 1..=stream.version()).map(|version| (id.clone(), version)));
        self.appends += 1;
        Ok(())
    }
}

type Written = Result<(), AppendError>;

fn corrupt(error: &CodecError) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn refused(error: &CodecError) -> StoreError {
    StoreError::Permanent(error.to_string())
}

fn within_bounds(expected: u64, events: &[RecordedEvent], head: &Head) -> Result<(), StoreError> {
    if events.is_empty() || events.len() > MAX_APPEND {
        return Err(StoreError::Permanent(format!(
            "an append of {} events: from 1 to {MAX_APPEND} are taken",
            events.len()
        )));
    }
    if head.version != expected + events.len() as u64 {
        return Err(StoreError::Permanent(format!(
            "a head of version {} after {} events on version {expected}",
            head.version,
            events.len()
        )));
    }
    Ok(())
}

#[async_trait]
impl EventStore for MemoryEventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        let mut state = self.0.lock();
        state.available()?;
        within_bounds(expected, events, head)?;
        let fault = if state.append_faults.is_empty() { None } else { Some(state.append_faults.remove(0)) };
        match fault {
            Some(AppendFault::Before) => {
                return Err(StoreError::Transient("told to fail before writing".to_owned()).into());
            }
            Some(AppendFault::Conflict) => {
                return Err(AppendError::Conflict { stream: stream.clone(), expected });
            }
            Some(AppendFault::After) | None => {}
        }
        state.write(stream, expected, events, head)?;
        match fault {
            Some(_) => Err(StoreError::Transient("told to fail after writing".to_owned()).into()),
            None => Ok(()),
        }
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        let state = self.0.lock();
        state.available()?;
        state.streams.get(stream).map(|s| decode_head(&s.head).map_err(|e| corrupt(&e))).transpose()
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let state = self.0.lock();
        state.available()?;
        let heads = state.heads_where(|id, _| id.0.starts_with(prefix))?;
        let keyed = heads.into_iter().map(|(id, head)| (id.0.clone(), (id, head)));
        Ok(page_of(keyed, after.as_ref(), limit, Clone::clone))
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let state = self.0.lock();
        state.available()?;
        let waiting = state.heads_where(|_, head| match (kind, head.due()) {
            (Due::At(_), Some(Due::At(at))) => at <= before,
            (Due::ScannerReady, Some(Due::ScannerReady)) => true,
            _ => false,
        })?;
        let mut keyed: Vec<_> = waiting
            .into_iter()
            .map(|(id, head)| {
                let at = match head.due() {
                    // The offset makes every instant positive, so that tokens sort as instants do.
                    Some(Due::At(at)) => at.as_millis().wrapping_sub(i64::MIN).cast_unsigned(),
                    _ => 0,
                };
                (format!("{} {id}", ordered(at)), (id, head))
            })
            .collect();
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(page_of(keyed, after.as_ref(), limit, Clone::clone))
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let mut state = self.0.lock();
        state.available()?;
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let stored = state.streams.get(stream).map_or(&[][..], |s| &s.events);
        let events: Result<Vec<_>, _> =
            stored.iter().skip(skipped).take(limit).map(|(_, bytes)| decode_event(bytes)).collect();
        let events = events.map_err(|e| corrupt(&e))?;
        state.event_reads += events.len() as u64;
        Ok(events)
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let mut state = self.0.lock();
        state.available()?;
        let positions = (1_u64..).zip(state.order.iter().cloned());
        let page = page_of(positions, after.as_ref(), limit, |place| ordered(*place));
        let mut items = vec![];
        for (stream, version) in page.items {
            let index = usize::try_from(version - 1).unwrap_or(usize::MAX);
            let bytes = state.streams.get(&stream).and_then(|s| s.events.get(index)).map(|(_, bytes)| bytes);
            let bytes = bytes.ok_or_else(|| StoreError::Corrupt(format!("{stream} has lost {version}")))?;
            items.push((Position { stream, version }, decode_event(bytes).map_err(|e| corrupt(&e))?));
        }
        state.event_reads += items.len() as u64;
        Ok(Page { items, next: page.next })
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        let mut state = self.0.lock();
        state.available()?;
        let conflict = || AppendError::Conflict { stream: stream.clone(), expected: head.version };
        let kept = state.streams.get_mut(stream).ok_or_else(conflict)?;
        if kept.version() != head.version {
            return Err(conflict());
        }
        kept.head = encode_head(head).map_err(|e| refused(&e))?;
        Ok(())
    }
}
