//! Change feeds with a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cve_monitor_core::ports::{Candidates, ChangeFeed, Cursor, FeedError, Next};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{FeedName, LayerKey, Page, PageToken};

use crate::models::scanning::scanning;
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    JumpsToTheLatest,
    PassesOverGaps,
    NamesTextEdits,
    NamesOnce,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn ChangeFeed>,
    fault: Fault,
    asked: AtomicU64,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::change_feed::ChangeFeedHarness>); 4] = [
        ("jumps_to_the_latest", "N1", || fresh(Fault::JumpsToTheLatest)),
        ("passes_over_gaps", "N2", || fresh(Fault::PassesOverGaps)),
        ("names_text_edits", "N3", || fresh(Fault::NamesTextEdits)),
        ("names_once", "N4", || fresh(Fault::NamesOnce)),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("change_feed", fault, law, laws::change_feed::LAWS, fresh);
    }
}

type Ready =
    futures::future::BoxFuture<'static, Result<Box<dyn laws::change_feed::ChangeFeedHarness>, String>>;

fn fresh(fault: Fault) -> Ready {
    let mut scanning = scanning();
    scanning.feed = Arc::new(Broken { inner: scanning.feed, fault, asked: AtomicU64::new(0) });
    Box::pin(async { Ok(Box::new(scanning) as _) })
}

#[async_trait]
impl ChangeFeed for Broken {
    fn name(&self) -> FeedName {
        self.inner.name()
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let mut next = self.inner.next(cursor.clone()).await?;
        match (self.fault, &next) {
            (Fault::JumpsToTheLatest, Next::Change { .. }) => {
                while let Next::Change { to, generation } = next {
                    let last = Next::Change { to: to.clone(), generation };
                    next = self.inner.next(Some(to)).await?;
                    if next == Next::UpToDate {
                        return Ok(last);
                    }
                }
                Ok(next)
            }
            (Fault::PassesOverGaps, Next::Gap { .. }) if cursor.is_some() => Ok(Next::UpToDate),
            _ => Ok(next),
        }
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut page = self.inner.candidates(from, to, after, limit).await?;
        match self.fault {
            Fault::NamesTextEdits => page.items.push(LayerKey("sha256:any".to_owned())),
            Fault::NamesOnce if asked > 0 => page = Page::last(vec![]),
            _ => {}
        }
        Ok(page)
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        self.inner.followed(cursor).await
    }
}
