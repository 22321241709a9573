//! A change feed in memory: it goes through the model's knowledge state by state.

use std::sync::Arc;

use async_trait::async_trait;

use super::ModelKnowledge;
use crate::ports::{Candidates, ChangeFeed, Cursor, FeedError, Next};
use crate::testkit::locked::Locked;
use crate::testkit::pages::page_of;
use crate::vocabulary::{FeedName, Generation, PageToken};

/// A [`ChangeFeed`] in memory. Its cursors are the numbers of states.
#[derive(Debug)]
pub struct ModelFeed {
    knowledge: Arc<ModelKnowledge>,
    failure: Locked<Option<FeedError>>,
    followed: Locked<Vec<Cursor>>,
}

impl ModelFeed {
    /// The feed `model` over this knowledge.
    #[must_use]
    pub fn new(knowledge: Arc<ModelKnowledge>) -> Self {
        Self { knowledge, failure: Locked::default(), followed: Locked::default() }
    }

    /// Every call fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<FeedError>) {
        *self.failure.lock() = failure;
    }

    /// The cursors that were said to be followed, in that order.
    #[must_use]
    pub fn followed_cursors(&self) -> Vec<Cursor> {
        self.followed.lock().clone()
    }

    fn available(&self) -> Result<(), FeedError> {
        self.failure.lock().clone().map_or(Ok(()), Err)
    }
}

fn cursor(generation: u64) -> Cursor {
    Cursor(generation.to_string())
}

fn generation(cursor: &Cursor) -> Result<u64, FeedError> {
    let read = cursor.0.parse();
    read.map_err(|_| FeedError::Permanent(format!("`{}` is not a cursor of this feed", cursor.0)))
}

#[async_trait]
impl ChangeFeed for ModelFeed {
    fn name(&self) -> FeedName {
        FeedName("model".to_owned())
    }

    async fn next(&self, from: Option<Cursor>) -> Result<Next, FeedError> {
        self.available()?;
        let facts = self.knowledge.0.lock();
        let latest = facts.latest();
        if latest == 0 {
            return Ok(Next::UpToDate);
        }
        let gap = || Next::Gap {
            to: cursor(latest),
            scope: "everything".to_owned(),
            generation: Generation(latest),
        };
        let Some(from) = from else { return Ok(gap()) };
        let from = generation(&from)?;
        if from == latest {
            return Ok(Next::UpToDate);
        }
        if !facts.remembers(from) {
            return Ok(gap());
        }
        Ok(Next::Change { to: cursor(from + 1), generation: Generation(from + 1) })
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        self.available()?;
        let facts = self.knowledge.0.lock();
        let (from, to) = (generation(from)?, generation(to)?);
        for state in [from, to] {
            if !facts.remembers(state) {
                return Err(FeedError::Forgotten(format!("state {state}")));
            }
        }
        let keys = facts.changed_keys(from, to).into_iter().map(|key| (key.0.clone(), key));
        Ok(page_of(keys, after.as_ref(), limit, Clone::clone))
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        self.available()?;
        generation(cursor)?;
        self.followed.lock().push(cursor.clone());
        Ok(())
    }
}
