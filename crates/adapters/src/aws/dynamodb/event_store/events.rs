//! The events of one stream, in the table `PREFIX-events`: an item is what was appended at once.

use aws_sdk_dynamodb::types::AttributeValue;
use cve_monitor_core::scan::{CodecError, MAX_APPEND, RecordedEvent, StreamId, decode_event, encode_event};

use super::DynamoEventStore;
use crate::aws::dynamodb::at_most;
use crate::aws::dynamodb::failure::{Failure, failed};
use crate::aws::dynamodb::item::{Item, item, number, number_of, text, text_of};

/// Events over this length together are compressed, in bytes: writing costs by the KB begun.
const PLAIN_MAX: usize = 512;
/// How much they are compressed; 400 KB take some 5 ms.
const LEVEL: i32 = 6;
/// The most that the events of an item measure before they are compressed, in bytes. Compressed they must fit into an item,
/// which is at most 400 KB.
const UNPACKED_MAX: usize = 16 << 20;

/// Events that were appended at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Appended {
    pub(super) stream: StreamId,
    /// The version of the first one.
    pub(super) first: u64,
    pub(super) events: Vec<RecordedEvent>,
}

impl Appended {
    /// The version of the last event.
    pub(super) fn last(&self) -> u64 {
        self.first.saturating_add(self.events.len() as u64).saturating_sub(1)
    }

    pub(super) fn encoded(stream: &StreamId, first: u64, events: &[RecordedEvent]) -> Result<Item, Failure> {
        let lines = events.iter().map(encode_event).collect::<Result<Vec<_>, _>>();
        // One event a line: compact JSON holds no line break.
        let lines = lines.map_err(|e| Failure::Refused(e.to_string()))?.join(&b'\n');
        if lines.len() > UNPACKED_MAX {
            let measure = lines.len();
            let problem = format!("{stream}: an append of {measure} bytes; at most {UNPACKED_MAX} are taken");
            return Err(Failure::Refused(problem));
        }
        let mut item = key(stream, first);
        // What is written in plain can be read in the console of the service.
        let (name, value) = if lines.len() <= PLAIN_MAX {
            ("events", text(String::from_utf8(lines).map_err(|e| Failure::Refused(e.to_string()))?))
        } else {
            let packed = zstd::bulk::compress(&lines, LEVEL).map_err(|e| Failure::Refused(e.to_string()))?;
            ("events_zstd", AttributeValue::B(packed.into()))
        };
        item.insert(name.to_owned(), value);
        item.insert("last".to_owned(), number(first + events.len() as u64 - 1));
        Ok(item)
    }

    pub(super) fn decoded(item: &Item) -> Result<Self, Failure> {
        let stream = StreamId(text_of(item, "stream")?.to_owned());
        let first: u64 = number_of(item, "first")?;
        let damaged =
            |problem: String| Failure::Damaged(format!("{stream}, from version {first}: {problem}"));
        let unpacked = match item.get("events_zstd") {
            Some(packed) => {
                let packed = packed.as_b().map_err(|_| damaged("the events are not bytes".to_owned()))?;
                zstd::bulk::decompress(packed.as_ref(), UNPACKED_MAX).map_err(|e| damaged(e.to_string()))?
            }
            None => text_of(item, "events")?.as_bytes().to_vec(),
        };
        let mut events = vec![];
        for (version, line) in (first..).zip(unpacked.split(|byte| *byte == b'\n')) {
            events.push(decode_event(line).map_err(|error| {
                let problem = format!("{stream}, version {version}: {error}");
                match error {
                    CodecError::Newer { .. } => Failure::Refused(problem),
                    _ => Failure::Damaged(problem),
                }
            })?);
        }
        let last: u64 = number_of(item, "last")?;
        let appended = Self { stream, first, events };
        if first == 0 || appended.last() != last {
            let (stream, found) = (&appended.stream, appended.events.len());
            let problem = format!("{stream}: versions {first} to {last} are {found} events");
            return Err(Failure::Damaged(problem));
        }
        Ok(appended)
    }
}

/// The key of an item.
pub(super) fn key(stream: &StreamId, first: u64) -> Item {
    item([("stream", text(&stream.0)), ("first", number(first))])
}

impl DynamoEventStore {
    /// Events from a version on. What stands there is held to be without a gap.
    pub(super) async fn events_from(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, Failure> {
        let from = from.max(1);
        // The event may be within an item that begins earlier, and no item is longer than an append.
        let begin = from.saturating_sub(MAX_APPEND as u64 - 1).max(1);
        let (mut events, mut next, mut start): (Vec<_>, u64, _) = (vec![], from, None);
        while events.len() < limit {
            let reach = limit.saturating_sub(events.len()).saturating_add(MAX_APPEND);
            let (items, more) = self.items_from(stream, begin, start, reach).await?;
            for found in items.iter().map(Appended::decoded) {
                let found = found?;
                if found.last() < from {
                    continue;
                }
                if found.first > next {
                    let gap = format!("{stream}: version {next} is missing");
                    return Err(Failure::Damaged(gap));
                }
                let skipped = usize::try_from(next.saturating_sub(found.first)).unwrap_or(usize::MAX);
                next = found.last() + 1;
                events.extend(found.events.into_iter().skip(skipped));
            }
            start = more;
            if start.is_none() {
                break;
            }
        }
        events.truncate(limit);
        Ok(events)
    }

    async fn items_from(
        &self,
        stream: &StreamId,
        first: u64,
        start: Option<Item>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Item>), Failure> {
        let query = self.client.query().table_name(&self.tables.events).consistent_read(true);
        let query = query
            .key_condition_expression("#stream = :stream AND #first >= :first")
            .expression_attribute_names("#stream", "stream")
            .expression_attribute_names("#first", "first")
            .expression_attribute_values(":stream", text(&stream.0))
            .expression_attribute_values(":first", number(first))
            .set_exclusive_start_key(start)
            .limit(at_most(limit));
        let answer = query.send().await.map_err(|e| failed("Query", &self.tables.events, &e))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// The version of the last event of a stream; 0 where there is none.
    pub(super) async fn last_version(&self, stream: &StreamId) -> Result<u64, Failure> {
        let query = self.client.query().table_name(&self.tables.events).consistent_read(true);
        let query = query
            .key_condition_expression("#stream = :stream")
            .projection_expression("#stream, #first, #last")
            .expression_attribute_names("#stream", "stream")
            .expression_attribute_names("#first", "first")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":stream", text(&stream.0))
            .scan_index_forward(false)
            .limit(1);
        let answer = query.send().await.map_err(|e| failed("Query", &self.tables.events, &e))?;
        answer.items().first().map_or(Ok(0), |last| number_of(last, "last"))
    }

    /// Whether these very events stand after version `expected`.
    pub(super) async fn stand(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
    ) -> Result<bool, Failure> {
        let found = self.events_from(stream, expected.saturating_add(1), events.len()).await?;
        Ok(found.len() == events.len() && found.iter().zip(events).all(|(one, other)| one.id == other.id))
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::scan::{Event, FeedEvent, seal};
    use cve_monitor_core::vocabulary::Timestamp;

    use super::*;

    /// An append whose events, encoded, have this length.
    fn of_length(bytes: usize) -> (StreamId, Vec<RecordedEvent>) {
        let stream = StreamId("feed/a".to_owned());
        let named = |name: String| {
            seal(&stream, 0, Timestamp::from_millis(0), vec![Event::Feed(FeedEvent::BellRang { name })])
        };
        let short = encode_event(&named(String::new())[0]).unwrap().len();
        let events = named("x".repeat(bytes - short));
        assert_eq!(encode_event(&events[0]).unwrap().len(), bytes);
        (stream, events)
    }

    #[test]
    fn events_are_compressed_above_the_bound_and_read_back_either_way() {
        for (bytes, attribute) in [(PLAIN_MAX, "events"), (PLAIN_MAX + 1, "events_zstd")] {
            let (stream, events) = of_length(bytes);
            let item = Appended::encoded(&stream, 1, &events).unwrap();
            assert!(item.contains_key(attribute), "{bytes}");
            assert_eq!(Appended::decoded(&item), Ok(Appended { stream, first: 1, events }));
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let (stream, events) = of_length(UNPACKED_MAX);
        let mut item = Appended::encoded(&stream, 1, &events).unwrap();
        assert_eq!(Appended::decoded(&item).unwrap().events, events);
        let (stream, events) = of_length(UNPACKED_MAX + 1);
        assert!(matches!(Appended::encoded(&stream, 1, &events), Err(Failure::Refused(_))));
        let packed = zstd::bulk::compress(&vec![b' '; UNPACKED_MAX + 1], LEVEL).unwrap();
        item.insert("events_zstd".to_owned(), AttributeValue::B(packed.into()));
        assert!(matches!(Appended::decoded(&item), Err(Failure::Damaged(why)) if why.contains("feed/a")));
    }
}
