//! The change feed of Clair v4: its updaters' operations, one at a time from our own place in each.
//!
//! Clair's notifier compares only the newest operation with the one before it; this feed does not use it.

mod candidates;
mod cursor;
mod diff;
mod reverse;
mod step;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{Candidates, ChangeFeed, Clock, Cursor, FeedError, Next, ReportArchive};
use cve_monitor_core::vocabulary::{FeedName, PageToken};

pub use self::candidates::MAX_ATTEMPTS;
use self::candidates::{Affected, Asking, Pending};
use self::cursor::{Documents, Places};
#[cfg(feature = "testkit")]
pub(super) use self::diff::testkit;
use self::diff::{Changes, DiffError};
use self::step::{FirstSeen, Step};
use super::super::http::HttpError;
use super::client::ClairV4Client;
use super::operations::{OperationRef, Operations};

/// How long after an operation was first seen it is followed, unless told otherwise: Clair refreshes what its reports
/// are made from after it has committed an operation, within this time wherever it is not overloaded.
pub const SETTLE: Duration = Duration::from_secs(2 * 60);
/// What is affected where nothing was followed yet.
const EVERYTHING: &str = "everything";

/// How often in a row a change may fail to be read, both of its operations being listed before and after: then it is given
/// up and all images are assessed again, so that the changes behind it are not held up for ever.
pub const MAX_DIFF_FAILURES: u32 = 6;

/// A [`ChangeFeed`] named `clair-v4`: its states are the sets of operations that were followed, its keys the digests of
/// manifests and the names of packages.
#[derive(Debug)]
pub struct ClairV4Feed {
    client: Arc<ClairV4Client>,
    documents: Documents,
    clock: Arc<dyn Clock>,
    settle: Duration,
    seen: Mutex<FirstSeen>,
    /// The change whose candidates were asked for last: it is asked for page by page.
    affected: Mutex<Option<Arc<Affected>>>,
    /// The change that was read last, while its questions are not all answered.
    pending: Mutex<Option<Pending>>,
    /// The change that could not be read last, and how often in a row.
    failing: Mutex<Option<(OperationRef, OperationRef, u32)>>,
    /// Updaters that have vanished, each warned of once.
    warned: Mutex<BTreeSet<String>>,
}

impl ClairV4Feed {
    /// The feed of this Clair. Its cursors are kept in the archive; operations are followed [`SETTLE`] after they were
    /// first seen.
    #[must_use]
    pub fn new(client: Arc<ClairV4Client>, archive: Arc<dyn ReportArchive>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            documents: Documents::new(archive),
            clock,
            settle: SETTLE,
            seen: Mutex::default(),
            affected: Mutex::default(),
            pending: Mutex::default(),
            failing: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    /// Follows operations this long after they were first seen.
    #[must_use]
    pub fn settling(self, settle: Duration) -> Self {
        Self { settle, ..self }
    }

    async fn operations(&self) -> Result<Operations, FeedError> {
        self.client.operations().await.map_err(|error| feed_error(&error))
    }

    fn warn_of_vanished(&self, operations: &Operations, places: &Places) {
        let vanished = step::vanished(operations, places);
        let mut warned = lock(&self.warned);
        warned.retain(|updater| vanished.contains(&updater.as_str()));
        for updater in vanished {
            if warned.insert(updater.to_owned()) {
                tracing::warn!(
                    updater,
                    "Clair lists no operation of this updater any more: its last data stays"
                );
            }
        }
    }

    /// The keys of a change; computed once for all of its pages.
    async fn affected(&self, from: &Cursor, to: &Cursor) -> Result<Arc<Affected>, FeedError> {
        if let Some(known) = lock(&self.affected).clone().filter(|known| known.is_between(from, to)) {
            return Ok(known);
        }
        let kept = lock(&self.pending).take().filter(|kept| kept.is_between(from, to));
        let mut pending = match kept {
            Some(kept) => kept,
            None => self.read(from, to).await?,
        };
        let updater = pending.updater.clone();
        let asking = Asking { client: &self.client, clock: &self.clock, updater: &updater };
        if let Err(error) = asking.manifests(&mut pending).await {
            if !matches!(error, FeedError::Forgotten(_)) {
                *lock(&self.pending) = Some(pending);
            }
            return Err(error);
        }
        let affected = Arc::new(pending.affected());
        *lock(&self.affected) = Some(Arc::clone(&affected));
        Ok(affected)
    }

    /// Reads what changed.
    async fn read(&self, from: &Cursor, to: &Cursor) -> Result<Pending, FeedError> {
        let forgotten = || FeedError::Forgotten(EVERYTHING.to_owned());
        let before = self.documents.get(from).await?.ok_or_else(forgotten)?;
        let after = self.documents.get(to).await?.ok_or_else(forgotten)?;
        let (updater, old, new) = step::moved(&before.places, &after.places).map_err(FeedError::Forgotten)?;
        let changes = self.changed(&updater, &old, &new).await?;
        Ok(Pending::new(from, to, updater, changes))
    }

    async fn changed(
        &self,
        updater: &str,
        old: &OperationRef,
        new: &OperationRef,
    ) -> Result<Changes, FeedError> {
        if old == new {
            // Its place is the same, dated otherwise since the updater vanished.
            return Ok(Changes::default());
        }
        // Clair collects operations while it compares them: a comparison counts where both are there afterwards too.
        self.both_listed(updater, old, new).await?;
        let changes = match self.client.update_diff(Some(old), new).await {
            Ok(body) => diff::read(body).await,
            Err(error) => Err(error.into()),
        };
        self.both_listed(updater, old, new).await?;
        let changes = match changes {
            Ok(changes) => changes,
            Err(DiffError::Http(error)) => return Err(self.failed(updater, old, new, feed_error(&error))),
            Err(error @ DiffError::Unreadable(_)) => {
                return Err(self.failed(updater, old, new, FeedError::Transient(error.to_string())));
            }
            Err(DiffError::TooLarge(why)) => {
                tracing::warn!(updater, why, "too much changed at once: all images are assessed again");
                return Err(FeedError::Forgotten(updater.to_owned()));
            }
        };
        if changes.unknown {
            tracing::warn!(updater, "something changed of no known ecosystem: all images are assessed again");
            return Err(FeedError::Forgotten(updater.to_owned()));
        }
        *lock(&self.failing) = None;
        Ok(changes)
    }

    /// What it means that a change cannot be read: sooner or later that it never will be.
    fn failed(&self, updater: &str, old: &OperationRef, new: &OperationRef, error: FeedError) -> FeedError {
        if !matches!(error, FeedError::Transient(_)) {
            return error;
        }
        let mut failing = lock(&self.failing);
        let before = failing.take().filter(|(from, to, _)| (from, to) == (old, new)).map_or(0, |last| last.2);
        *failing = Some((old.clone(), new.clone(), before.saturating_add(1)));
        if before.saturating_add(1) < MAX_DIFF_FAILURES {
            return error;
        }
        tracing::warn!(updater, %error, "a change cannot be read time and again: all images are assessed again");
        FeedError::Forgotten(updater.to_owned())
    }

    async fn both_listed(
        &self,
        updater: &str,
        old: &OperationRef,
        new: &OperationRef,
    ) -> Result<(), FeedError> {
        let operations = self.operations().await?;
        let is_listed =
            |name: &OperationRef| operations.of(updater).iter().any(|operation| operation.name == *name);
        if is_listed(old) && is_listed(new) { Ok(()) } else { Err(FeedError::Forgotten(updater.to_owned())) }
    }
}

#[async_trait]
impl ChangeFeed for ClairV4Feed {
    fn name(&self) -> FeedName {
        FeedName("clair-v4".to_owned())
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let operations = self.operations().await?;
        let document = match &cursor {
            Some(cursor) => self.documents.get(cursor).await?,
            None => None,
        };
        if let (Some(cursor), None) = (&cursor, &document) {
            tracing::warn!(
                cursor = cursor.0,
                "the archive does not hold this cursor: everything is assessed again"
            );
        }
        let places = document.as_ref().map(|document| &document.places);
        if let Some(places) = places {
            self.warn_of_vanished(&operations, places);
        }
        let step = {
            let (mut seen, now) = (lock(&self.seen), self.clock.now());
            seen.note(&operations, now);
            step::step(&operations, places, &seen, self.settle, now)
        };
        Ok(match step {
            Step::UpToDate => Next::UpToDate,
            Step::Change { to } => {
                let (to, document) = self.documents.put(cursor.as_ref(), to).await?;
                Next::Change { to, generation: document.generation() }
            }
            Step::Gap { updaters, to } => {
                let (to, document) = self.documents.put(cursor.as_ref(), to).await?;
                let scope = if updaters.is_empty() { EVERYTHING.to_owned() } else { updaters.join(", ") };
                Next::Gap { to, scope, generation: document.generation() }
            }
        })
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        Ok(self.affected(from, to).await?.page(after.as_ref(), limit))
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        self.documents.remove_before(cursor).await
    }
}

/// What asking again may mend; a wrong address, or a wrong key, it does not.
fn feed_error(error: &HttpError) -> FeedError {
    match error {
        HttpError::Status { status: 401 | 403, .. } => {
            FeedError::Permanent(format!("{error} (is `auth.psk` of Clair configured here?)"))
        }
        HttpError::Status { status: 404 | 405, .. } => {
            FeedError::Permanent(format!("{error} (is this the address of a Clair v4?)"))
        }
        _ => FeedError::Transient(error.to_string()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
