//! Heads: E6 to E8.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Outcome, Unmet, ensure, same};
use super::{EventStoreHarness, NOON, Writer, pages, send};
use crate::ports::{AppendError, EventStore};
use crate::scan::{Due, Head, HeadState, ImageEvent, StreamId};
use crate::vocabulary::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
/// More than a listing of a check holds.
const ALL: usize = 1000;

fn noon_and(minutes: u32) -> Timestamp {
    Timestamp::from_millis(NOON).plus(MINUTE * minutes)
}

pub(super) async fn written(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    same("the head of an empty stream", &store.head(&writer.id).await?, &None)?;
    for events in [1, 2, 5] {
        let append = writer.write(&store, events).await?;
        same("the head", &store.head(&writer.id).await?, &Some(append.head.clone()))?;
        let listed = store.heads(&writer.id.0, None, ALL).await?.items;
        same("the listed head", &listed, &vec![(writer.id.clone(), append.head)])?;
    }
    Ok(())
}

pub(super) async fn listed(harness: &dyn EventStoreHarness) -> Outcome {
    let store = harness.store();
    let registry = format!("{}.test", harness.unique());
    let prefix = format!("image/{registry}/");
    let mut expected: Vec<(StreamId, Head)> = vec![];
    for n in 0..9 {
        let mut writer = Writer::of(&registry, &n.to_string())?;
        writer.write(&store, 1).await?;
        expected.push((writer.id.clone(), writer.head()));
    }
    // A registry whose name only begins alike is another one.
    Writer::of(&format!("{registry}2"), "0")?.write(&store, 1).await?;
    expected.sort_by(|(one, _), (other, _)| one.cmp(other));
    for limit in [1, 4, 9, ALL] {
        let found = pages("", |after| store.heads(&prefix, after, limit)).await?;
        same(&format!("heads in pages of {limit}"), &found, &expected)?;
    }

    // Streams that appear during a listing neither hide nor repeat those that were there.
    let first = store.heads(&prefix, None, 4).await?;
    for n in 9..14 {
        Writer::of(&registry, &n.to_string())?.write(&store, 1).await?;
    }
    let mut found = first.items;
    if let Some(next) = first.next {
        let start = Some(next);
        found.extend(pages("", |after| store.heads(&prefix, after.or_else(|| start.clone()), 4)).await?);
    }
    ensure(found.windows(2).all(|pair| pair[0].0 < pair[1].0), || "a stream came twice".to_owned())?;
    let missing = expected.iter().filter(|head| !found.contains(head)).count();
    same("streams missing from a listing under way", &missing, &0)
}

pub(super) async fn rewritten(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let mut repaired = writer.write(&store, 2).await?.head;
    if let HeadState::Image(state) = &mut repaired.state {
        state.recent.clear();
        state.due = Some(Due::At(noon_and(1)));
    }
    for version in [0, 1, 3] {
        let wrong = Head { version, ..repaired.clone() };
        let conflict = AppendError::Conflict { stream: writer.id.clone(), expected: version };
        same("a head of another version", &store.rewrite_head(&writer.id, &wrong).await, &Err(conflict))?;
        same("the head after it", &store.head(&writer.id).await?, &Some(writer.head()))?;
    }
    store.rewrite_head(&writer.id, &repaired).await?;
    same("the rewritten head", &store.head(&writer.id).await?, &Some(repaired.clone()))?;
    same("the events", &store.read(&writer.id, 1, ALL).await?.len(), &2)?;
    let kind = Due::At(noon_and(0));
    let due = pages(&writer.id.0, |after| store.due(&kind, noon_and(1), after, ALL)).await?;
    same("what is due after a rewrite", &due, &vec![(writer.id.clone(), repaired)])?;

    let absent = Writer::new(harness)?;
    let conflict = AppendError::Conflict { stream: absent.id.clone(), expected: 1 };
    let head = Head { version: 1, ..absent.head() };
    same("a head without a stream", &store.rewrite_head(&absent.id, &head).await, &Err(conflict))
}

pub(super) async fn due(harness: &dyn EventStoreHarness) -> Outcome {
    let store = harness.store();
    let registry = format!("{}.test", harness.unique());
    let prefix = format!("image/{registry}/");
    let (mut timed, mut for_scanner) = (vec![], vec![]);
    for minutes in [7, 3, 9, 1, 5] {
        let mut writer = Writer::of(&registry, &minutes.to_string())?;
        writer.wait(&store, Due::At(noon_and(minutes))).await?;
        timed.push((minutes, writer.id.clone(), writer.head()));
    }
    for n in ["a", "b", "c"] {
        let mut writer = Writer::of(&registry, n)?;
        writer.wait(&store, Due::ScannerReady).await?;
        for_scanner.push((writer.id.clone(), writer.head()));
    }
    Writer::of(&registry, "waits for nothing")?.write(&store, 1).await?;
    timed.sort_by_key(|(minutes, ..)| *minutes);
    for_scanner.sort_by(|(one, _), (other, _)| one.cmp(other));

    for (before, limit) in [(0, ALL), (1, ALL), (4, 1), (7, 2), (60, 2)] {
        let expected: Vec<_> = timed
            .iter()
            .filter(|(minutes, ..)| *minutes <= before)
            .map(|(_, id, head)| (id.clone(), head.clone()))
            .collect();
        let kind = Due::At(noon_and(0));
        let found = pages(&prefix, |after| store.due(&kind, noon_and(before), after, limit)).await?;
        same(&format!("due {before} minutes past noon, in pages of {limit}"), &found, &expected)?;
    }
    for limit in [1, ALL] {
        let found = pages(&prefix, |after| store.due(&Due::ScannerReady, noon_and(0), after, limit)).await?;
        let mut sorted = found.clone();
        sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
        same("waiting for the scanner", &sorted, &for_scanner)?;
    }
    Ok(())
}

/// How many of this stream's heads are listed as due: at any time within the hour, and for the scanner.
async fn waits(store: &Arc<dyn EventStore>, id: &StreamId) -> Result<(usize, usize), Unmet> {
    let at = Due::At(noon_and(0));
    let timed = pages(&id.0, |after| store.due(&at, noon_and(60), after, ALL)).await?;
    let ready = pages(&id.0, |after| store.due(&Due::ScannerReady, noon_and(60), after, ALL)).await?;
    Ok((timed.len(), ready.len()))
}

pub(super) async fn no_longer_due(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    writer.write(&store, 1).await?;
    same("waits before any", &waits(&store, &writer.id).await?, &(0, 0))?;
    writer.wait(&store, Due::At(noon_and(1))).await?;
    same("waits for a time", &waits(&store, &writer.id).await?, &(1, 0))?;
    writer.wait(&store, Due::At(noon_and(120))).await?;
    same("waits for a later time", &waits(&store, &writer.id).await?, &(0, 0))?;
    writer.wait(&store, Due::ScannerReady).await?;
    same("waits for the scanner", &waits(&store, &writer.id).await?, &(0, 1))?;
    let append = writer.next(vec![ImageEvent::ImageDeleted])?;
    send(&store, &writer.id, &append).await?;
    same("waits after the last", &waits(&store, &writer.id).await?, &(0, 0))
}

pub(super) async fn several(harness: &dyn EventStoreHarness) -> Outcome {
    let store = harness.store();
    let registry = format!("{}.test", harness.unique());
    let (mut streams, mut alone) = (vec![Writer::of(&registry, "absent")?.id], vec![None]);
    for n in 1..=12 {
        let mut writer = Writer::of(&registry, &n.to_string())?;
        writer.write(&store, n % 3 + 1).await?;
        streams.insert(n / 2, writer.id.clone());
        alone.insert(n / 2, Some(writer.head()));
    }
    streams.push(streams[3].clone());
    alone.push(alone[3].clone());
    same("heads of several streams", &store.heads_of(&streams).await?, &alone)?;
    same("heads of no streams", &store.heads_of(&[]).await?, &vec![])
}
