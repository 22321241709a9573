//! Reading: E4, E5 and E10.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Outcome, Unmet, ensure, same};
use super::{EventStoreHarness, Writer, send};
use crate::ports::Position;
use crate::scan::{Due, EventType, ImageEvent, RecordedEvent, ResolvedImage, StreamId};
use crate::vocabulary::{Digest, LayerKey};

type Read = BTreeMap<StreamId, Vec<(u64, RecordedEvent)>>;

pub(super) async fn versions(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let mut written = vec![];
    for events in [1, 3, 2] {
        written.extend(writer.write(&store, events).await?.events);
    }
    for (from, limit) in [(1, 100), (0, 100), (3, 2), (6, 1), (7, 1), (2, 0)] {
        let first = usize::try_from(from).unwrap_or_default().max(1) - 1;
        let expected: Vec<_> = written.iter().skip(first).take(limit).cloned().collect();
        same(&format!("{limit} events from {from}"), &store.read(&writer.id, from, limit).await?, &expected)?;
    }
    let read = everything_of(harness, &[writer], 2, |_| false).await?;
    let versions: Vec<u64> = read.values().flatten().map(|(version, _)| *version).collect();
    same("the versions", &versions, &vec![1, 2, 3, 4, 5, 6])
}

/// Reads everything, keeps what stands in these streams, and writes more after the pages that `interrupt` names.
async fn everything_of(
    harness: &dyn EventStoreHarness,
    writers: &[Writer],
    limit: usize,
    interrupt: impl Fn(usize) -> bool,
) -> Result<Read, Unmet> {
    let store = harness.store();
    let (mut read, mut after, mut pages) = (Read::new(), None, 0);
    let mut writers: Vec<Writer> = writers
        .iter()
        .map(|w| Writer { id: w.id.clone(), version: w.version, state: w.state.clone() })
        .collect();
    loop {
        let page = store.read_all(after, limit).await?;
        ensure(page.items.len() <= limit, || format!("{} events in a page of {limit}", page.items.len()))?;
        for (Position { stream, version }, event) in page.items {
            if writers.iter().any(|writer| writer.id == stream) {
                read.entry(stream).or_default().push((version, event));
            }
        }
        if interrupt(pages) {
            for writer in &mut writers {
                writer.write(&store, 1).await?;
            }
            Writer::new(harness)?.write(&store, 1).await?;
        }
        pages += 1;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(read),
        }
    }
}

pub(super) async fn everything(harness: &dyn EventStoreHarness) -> Outcome {
    let store = harness.store();
    let mut writers = vec![];
    for _ in 0..4 {
        writers.push(Writer::new(harness)?);
    }
    let mut written: BTreeMap<StreamId, Vec<RecordedEvent>> = BTreeMap::new();
    for events in [1, 2, 1] {
        for writer in &mut writers {
            let append = writer.write(&store, events).await?;
            written.entry(writer.id.clone()).or_default().extend(append.events);
        }
    }
    for limit in [1, 3, 1000] {
        // Others go on writing while everything is read: only what existed when the read began is promised.
        let read = everything_of(harness, &writers, limit, |page| limit == 3 && page < 3).await?;
        for (stream, events) in &written {
            let found = read.get(stream).map_or(&[][..], Vec::as_slice);
            let versions: Vec<u64> = found.iter().map(|(version, _)| *version).collect();
            let expected: Vec<u64> = (1..=found.len() as u64).collect();
            same(&format!("the versions of {stream}, in order, once each"), &versions, &expected)?;
            let promised: Vec<_> = found.iter().take(events.len()).map(|(_, e)| e.clone()).collect();
            same(&format!("the events of {stream}"), &promised, events)?;
        }
    }
    Ok(())
}

pub(super) async fn one_type(harness: &dyn EventStoreHarness) -> Outcome {
    let store = harness.store();
    let mut expected = vec![];
    for n in 1..=4 {
        let mut writer = Writer::new(harness)?;
        writer.write(&store, n).await?;
        let reason = "LayersRecorded".to_owned();
        let mut events = vec![resolved(n), ImageEvent::Waiting { until: Due::ScannerReady, reason }];
        events.extend((0..n % 3).map(recorded));
        let append = writer.next(events)?;
        send(&store, &writer.id, &append).await?;
        let versions = append.expected + 1..;
        let wanted = versions.zip(append.events).filter(|(_, e)| EventType::LayersRecorded.is_of(&e.event));
        expected.extend(wanted.map(|(version, event)| (writer.id.0.clone(), version, event)));
        writer.write(&store, 1).await?;
    }
    let streams: BTreeSet<String> = expected.iter().map(|(stream, ..)| stream.clone()).collect();
    expected.sort_by(|(one, first, _), (other, second, _)| (one, first).cmp(&(other, second)));
    for limit in [1, 3, 1000] {
        let (mut found, mut after) = (vec![], None);
        loop {
            let page = store.read_all_of(EventType::LayersRecorded, after, limit).await?;
            ensure(page.items.len() <= limit, || {
                format!("{} events in a page of {limit}", page.items.len())
            })?;
            let ours = page.items.into_iter().filter(|(position, _)| streams.contains(&position.stream.0));
            found.extend(ours.map(|(position, event)| (position.stream.0, position.version, event)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.sort_by(|(one, first, _), (other, second, _)| (one, first).cmp(&(other, second)));
        same(&format!("the events of a type, in pages of {limit}"), &found, &expected)?;
    }
    Ok(())
}

fn resolved(n: usize) -> ImageEvent {
    let config = Digest::of(&n.to_le_bytes());
    ImageEvent::ManifestResolved(ResolvedImage { config, layers: 1, platform: None })
}

fn recorded(n: usize) -> ImageEvent {
    ImageEvent::LayersRecorded { keys: vec![LayerKey(format!("key {n}"))], generation: 1 }
}
