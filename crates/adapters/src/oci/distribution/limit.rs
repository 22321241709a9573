//! How many requests a registry gets at once, and fewer when it asks to slow down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cve_monitor_core::ports::RegistryError;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long nothing is sent after "too many requests" without a time.
pub(super) const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
/// After so many answers one more request may be under way again, up to the configured number.
const RECOVERY: usize = 32;

/// A place among the requests under way; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Shared>);

/// Halves on "too many requests", grows back by one per [`RECOVERY`] answers. While the registry has asked for a
/// pause, nothing is sent: callers are told at once how long it lasts, and wait where their own rules say.
#[derive(Debug)]
pub(super) struct Limit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    max: usize,
    allowed: usize,
    in_flight: usize,
    answers: usize,
    paused_until: Option<Instant>,
}

impl Limit {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let state = State { max, allowed: max, in_flight: 0, answers: 0, paused_until: None };
        Self(Arc::new(Shared { state: Mutex::new(state), freed: Notify::new() }))
    }

    /// A place as soon as there is one.
    ///
    /// # Errors
    /// `Throttled` while the registry has asked for a pause.
    pub(super) async fn admit(&self) -> Result<Permit, RegistryError> {
        loop {
            // Asked for before looking, so that a place that is freed in between is not missed.
            let freed = self.0.freed.notified();
            if let Some(permit) = self.try_admit()? {
                return Ok(permit);
            }
            freed.await;
        }
    }

    fn try_admit(&self) -> Result<Option<Permit>, RegistryError> {
        let mut state = self.0.state();
        let now = Instant::now();
        match state.paused_until {
            Some(until) if until > now => {
                drop(state);
                // Whoever waits behind must learn of the pause too.
                self.0.freed.notify_one();
                return Err(RegistryError::Throttled {
                    retry_after: Some(until - now),
                    detail: "it has asked for a pause, which is not over".to_owned(),
                });
            }
            _ => state.paused_until = None,
        }
        if state.in_flight >= state.allowed {
            return Ok(None);
        }
        state.in_flight += 1;
        Ok(Some(Permit(Arc::clone(&self.0))))
    }

    /// The registry asked to slow down.
    pub(super) fn throttled(&self, retry_after: Option<Duration>) {
        let mut state = self.0.state();
        state.allowed = (state.allowed / 2).max(1);
        state.answers = 0;
        let until = Instant::now() + retry_after.unwrap_or(DEFAULT_PAUSE);
        state.paused_until = Some(state.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// The registry answered.
    pub(super) fn answered(&self) {
        let mut state = self.0.state();
        state.answers += 1;
        if state.answers >= RECOVERY && state.allowed < state.max {
            state.allowed += 1;
            state.answers = 0;
            drop(state);
            self.0.freed.notify_one();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    /// How many places there are at this moment.
    fn places(limit: &Limit) -> usize {
        let mut held = Vec::new();
        while let Some(Ok(permit)) = limit.admit().now_or_never() {
            held.push(permit);
        }
        held.len()
    }

    #[tokio::test(start_paused = true)]
    async fn it_halves_when_asked_to_slow_down_and_grows_back_by_one() {
        let limit = Limit::new(8);
        assert_eq!(places(&limit), 8);
        limit.throttled(Some(Duration::ZERO));
        assert_eq!(places(&limit), 4);
        (0..RECOVERY - 1).for_each(|_| limit.answered());
        assert_eq!(places(&limit), 4);
        limit.answered();
        assert_eq!(places(&limit), 5);
        (0..10).for_each(|_| limit.throttled(Some(Duration::ZERO)));
        assert_eq!(places(&limit), 1);
        (0..100 * RECOVERY).for_each(|_| limit.answered());
        assert_eq!(places(&limit), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_admitted_during_a_pause_and_the_rest_of_it_is_told() {
        let limit = Limit::new(2);
        limit.throttled(Some(Duration::from_secs(30)));
        limit.throttled(None);
        tokio::time::advance(Duration::from_secs(10)).await;
        let error = limit.admit().await.unwrap_err();
        assert!(
            matches!(error, RegistryError::Throttled { retry_after: Some(rest), .. } if rest.as_secs() == 20),
            "{error}"
        );
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(places(&limit), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_back_goes_to_one_who_waits() {
        let limit = Limit::new(1);
        let held = limit.admit().await.unwrap();
        let waits = limit.admit();
        tokio::pin!(waits);
        assert!(waits.as_mut().now_or_never().is_none());
        drop(held);
        assert!(waits.await.is_ok());
    }
}
