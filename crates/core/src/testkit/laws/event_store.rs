//! The laws of [`EventStore`].

mod append;
mod heads;
mod reading;

use std::sync::Arc;

use super::{Harness, Law, Unmet, image};
use crate::ports::{AppendError, EventStore};
use crate::scan::{
    Due, Event, Head, HeadState, ImageEvent, ImageState, RecordedEvent, StreamId, evolve, seal,
};
use crate::vocabulary::{Cause, PageToken, RequestId, Timestamp};

/// A fresh store.
pub trait EventStoreHarness: Harness {
    /// The store.
    fn store(&self) -> Arc<dyn EventStore>;
}

/// The laws.
pub const LAWS: &[Law<dyn EventStoreHarness>] = &[
    Law { id: "E1", title: "an_append_is_whole", check: |h| Box::pin(append::whole(h)) },
    Law { id: "E1", title: "a_refused_append_writes_nothing", check: |h| Box::pin(append::refused(h)) },
    Law { id: "E1", title: "a_dropped_append_is_whole_or_not", check: |h| Box::pin(append::dropped(h)) },
    Law { id: "E2", title: "the_same_append_again_changes_nothing", check: |h| Box::pin(append::again(h)) },
    Law { id: "E3", title: "a_stale_append_is_a_conflict", check: |h| Box::pin(append::stale(h)) },
    Law { id: "E3", title: "of_two_at_once_one_wins", check: |h| Box::pin(append::raced(h)) },
    Law { id: "E4", title: "versions_have_no_gaps", check: |h| Box::pin(reading::versions(h)) },
    Law { id: "E5", title: "read_all_visits_each_event_once", check: |h| Box::pin(reading::everything(h)) },
    Law { id: "E6", title: "the_head_is_that_of_the_append", check: |h| Box::pin(heads::written(h)) },
    Law { id: "E6", title: "listing_visits_each_stream", check: |h| Box::pin(heads::listed(h)) },
    Law {
        id: "E7",
        title: "a_head_is_rewritten_at_its_version_only",
        check: |h| Box::pin(heads::rewritten(h)),
    },
    Law { id: "E8", title: "due_lists_what_waits_earliest_first", check: |h| Box::pin(heads::due(h)) },
    Law { id: "E8", title: "due_forgets_what_waits_no_longer", check: |h| Box::pin(heads::no_longer_due(h)) },
    Law { id: "E9", title: "heads_of_are_those_of_each_stream", check: |h| Box::pin(heads::several(h)) },
    Law { id: "E10", title: "reading_one_type_visits_all_of_it", check: |h| Box::pin(reading::one_type(h)) },
];

/// Noon of the first of March 2026.
const NOON: i64 = 1_772_366_400_000;

/// A stream as its writer sees it.
struct Writer {
    id: StreamId,
    version: u64,
    state: ImageState,
}

/// An append that is ready to be sent.
struct Append {
    expected: u64,
    events: Vec<RecordedEvent>,
    head: Head,
}

impl Writer {
    /// A new stream of an image of this registry.
    fn of(registry: &str, seed: &str) -> Result<Self, Unmet> {
        let id = StreamId::image(&image(registry, seed)?);
        Ok(Self { id, version: 0, state: ImageState::default() })
    }

    fn new(harness: &dyn EventStoreHarness) -> Result<Self, Unmet> {
        Self::of(&format!("{}.test", harness.unique()), "stream")
    }

    /// The next append, folded into the state as if it had succeeded.
    fn next(&mut self, events: Vec<ImageEvent>) -> Result<Append, Unmet> {
        let at = Timestamp::from_millis(NOON);
        for event in &events {
            self.state = evolve(std::mem::take(&mut self.state), at, event)?;
        }
        let expected = self.version;
        let events = seal(&self.id, expected, at, events.into_iter().map(Event::Image).collect());
        self.version += events.len() as u64;
        Ok(Append { expected, events, head: self.head() })
    }

    fn head(&self) -> Head {
        Head { version: self.version, state: HeadState::Image(Box::new(self.state.clone())) }
    }

    /// Appends this many requests.
    async fn write(&mut self, store: &Arc<dyn EventStore>, events: usize) -> Result<Append, Unmet> {
        let append = self.next(asked(&self.id.0, self.version, events))?;
        send(store, &self.id, &append).await?;
        Ok(append)
    }

    /// Appends a wait.
    async fn wait(&mut self, store: &Arc<dyn EventStore>, until: Due) -> Result<(), Unmet> {
        let append = self.next(vec![ImageEvent::Waiting { until, reason: "a check".to_owned() }])?;
        Ok(send(store, &self.id, &append).await?)
    }
}

async fn send(store: &Arc<dyn EventStore>, id: &StreamId, append: &Append) -> Result<(), AppendError> {
    store.append(id, append.expected, &append.events, &append.head).await
}

/// Requests whose ids follow from these.
fn asked(seed: &str, version: u64, number: usize) -> Vec<ImageEvent> {
    let id = |n: usize| RequestId::derived(&[seed, &version.to_string(), &n.to_string()]);
    (0..number)
        .map(|n| ImageEvent::ScanRequested { request: id(n), cause: Cause::Reconcile, at_least: None })
        .collect()
}

/// All pages of a listing of heads that `next` asks for, of which those of one registry.
async fn pages<F>(
    prefix: &str,
    mut next: impl FnMut(Option<PageToken>) -> F,
) -> Result<Vec<(StreamId, Head)>, Unmet>
where
    F: Future<Output = Result<crate::vocabulary::Page<(StreamId, Head)>, crate::ports::StoreError>>,
{
    let (mut found, mut after) = (vec![], None);
    loop {
        let page = next(after).await?;
        found.extend(page.items.into_iter().filter(|(id, _)| id.0.starts_with(prefix)));
        match page.next {
            Some(token) => after = Some(token),
            None => return Ok(found),
        }
    }
}
