//! The laws of [`ChangeFeed`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Harness, Law, Outcome, Unmet, broken, ensure, provided, same};
use crate::ports::{ChangeFeed, Cursor, Next};
use crate::vocabulary::{Generation, LayerKey, PageToken};

/// Longer than any feed holds back a state that it has seen.
const SETTLING: Duration = Duration::from_secs(10 * 60);
/// More states than a check waits for before it is caught up.
const MAX_STATES: usize = 1000;

/// What the scanner behind a feed is taught: each makes one new state of knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// A new advisory that affects images which are indexed.
    Publish,
    /// The advisory that was published last is withdrawn.
    Withdraw,
    /// The text of an advisory is edited, nothing else.
    EditText,
}

/// What a lesson must be seen as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// The state of knowledge.
    pub generation: Generation,
    /// The keys of the images of which an assessment differs; none for an edited text.
    pub keys: BTreeSet<LayerKey>,
}

/// A feed whose scanner has its data loaded. A fixture is none where the backend cannot provide it.
#[async_trait]
pub trait ChangeFeedHarness: Harness {
    /// The feed.
    fn feed(&self) -> Arc<dyn ChangeFeed>;

    /// Teaches the scanner.
    async fn learn(&self, lesson: Lesson) -> Option<Learnt>;

    /// Lets the feed lose the state at this cursor and all before it.
    async fn forget(&self, cursor: &Cursor) -> Option<()>;
}

/// The laws.
pub const LAWS: &[Law<dyn ChangeFeedHarness>] = &[
    Law { id: "N1", title: "every_state_is_passed_through", check: |h| Box::pin(every_state(h)) },
    Law { id: "N2", title: "no_cursor_is_a_gap", check: |h| Box::pin(no_cursor(h)) },
    Law { id: "N2", title: "a_forgotten_state_is_a_gap", check: |h| Box::pin(forgotten(h)) },
    Law { id: "N3", title: "an_edited_text_names_nothing", check: |h| Box::pin(text_only(h)) },
    Law { id: "N4", title: "candidates_name_what_differs", check: |h| Box::pin(candidates(h)) },
];

async fn taught(harness: &dyn ChangeFeedHarness, lesson: Lesson) -> Result<Learnt, Unmet> {
    provided(harness.learn(lesson).await, "a scanner that can be taught")
}

/// What comes after a cursor, once everything that was learnt so far has settled.
async fn next(harness: &dyn ChangeFeedHarness, cursor: Option<&Cursor>) -> Result<Next, Unmet> {
    let feed = harness.feed();
    match feed.next(cursor.cloned()).await? {
        Next::UpToDate => {
            harness.advance(SETTLING).await;
            Ok(feed.next(cursor.cloned()).await?)
        }
        found => Ok(found),
    }
}

/// The cursor after everything that was learnt so far.
async fn caught_up(harness: &dyn ChangeFeedHarness) -> Result<Cursor, Unmet> {
    let mut cursor = None;
    for _ in 0..MAX_STATES {
        match (next(harness, cursor.as_ref()).await?, &cursor) {
            (Next::Change { to, .. } | Next::Gap { to, .. }, _) => cursor = Some(to),
            (Next::UpToDate, Some(end)) => return Ok(end.clone()),
            (Next::UpToDate, None) => return provided(None, "a feed with a first state"),
        }
    }
    broken(format!("the feed goes on after {MAX_STATES} states"))
}

async fn change(harness: &dyn ChangeFeedHarness, from: &Cursor) -> Result<(Cursor, Generation), Unmet> {
    match next(harness, Some(from)).await? {
        Next::Change { to, generation } => Ok((to, generation)),
        other => broken(format!("expected a change after {from:?}, found {other:?}")),
    }
}

async fn all_candidates(
    harness: &dyn ChangeFeedHarness,
    from: &Cursor,
    to: &Cursor,
    limit: usize,
) -> Result<BTreeSet<LayerKey>, Unmet> {
    let (mut keys, mut after): (BTreeSet<_>, Option<PageToken>) = (BTreeSet::new(), None);
    loop {
        let page = harness.feed().candidates(from, to, after, limit).await?;
        ensure(page.items.len() <= limit, || format!("{} keys in a page of {limit}", page.items.len()))?;
        keys.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(keys),
        }
    }
}

async fn every_state(harness: &dyn ChangeFeedHarness) -> Outcome {
    let mut cursor = caught_up(harness).await?;
    // Published and withdrawn before anyone looked: the net difference is nothing, yet an assessment in between
    // has seen it.
    let mut lessons = vec![];
    for lesson in [Lesson::Publish, Lesson::Withdraw, Lesson::Publish] {
        lessons.push(taught(harness, lesson).await?);
    }
    for learnt in &lessons {
        let (to, generation) = change(harness, &cursor).await?;
        same("the generation of a change", &generation, &learnt.generation)?;
        let keys = all_candidates(harness, &cursor, &to, 100).await?;
        ensure(keys.is_superset(&learnt.keys), || {
            format!("the change to {to:?} names {keys:?}, not all of {:?}", learnt.keys)
        })?;
        harness.feed().followed(&to).await?;
        cursor = to;
    }
    same("after the last change", &next(harness, Some(&cursor)).await?, &Next::UpToDate)
}

async fn no_cursor(harness: &dyn ChangeFeedHarness) -> Outcome {
    let learnt = taught(harness, Lesson::Publish).await?;
    let Next::Gap { to, generation, .. } = next(harness, None).await? else {
        return broken("without a cursor there is no gap");
    };
    same("the gap's generation", &generation, &learnt.generation)?;
    same("after the gap", &next(harness, Some(&to)).await?, &Next::UpToDate)
}

async fn forgotten(harness: &dyn ChangeFeedHarness) -> Outcome {
    let start = caught_up(harness).await?;
    taught(harness, Lesson::Publish).await?;
    let (middle, _) = change(harness, &start).await?;
    let last = taught(harness, Lesson::Withdraw).await?;
    provided(harness.forget(&start).await, "a feed that forgets")?;
    let Next::Gap { to, generation, .. } = next(harness, Some(&start)).await? else {
        return broken("a forgotten state is no gap");
    };
    same("the gap's generation", &generation, &last.generation)?;
    same("after the gap", &next(harness, Some(&to)).await?, &Next::UpToDate)?;
    let lost = harness.feed().candidates(&start, &middle, None, 100).await;
    ensure(lost.is_err(), || format!("a forgotten change still names {lost:?}"))
}

async fn text_only(harness: &dyn ChangeFeedHarness) -> Outcome {
    taught(harness, Lesson::Publish).await?;
    let start = caught_up(harness).await?;
    taught(harness, Lesson::EditText).await?;
    match next(harness, Some(&start)).await? {
        Next::UpToDate => Ok(()),
        Next::Change { to, .. } => {
            same("what it names", &all_candidates(harness, &start, &to, 100).await?, &BTreeSet::new())
        }
        gap @ Next::Gap { .. } => broken(format!("an edited text is {gap:?}")),
    }
}

async fn candidates(harness: &dyn ChangeFeedHarness) -> Outcome {
    let start = caught_up(harness).await?;
    for lesson in [Lesson::Publish, Lesson::Withdraw] {
        let learnt = taught(harness, lesson).await?;
        ensure(!learnt.keys.is_empty(), || "the harness taught what affects nothing".to_owned())?;
    }
    let (to, _) = change(harness, &start).await?;
    let first = all_candidates(harness, &start, &to, 100).await?;
    for limit in [1, 2, 100] {
        same("the same keys again", &all_candidates(harness, &start, &to, limit).await?, &first)?;
    }
    let (end, _) = change(harness, &to).await?;
    let second = all_candidates(harness, &to, &end, 1).await?;
    ensure(!first.is_empty() && !second.is_empty(), || format!("named: {first:?}, then {second:?}"))
}
