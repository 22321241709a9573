//! Time that moves only when it is told to.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use super::locked::Locked;
use crate::ports::Clock;
use crate::vocabulary::Timestamp;

/// A clock that stands still until [`advance`](Self::advance) or [`set`](Self::set) moves it; sleepers whose
/// time has come are woken by the move.
#[derive(Debug)]
pub struct ManualClock(Locked<Time>);

#[derive(Debug)]
struct Time {
    now: Timestamp,
    sleepers: BTreeMap<u64, (Timestamp, Waker)>,
    next_sleeper: u64,
}

impl Default for ManualClock {
    /// Stands at 2026-03-01T12:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::from_millis(1_772_366_400_000))
    }
}

impl ManualClock {
    /// A clock that stands at this instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Locked::new(Time { now, sleepers: BTreeMap::new(), next_sleeper: 0 }))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let now = self.now();
        self.set(now.plus(by));
    }

    /// Moves it to an instant. An earlier one than it shows changes nothing: time never goes back (C1).
    pub fn set(&self, to: Timestamp) {
        let woken: Vec<Waker> = {
            let mut time = self.0.lock();
            time.now = time.now.max(to);
            let now = time.now;
            time.sleepers.values().filter(|(at, _)| *at <= now).map(|(_, waker)| waker.clone()).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// When the next sleeper wakes; none where nobody sleeps. Setting the clock to it is how a simulation skips
    /// the time in which nothing happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.0.lock().sleepers.values().map(|(at, _)| *at).min()
    }

    /// How many sleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.0.lock().sleepers.len()
    }
}

/// Takes a sleeper off the list, however its sleep ends.
struct Sleeping<'a> {
    clock: &'a ManualClock,
    id: u64,
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        self.clock.0.lock().sleepers.remove(&self.id);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().now
    }

    async fn sleep_until(&self, at: Timestamp) {
        let id = {
            let mut time = self.0.lock();
            time.next_sleeper += 1;
            time.next_sleeper
        };
        let sleeping = Sleeping { clock: self, id };
        poll_fn(|context| {
            let mut time = self.0.lock();
            if time.now >= at {
                return Poll::Ready(());
            }
            time.sleepers.insert(sleeping.id, (at, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_dropped_sleep_leaves_nothing_behind() {
        let clock = ManualClock::default();
        let wake = clock.now().plus(Duration::from_secs(9));
        assert_eq!(clock.next_wake(), None);
        {
            let mut sleep = clock.sleep_until(wake);
            assert_eq!((&mut sleep).now_or_never(), None);
            assert_eq!((clock.next_wake(), clock.sleepers()), (Some(wake), 1));
        }
        assert_eq!((clock.next_wake(), clock.sleepers()), (None, 0));
    }

    #[test]
    fn it_cannot_be_set_back() {
        let clock = ManualClock::default();
        let now = clock.now();
        clock.set(now.minus(Duration::from_secs(1)));
        assert_eq!(clock.now(), now);
    }
}
