//! The pump: wakes the images whose time has come. Waits live in the streams; this makes hints of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};

use super::Ports;
use crate::ports::{MAX_SEND, QueueError, Readiness, ScannerError, StoreError};
use crate::scan::{Due, Head, StreamId};
use crate::vocabulary::{Cause, Lane, RequestId, ScanRequest, Timestamp};

/// A woken image is not woken again for this long while its head stays the same; after that for twice as long, and so on: the
/// queue may be long, and each wake-up in it is a message more.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that a woken image is not woken again; no longer than those that wait for the scanner wait for their turn.
pub const PATIENCE_MAX: Duration = PARTLY_EVERY;
/// How often all that wait are woken while the scanner is ready for some images only: it names what it still lacks, but not
/// whether an image began to wait for something that had just come.
const PARTLY_EVERY: Duration = Duration::from_secs(10 * 60);
/// How many woken images are remembered; a forgotten one may be woken twice, which is harmless.
const REMEMBERED_MAX: usize = 100_000;
/// How many heads are read at a time.
const PAGE: usize = 500;

/// Why a round of the pump ended early; the next one begins anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PumpError {
    /// The heads could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The requests could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The scanner did not say whether it is ready.
    #[error(transparent)]
    Scanner(#[from] ScannerError),
}

/// A head that was woken.
#[derive(Debug, Clone, Copy)]
struct Woken {
    /// Not before then again.
    again: Timestamp,
    /// How long that was.
    patience: Duration,
}

/// Wakes what is due.
#[derive(Debug)]
pub struct Pump {
    ports: Arc<Ports>,
    woken: HashMap<(StreamId, u64), Woken>,
    /// What the scanner lacked when those that wait for it were last woken, and when that was.
    partly: Option<(String, Timestamp)>,
}

impl Pump {
    /// A pump over these ports.
    #[must_use]
    pub fn new(ports: Arc<Ports>) -> Self {
        Self { ports, woken: HashMap::new(), partly: None }
    }

    /// Wakes everything that is due now; how many that were.
    ///
    /// # Errors
    /// Where a port failed: what was not woken is still due.
    pub async fn round(&mut self) -> Result<u64, PumpError> {
        let now = self.ports.clock.now();
        // Whoever is not due any more is forgotten some time after the turn that it did not need.
        self.woken.retain(|_, woken| now.since(woken.again) < PATIENCE_MAX);
        let mut count = self.wake(&Due::At(now), now).await?;
        // Asked only when somebody waits for it.
        let waiting = self.ports.store.due(&Due::ScannerReady, now, None, 1).await?;
        if waiting.items.is_empty() {
            return Ok(count);
        }
        match self.ports.scanner.readiness().await? {
            Readiness::Loading(_) => self.partly = None,
            Readiness::Ready(_) => {
                self.partly = None;
                count += self.wake(&Due::ScannerReady, now).await?;
            }
            Readiness::Partly(_, missing) => count += self.wake_partly(missing, now).await?,
        }
        Ok(count)
    }

    /// Nobody says which of those that wait can go on: all of them look, as soon as something else is missing than before.
    async fn wake_partly(&mut self, missing: String, now: Timestamp) -> Result<u64, PumpError> {
        match &self.partly {
            Some((before, woken)) if *before == missing && now.since(*woken) < PARTLY_EVERY => return Ok(0),
            // Whoever was woken lately looked for what was missing then.
            Some((before, _)) if *before != missing => self.woken.clear(),
            _ => {}
        }
        let count = self.wake(&Due::ScannerReady, now).await?;
        // Not before: what could not be woken is woken in the next round.
        self.partly = Some((missing, now));
        Ok(count)
    }

    async fn wake(&mut self, kind: &Due, now: Timestamp) -> Result<u64, PumpError> {
        let (mut count, mut after) = (0, None);
        loop {
            let page = self.ports.store.due(kind, now, after, PAGE).await?;
            let mut lanes: [Vec<ScanRequest>; 2] = [vec![], vec![]];
            let mut waking = vec![];
            for (stream, head) in page.items {
                let before = self.woken.get(&(stream.clone(), head.version));
                if before.is_some_and(|woken| now < woken.again) {
                    continue;
                }
                let patience = before.map_or(PATIENCE, |woken| (woken.patience * 2).min(PATIENCE_MAX));
                let Some(image) = stream.as_image() else { continue };
                let id = RequestId::derived(&["due", &stream.0, &head.version.to_string()]);
                lanes[usize::from(has_report(&head))].push(ScanRequest {
                    id,
                    image,
                    cause: Cause::Due,
                    at_least: None,
                });
                waking.push(((stream, head.version), Woken { again: now.plus(patience), patience }));
            }
            for (lane, requests) in [Lane::Push, Lane::Change].into_iter().zip(lanes) {
                for batch in requests.chunks(MAX_SEND) {
                    self.ports.queue.send(lane, batch).await?;
                    count += batch.len() as u64;
                }
            }
            // Not before: what could not be sent is sent in the next round.
            for (head, woken) in waking {
                remember(&mut self.woken, head, woken);
            }
            after = page.next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    /// A round every so often until `stop`; one that takes long is followed by as long a rest, so that at most half of the time
    /// the store is asked who waits.
    pub async fn run(&mut self, every: Duration, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let clock = Arc::clone(&self.ports.clock);
        loop {
            let began = clock.now();
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "waking what is due failed; trying again");
            }
            let took = clock.now().since(began);
            let pause = clock.sleep_until(clock.now().plus(every.max(took)));
            match select(stop.as_mut(), pause).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }
}

fn remember(all: &mut HashMap<(StreamId, u64), Woken>, head: (StreamId, u64), woken: Woken) {
    if all.len() < REMEMBERED_MAX || all.contains_key(&head) {
        all.insert(head, woken);
    }
}

/// An image that has no report yet was pushed lately: it goes with the pushes.
fn has_report(head: &Head) -> bool {
    head.image().is_some_and(|state| state.last_report.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_woken_images_are_remembered_and_no_more() {
        let mut all = HashMap::new();
        let head = |version: u64| (StreamId("image".to_owned()), version);
        let woken = |patience| Woken { again: Timestamp::from_millis(0), patience };
        for version in 0..=REMEMBERED_MAX as u64 {
            remember(&mut all, head(version), woken(PATIENCE));
        }
        assert_eq!(all.len(), REMEMBERED_MAX);
        assert!(!all.contains_key(&head(REMEMBERED_MAX as u64)));
        // One that is remembered is kept up to date all the same.
        remember(&mut all, head(0), woken(PATIENCE_MAX));
        assert_eq!(all[&head(0)].patience, PATIENCE_MAX);
    }
}
