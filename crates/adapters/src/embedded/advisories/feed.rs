//! The change feed over the folder of advisories: generation by generation, parent by parent.

mod candidates;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cve_monitor_core::ports::{Candidates, ChangeFeed, Cursor, FeedError, Next};
use cve_monitor_core::vocabulary::{FeedName, PageToken};
use cve_monitor_scanner::advisory::changed_ecosystems;

use self::candidates::Changed;
use super::{AdvisoryError, AdvisoryStore, State};
use crate::embedded::{Database, DatabaseError};

/// What is affected where nobody can tell what changed.
const EVERYTHING: &str = "everything";

/// A [`ChangeFeed`] named `embedded`: its states are the generations of the folder, its keys the digests of layers.
#[derive(Debug)]
pub struct EmbeddedFeed {
    database: Database,
    store: AdvisoryStore,
    /// The change whose candidates were asked for last: it is asked for page by page.
    last: Mutex<Option<Arc<Changed>>>,
}

impl EmbeddedFeed {
    /// The feed of this folder, over the layers that the embedded scanner keeps in this file.
    #[must_use]
    pub fn new(database: Database, store: AdvisoryStore) -> Self {
        Self { database, store, last: Mutex::default() }
    }

    /// The packages of a change; computed once for all of its pages.
    async fn changed(&self, from: &Cursor, to: &Cursor) -> Result<Arc<Changed>, FeedError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().clone().filter(|changed| changed.is_between(from, to));
        let (store, between) = (self.store.clone(), (from.clone(), to.clone()));
        if let Some(known) = known {
            // A state that was forgotten must not go on naming any.
            blocking(move || still_there(&store, &between.0, &between.1)).await?;
            return Ok(known);
        }
        let (old, new) = blocking(move || states(&store, &between.0, &between.1)).await?;
        let changed = Changed::between(from, to, old, new, &self.database).await?;
        let changed = Arc::new(changed);
        *last() = Some(Arc::clone(&changed));
        Ok(changed)
    }
}

fn still_there(store: &AdvisoryStore, from: &Cursor, to: &Cursor) -> Result<(), FeedError> {
    let forgotten = |cursor: &Cursor| FeedError::Forgotten(cursor.0.clone());
    let current = store.current_now()?.ok_or_else(|| forgotten(to))?;
    match [from, to].into_iter().find(|cursor| !store.is_there(cursor, &current)) {
        Some(gone) => Err(forgotten(gone)),
        None => Ok(()),
    }
}

fn states(store: &AdvisoryStore, from: &Cursor, to: &Cursor) -> Result<(State, State), FeedError> {
    let forgotten = |cursor: &Cursor| FeedError::Forgotten(cursor.0.clone());
    let current = store.current_now()?.ok_or_else(|| forgotten(to))?;
    let old = store.at(from, &current)?.ok_or_else(|| forgotten(from))?;
    let new = store.at(to, &current)?.ok_or_else(|| forgotten(to))?;
    Ok((old, new))
}

fn next(store: &AdvisoryStore, cursor: Option<&Cursor>) -> Result<Next, FeedError> {
    // Without any advisories no assessment has seen any.
    let Some(current) = store.current_now()? else { return Ok(Next::UpToDate) };
    let gap = |to: &State, scope: String| Next::Gap { to: to.cursor(), scope, generation: to.generation() };
    let Some(cursor) = cursor else { return Ok(gap(&current, EVERYTHING.to_owned())) };
    if *cursor == current.cursor() {
        return Ok(Next::UpToDate);
    }
    let step = match store.at(cursor, &current)? {
        Some(from) => store.step_after(&from, current.clone())?.map(|step| (from, step)),
        None => None,
    };
    let Some((from, step)) = step else { return Ok(gap(&current, EVERYTHING.to_owned())) };
    // An image of a release that was not covered before, or is not looked after any more, is affected whatever it holds.
    let ecosystems = changed_ecosystems(&from.database, &step.database);
    if ecosystems.is_empty() {
        return Ok(Next::Change { to: step.cursor(), generation: step.generation() });
    }
    Ok(gap(&step, ecosystems.join(", ")))
}

#[async_trait]
impl ChangeFeed for EmbeddedFeed {
    fn name(&self) -> FeedName {
        FeedName("embedded".to_owned())
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let store = self.store.clone();
        blocking(move || next(&store, cursor.as_ref())).await
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        let changed = self.changed(from, to).await?;
        Ok(candidates::page(&self.database, changed, after, limit).await?)
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        let (store, at) = (self.store.clone(), cursor.clone());
        let is_kept = blocking(move || match store.current_now()? {
            Some(current) => Ok(store.at(&at, &current)?.is_some()),
            None => Ok(false),
        })
        .await?;
        // A cursor of which nothing is known says nothing about what may be thrown away.
        if is_kept {
            self.store.prune(std::slice::from_ref(cursor)).await?;
        }
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, FeedError> + Send + 'static,
) -> Result<T, FeedError> {
    let ran = tokio::task::spawn_blocking(run).await;
    ran.unwrap_or_else(|error| {
        Err(FeedError::Transient(format!("reading the advisories broke off: {error}")))
    })
}

// The next refresh repairs what is damaged: asking again is right in each case.
impl From<AdvisoryError> for FeedError {
    fn from(error: AdvisoryError) -> Self {
        Self::Transient(error.to_string())
    }
}

impl From<DatabaseError> for FeedError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(problem) => Self::Transient(problem),
            DatabaseError::Refused(problem) => Self::Permanent(problem),
            other => Self::Permanent(other.to_string()),
        }
    }
}
