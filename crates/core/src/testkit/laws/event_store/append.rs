//! Appending: E1 to E3.

use std::pin::pin;
use std::sync::Arc;

use super::super::{Outcome, ensure, same};
use super::{Append, EventStoreHarness, Writer, asked, send};
use crate::ports::{AppendError, EventStore};
use crate::scan::{Head, HeadState, ImageState, MAX_APPEND, MAX_HEAD_BYTES, RecordedEvent, StreamId};

/// More than a stream of a check holds.
const ALL: usize = 1000;

async fn holds(
    store: &Arc<dyn EventStore>,
    id: &StreamId,
    events: &[RecordedEvent],
    head: Option<&Head>,
) -> Outcome {
    same("the events", &store.read(id, 1, ALL).await?.as_slice(), &events)?;
    same("the head", &store.head(id).await?.as_ref(), &head)
}

pub(super) async fn whole(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let first = writer.write(&store, 3).await?;
    holds(&store, &writer.id, &first.events, Some(&first.head)).await?;
    let second = writer.write(&store, MAX_APPEND).await?;
    let all = [first.events, second.events].concat();
    holds(&store, &writer.id, &all, Some(&second.head)).await
}

fn over_the_bound(version: u64) -> Head {
    let state = ImageState { recent: ["x".repeat(MAX_HEAD_BYTES)].into(), ..ImageState::default() };
    Head { version, state: HeadState::Image(Box::new(state)) }
}

pub(super) async fn refused(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let append = writer.next(asked("refused", 0, 2))?;
    let big = Append { head: over_the_bound(2), ..append };
    let answer = send(&store, &writer.id, &big).await;
    ensure(matches!(answer, Err(AppendError::Store(_))), || format!("a head over the bound: {answer:?}"))?;
    holds(&store, &writer.id, &[], None).await?;

    let mut writer = Writer::new(harness)?;
    let long = writer.next(asked("refused", 0, MAX_APPEND + 1))?;
    let answer = send(&store, &writer.id, &long).await;
    ensure(matches!(answer, Err(AppendError::Store(_))), || {
        format!("{} events: {answer:?}", MAX_APPEND + 1)
    })?;
    holds(&store, &writer.id, &[], None).await
}

pub(super) async fn dropped(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let append = writer.next(asked("dropped", 0, 3))?;
    {
        let sending = pin!(send(&store, &writer.id, &append));
        let _ = futures::poll!(sending);
    }
    // What a dropped append has begun may still finish: what is seen before and after the head frames it.
    let before = store.read(&writer.id, 1, ALL).await?;
    let head = store.head(&writer.id).await?;
    let after = store.read(&writer.id, 1, ALL).await?;
    for events in [&before, &after] {
        ensure(events.is_empty() || *events == append.events, || {
            format!("{} of {} events were written", events.len(), append.events.len())
        })?;
    }
    ensure(head.is_none() || head.as_ref() == Some(&append.head), || format!("the head: {head:?}"))?;
    ensure(before == after || head.is_none() || !after.is_empty(), || "a head without events".to_owned())?;
    ensure(before != after || head.is_some() != after.is_empty(), || "events without their head".to_owned())?;
    send(&store, &writer.id, &append).await?;
    holds(&store, &writer.id, &append.events, Some(&append.head)).await
}

pub(super) async fn again(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let first = writer.write(&store, 2).await?;
    send(&store, &writer.id, &first).await?;
    holds(&store, &writer.id, &first.events, Some(&first.head)).await?;

    // The answer to the first was lost, and others have appended since: still nothing changes.
    let second = writer.write(&store, 2).await?;
    send(&store, &writer.id, &first).await?;
    let all = [first.events.clone(), second.events].concat();
    holds(&store, &writer.id, &all, Some(&second.head)).await?;

    // The same ids in part are not the same append.
    let mut other = asked("part", 0, 2);
    let mut mixed = Writer { id: writer.id.clone(), version: 0, state: ImageState::default() };
    let mut mixed = mixed.next(std::mem::take(&mut other))?;
    mixed.events[0] = first.events[0].clone();
    let answer = send(&store, &writer.id, &mixed).await;
    ensure(matches!(answer, Err(AppendError::Conflict { .. })), || format!("ids in part: {answer:?}"))?;
    holds(&store, &writer.id, &all, Some(&second.head)).await
}

pub(super) async fn stale(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut writer) = (harness.store(), Writer::new(harness)?);
    let first = writer.write(&store, 2).await?;
    for expected in [0, 1, 3, 4] {
        let mut other = Writer { id: writer.id.clone(), version: expected, state: ImageState::default() };
        let append = other.next(asked("another writer", expected, 1))?;
        let answer = send(&store, &writer.id, &append).await;
        let conflict = AppendError::Conflict { stream: writer.id.clone(), expected };
        same("an append at another version", &answer, &Err(conflict))?;
        holds(&store, &writer.id, &first.events, Some(&first.head)).await?;
    }
    Ok(())
}

pub(super) async fn raced(harness: &dyn EventStoreHarness) -> Outcome {
    let (store, mut one) = (harness.store(), Writer::new(harness)?);
    for round in 0..8 {
        let mut other = Writer { id: one.id.clone(), version: one.version, state: one.state.clone() };
        let expected = one.version;
        let first = one.next(asked("one", round, 2))?;
        let second = other.next(asked("other", round, 1))?;
        let (a, b) = futures::join!(send(&store, &one.id, &first), send(&store, &one.id, &second));
        let conflict = Err(AppendError::Conflict { stream: one.id.clone(), expected });
        let won = match (&a, &b) {
            (Ok(()), lost) if *lost == conflict => &first,
            (lost, Ok(())) if *lost == conflict => &second,
            _ => return super::super::broken(format!("one must win, the other conflict: {a:?}, {b:?}")),
        };
        same("the head", &store.head(&one.id).await?.as_ref(), &Some(&won.head))?;
        let written = store.read(&one.id, expected + 1, ALL).await?;
        same("the events of the winner", &written, &won.events)?;
        if won.expected + 1 == won.head.version {
            one = other;
        }
    }
    Ok(())
}
