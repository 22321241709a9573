//! The change feed.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{Candidates, ChangeFeed, Cursor, FeedError, Next};
use cve_monitor_core::testkit::model::ModelFeed;
use cve_monitor_core::vocabulary::{FeedName, PageToken};

use super::PAGE;
use crate::wire::Wire;

/// What the scanner has learnt.
#[derive(Debug)]
pub(crate) struct SimFeed(pub(crate) Wire, pub(crate) Arc<ModelFeed>);

#[async_trait]
impl ChangeFeed for SimFeed {
    fn name(&self) -> FeedName {
        self.1.name()
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let from = cursor.clone();
        let next = async {
            let next = self.1.next(from).await;
            if matches!(next, Ok(Next::Gap { .. })) {
                self.0.stage().count("feed gap");
            }
            next
        };
        self.0.call("feed.next", || format!("from {cursor:?}"), next).await
    }

    async fn candidates(
        &self,
        from: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        let candidates = self.1.candidates(from, to, after, limit.min(PAGE));
        self.0.call("feed.candidates", || format!("{} to {}", from.0, to.0), candidates).await
    }

    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        self.0.call("feed.followed", || cursor.0.clone(), self.1.followed(cursor)).await
    }
}
