//! All events of all streams: a parallel scan, its token the places of all its segments.

use cve_monitor_core::ports::Position;
use cve_monitor_core::scan::{RecordedEvent, StreamId};
use cve_monitor_core::vocabulary::{Page, PageToken};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::DynamoEventStore;
use super::events::{Appended, key};
use crate::aws::dynamodb::at_most;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, number_of, text_of};

/// Into how many segments the table is cut; they are read at the same time. A stream lies in one of them.
const SEGMENTS: i32 = 8;
/// How many events an append has, about: so many fewer items make a page.
const EVENTS_OF_AN_ITEM: usize = 2;

/// Where an item is: its stream, and its first version.
type Place = (StreamId, u64);

/// A reading of everything.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    /// Of how many segments it is.
    of: i32,
    /// Those that are not at their end.
    segments: Vec<Segment>,
}

/// How far a segment is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Segment {
    number: i32,
    /// The last item that was read.
    after: Option<Place>,
    /// How many of its events are still to be given: a page ended within it.
    left: usize,
}

/// What was read of a segment.
struct Read {
    /// Each item with its events.
    items: Vec<(Place, Vec<(Position, RecordedEvent)>)>,
    /// Where the segment goes on; none at its end.
    end: Option<Place>,
}

impl Reading {
    fn new() -> Self {
        let segments = (0..SEGMENTS).map(|number| Segment { number, after: None, left: 0 });
        Self { of: SEGMENTS, segments: segments.collect() }
    }

    fn of(token: &PageToken) -> Result<Self, Failure> {
        serde_json::from_str(&token.0)
            .map_err(|_| Failure::Refused(format!("`{token}` is not a page token of this listing")))
    }
}

fn place_of(item: &Item) -> Result<Place, Failure> {
    Ok((StreamId(text_of(item, "stream")?.to_owned()), number_of(item, "first")?))
}

impl DynamoEventStore {
    pub(super) async fn all_events(
        &self,
        after: Option<&PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, Failure> {
        let mut reading = after.map_or_else(|| Ok(Reading::new()), Reading::of)?;
        let width = reading.segments.len().min(limit);
        let items = limit / width.max(1) / EVENTS_OF_AN_ITEM;
        let reads = reading.segments.iter().take(width).map(|segment| self.next(reading.of, segment, items));
        let reads = try_join_all(reads).await?;
        let mut given = vec![];
        let mut segments = vec![];
        let mut waiting = reading.segments.split_off(width);
        for (segment, read) in reading.segments.into_iter().zip(reads) {
            segments.extend(give(segment, read, &mut given, limit));
        }
        // Those that have not been read yet come first next time.
        waiting.append(&mut segments);
        reading.segments = waiting;
        if reading.segments.is_empty() {
            return Ok(Page::last(given));
        }
        let token = serde_json::to_string(&reading).map_err(|e| Failure::Refused(e.to_string()))?;
        Ok(Page { items: given, next: Some(PageToken(token)) })
    }

    /// The next items of a segment; or what is left of one.
    async fn next(&self, of: i32, segment: &Segment, limit: usize) -> Result<Read, Failure> {
        match &segment.after {
            Some(place) if segment.left > 0 => self.rest(place, segment.left).await,
            after => self.scan(of, segment.number, after.as_ref(), limit).await,
        }
    }

    async fn scan(
        &self,
        of: i32,
        segment: i32,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Read, Failure> {
        let scan = self.client.scan().table_name(&self.tables.events).consistent_read(true);
        let scan = scan
            .segment(segment)
            .total_segments(of)
            .set_exclusive_start_key(after.map(|(stream, first)| key(stream, *first)))
            .limit(at_most(limit));
        let answer = scan.send().await.map_err(|e| failed("Scan", &self.tables.events, &e))?;
        let items = answer.items().iter().map(|item| Ok(events_of(Appended::decoded(item)?)));
        let items = items.collect::<Result<_, Failure>>()?;
        Ok(Read { items, end: answer.last_evaluated_key().map(place_of).transpose()? })
    }

    async fn rest(&self, place: &Place, left: usize) -> Result<Read, Failure> {
        let (stream, first) = place;
        let get = self.client.get_item().table_name(&self.tables.events).consistent_read(true);
        let get = get.set_key(Some(key(stream, *first)));
        let answer = get.send().await.map_err(|e| failed("GetItem", &self.tables.events, &e))?;
        let found = answer.item().map(Appended::decoded).transpose()?.map(events_of);
        let Some((place, mut events)) = found.filter(|(_, events)| events.len() >= left) else {
            return Err(Failure::Damaged(format!("{stream} has lost what stood from version {first}")));
        };
        let rest = events.split_off(events.len() - left);
        Ok(Read { end: Some(place.clone()), items: vec![(place, rest)] })
    }
}

fn events_of(appended: Appended) -> (Place, Vec<(Position, RecordedEvent)>) {
    let Appended { stream, first, events } = appended;
    let positions = (first..).map(|version| Position { stream: stream.clone(), version });
    let events = positions.zip(events).collect();
    ((stream, first), events)
}

/// Gives of a segment what there is room for; where the segment then is, none at its end.
fn give(
    mut segment: Segment,
    read: Read,
    given: &mut Vec<(Position, RecordedEvent)>,
    limit: usize,
) -> Option<Segment> {
    for (place, mut events) in read.items {
        let room = limit.saturating_sub(given.len());
        if room == 0 {
            return Some(segment);
        }
        segment.left = events.len().saturating_sub(room);
        segment.after = Some(place);
        events.truncate(room);
        given.append(&mut events);
        if segment.left > 0 {
            return Some(segment);
        }
    }
    segment.after = Some(read.end?);
    Some(segment)
}
