//! Event stores with a fault.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{AppendError, EventStore, Position, StoreError};
use cve_monitor_core::scan::{Due, EventType, Head, RecordedEvent, StreamId};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{Page, PageToken, Timestamp};

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    WritesTheFirstEventOnly,
    TakesNothingTwice,
    HidesConflicts,
    SkipsAVersion,
    DropsTheEndOfAPage,
    ListsOldHeads,
    RewritesAnything,
    IgnoresTheTime,
    LeavesOutStrangers,
    EndsAtAnEmptyPage,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn EventStore>,
    fault: Fault,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::event_store::EventStoreHarness>); 10] = [
        ("writes_the_first_event_only", "E1", || {
            Box::pin(async { Ok(with(Fault::WritesTheFirstEventOnly) as _) })
        }),
        ("takes_nothing_twice", "E2", || Box::pin(async { Ok(with(Fault::TakesNothingTwice) as _) })),
        ("hides_conflicts", "E3", || Box::pin(async { Ok(with(Fault::HidesConflicts) as _) })),
        ("skips_a_version", "E4", || Box::pin(async { Ok(with(Fault::SkipsAVersion) as _) })),
        ("drops_the_end_of_a_page", "E5", || Box::pin(async { Ok(with(Fault::DropsTheEndOfAPage) as _) })),
        ("lists_old_heads", "E6", || Box::pin(async { Ok(with(Fault::ListsOldHeads) as _) })),
        ("rewrites_anything", "E7", || Box::pin(async { Ok(with(Fault::RewritesAnything) as _) })),
        ("ignores_the_time", "E8", || Box::pin(async { Ok(with(Fault::IgnoresTheTime) as _) })),
        ("leaves_out_strangers", "E9", || Box::pin(async { Ok(with(Fault::LeavesOutStrangers) as _) })),
        ("ends_at_an_empty_page", "E10", || Box::pin(async { Ok(with(Fault::EndsAtAnEmptyPage) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("event_store", fault, law, laws::event_store::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.store = Arc::new(Broken { inner: memory.store, fault });
    memory
}

#[async_trait]
impl EventStore for Broken {
    async fn append(
        &self,
        stream: &StreamId,
        expected: u64,
        events: &[RecordedEvent],
        head: &Head,
    ) -> Result<(), AppendError> {
        let conflict = AppendError::Conflict { stream: stream.clone(), expected };
        match self.fault {
            Fault::WritesTheFirstEventOnly => {
                let head = Head { version: expected + 1, ..head.clone() };
                self.inner.append(stream, expected, &events[..1], &head).await
            }
            Fault::TakesNothingTwice
                if self.inner.head(stream).await?.map_or(0, |h| h.version) > expected =>
            {
                Err(conflict)
            }
            Fault::HidesConflicts => match self.inner.append(stream, expected, events, head).await {
                Err(AppendError::Conflict { .. }) => Ok(()),
                answer => answer,
            },
            _ => self.inner.append(stream, expected, events, head).await,
        }
    }

    async fn head(&self, stream: &StreamId) -> Result<Option<Head>, StoreError> {
        self.inner.head(stream).await
    }

    async fn heads_of(&self, streams: &[StreamId]) -> Result<Vec<Option<Head>>, StoreError> {
        let mut heads = self.inner.heads_of(streams).await?;
        if self.fault == Fault::LeavesOutStrangers {
            heads.retain(Option::is_some);
        }
        Ok(heads)
    }

    async fn heads(
        &self,
        prefix: &str,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let mut page = self.inner.heads(prefix, after, limit).await?;
        if self.fault == Fault::ListsOldHeads {
            page.items.iter_mut().for_each(|(_, head)| head.version -= 1);
        }
        Ok(page)
    }

    async fn due(
        &self,
        kind: &Due,
        before: Timestamp,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(StreamId, Head)>, StoreError> {
        let before = if self.fault == Fault::IgnoresTheTime { Timestamp::MAX } else { before };
        self.inner.due(kind, before, after, limit).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let from = if self.fault == Fault::SkipsAVersion { from + 1 } else { from };
        self.inner.read(stream, from, limit).await
    }

    async fn read_all(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let mut page = self.inner.read_all(after, limit).await?;
        if self.fault == Fault::DropsTheEndOfAPage {
            page.items.pop();
        }
        Ok(page)
    }

    async fn read_all_of(
        &self,
        wanted: EventType,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<(Position, RecordedEvent)>, StoreError> {
        let mut page = self.inner.read_all_of(wanted, after, limit).await?;
        if self.fault == Fault::EndsAtAnEmptyPage && page.items.is_empty() {
            page.next = None;
        }
        Ok(page)
    }

    async fn rewrite_head(&self, stream: &StreamId, head: &Head) -> Result<(), AppendError> {
        match (self.fault, self.inner.rewrite_head(stream, head).await) {
            (Fault::RewritesAnything, Err(AppendError::Conflict { .. })) => Ok(()),
            (_, answer) => answer,
        }
    }
}
