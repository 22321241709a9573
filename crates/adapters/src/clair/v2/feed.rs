//! Clair v2's notifications as a change feed: an inbox.
//!
//! Clair tells of each change by a webhook, and by nothing else. So a notification's name becomes an event of this feed's
//! stream before Clair is answered (that is the core's inbox); our place in that stream is the cursor, and a notification
//! is deleted at Clair only after it has been followed. Clair sends again what is not deleted, so nothing hangs on a
//! deletion that fails.
//!
//! The cursor also remembers whether Clair's data was found complete (see [`super::probe`]): the scanner reads it in the
//! head of this stream.

mod bells;
mod notification;
mod place;
mod step;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cve_monitor_core::ports::{Candidates, ChangeFeed, Cursor, EventStore, FeedError, Next};
use cve_monitor_core::scan::StreamId;
use cve_monitor_core::vocabulary::{FeedName, PageToken};

use self::bells::Bells;
use self::notification::affected;
use self::step::{Seen, begin, step};
use super::chain::ChainId;
use super::client::ClairV2Client;
use super::probe::{self, Rounds};
use super::{ClairV2Settings, Proof};
use crate::clair::http::{HttpError, InvalidSettings};

pub use notification::STARTS_MAX;
pub use place::followed_up_to;
pub(super) use place::{Latch, Place};
pub use webhook::{MAX_WEBHOOK_BYTES, NoNotification, notification_name};

/// The feed's name, and the scanner's.
pub(super) fn feed_name() -> FeedName {
    FeedName("clair-v2".to_owned())
}

/// A [`ChangeFeed`] named `clair-v2` over the notifications that the core's inbox has recorded under that name. Its keys
/// are chain ids, its generations the versions of notifications in that stream.
#[derive(Debug)]
pub struct ClairV2Feed {
    client: ClairV2Client,
    proof: Proof,
    bells: Bells,
    rounds: Mutex<Rounds>,
    /// The change whose layers were read last: they are asked for page by page.
    last: Mutex<Option<Arc<Affected>>>,
    /// The version up to which notifications need not be deleted (any more).
    deleted: Mutex<Option<u64>>,
}

#[derive(Debug)]
struct Affected {
    position: u64,
    ids: Vec<ChainId>,
}

impl ClairV2Feed {
    /// The feed of this server, whose notifications are recorded in this store.
    ///
    /// # Errors
    /// Where the settings are wrong.
    pub fn new(
        settings: &ClairV2Settings,
        proof: Proof,
        store: Arc<dyn EventStore>,
    ) -> Result<Self, InvalidSettings> {
        Ok(Self {
            client: settings.client()?,
            proof,
            bells: Bells::new(store, StreamId::feed(&feed_name())),
            rounds: Mutex::default(),
            last: Mutex::default(),
            deleted: Mutex::default(),
        })
    }

    /// Whether Clair's data is proven to be complete; then its database can be told from a later one.
    async fn is_complete(&self, latch: Latch) -> Result<bool, FeedError> {
        let proven = match self.proof {
            // It was given for another database.
            Proof::Word if latch != Latch::Lost => true,
            Proof::Word | Proof::Metrics => {
                let metrics = self.client.metrics().await.map_err(failed)?;
                self.rounds.lock().unwrap_or_else(PoisonError::into_inner).look(&metrics)
            }
        };
        if !proven || !probe::has_advisories(&self.client).await.map_err(failed)? {
            return Ok(false);
        }
        probe::post_witness(&self.client).await.map_err(failed)?;
        Ok(true)
    }

    async fn begin(&self) -> Result<Next, FeedError> {
        let complete = self.is_complete(Latch::Loading).await?;
        let last = self.bells.last().await?;
        *self.deleted() = Some(0);
        Ok(begin(complete, last))
    }

    /// The layers of the change that ends here; read once for all of its pages.
    async fn affected(&self, to: Place) -> Result<Arc<Affected>, FeedError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last().clone().filter(|known| known.position == to.position) {
            return Ok(known);
        }
        let name = self.bells.at(to.position).await?;
        let name = name.ok_or_else(|| FeedError::Forgotten(format!("notification {}", to.position)))?;
        let ids = affected(&self.client, &name).await?;
        let read = Arc::new(Affected { position: to.position, ids });
        *last() = Some(Arc::clone(&read));
        Ok(read)
    }

    fn deleted(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ChangeFeed for ClairV2Feed {
    fn name(&self) -> FeedName {
        feed_name()
    }

    async fn next(&self, cursor: Option<Cursor>) -> Result<Next, FeedError> {
        let Some(from) = cursor.as_ref().and_then(Place::read) else { return self.begin().await };
        self.deleted().get_or_insert(from.position);
        let ready = from.latch == Latch::Ready;
        let seen = Seen {
            witness: !ready || probe::witness_stands(&self.client).await.map_err(failed)?,
            complete: !ready && self.is_complete(from.latch).await?,
            word: matches!(self.proof, Proof::Word),
            bell: self.bells.first_after(from.position).await?,
        };
        Ok(step(from, &seen))
    }

    async fn candidates(
        &self,
        _: &Cursor,
        to: &Cursor,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Candidates, FeedError> {
        let to = Place::read(to)
            .ok_or_else(|| FeedError::Permanent(format!("`{}` is not a cursor of this feed", to.0)))?;
        let affected = self.affected(to).await?;
        let from = match &after {
            None => 0,
            // Hexadecimal digits sort as the bytes do.
            Some(PageToken(after)) => affected.ids.partition_point(|id| id.to_string() <= *after),
        };
        let rest = affected.ids.get(from..).unwrap_or_default();
        let items = &rest[..limit.min(rest.len())];
        let next = (items.len() < rest.len()).then(|| items.last().map(|id| PageToken(id.to_string())));
        Ok(Candidates { items: items.iter().map(|id| id.key()).collect(), next: next.flatten() })
    }

    /// Deletes at Clair what was followed since this feed first looked, at the least the notification here.
    async fn followed(&self, cursor: &Cursor) -> Result<(), FeedError> {
        let Some(Place { position, .. }) = Place::read(cursor) else { return Ok(()) };
        let from = self.deleted().unwrap_or(position.saturating_sub(1));
        for (version, name) in self.bells.between(from, position).await? {
            self.client.delete_notification(&name).await.map_err(failed)?;
            *self.deleted() = Some(version);
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failed(error: HttpError) -> FeedError {
    FeedError::Transient(error.to_string())
}
