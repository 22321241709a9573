//! The only time: it moves when the simulation says so. Each process sees it through a clock that may be wrong.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::vocabulary::Timestamp;

use super::{Locked, Role, Stage};
use crate::wire::Wire;

/// 2026-03-01T23:40:00Z: the day of reports changes in every run.
const START_MS: i64 = 1_772_408_400_000;

#[derive(Debug)]
struct Time {
    now: Timestamp,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    last: u64,
}

/// Unlike the testkit's clock it forgets whom it has woken: a process that is paused must not hold the time up.
#[derive(Debug)]
pub(crate) struct Timeline(Locked<Time>);

impl Default for Timeline {
    fn default() -> Self {
        let now = Timestamp::from_millis(START_MS);
        Self(Locked::new(Time { now, sleepers: BTreeMap::new(), last: 0 }))
    }
}

impl Timeline {
    pub(crate) fn now(&self) -> Timestamp {
        self.0.lock().now
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.0.lock().sleepers.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn sleepers(&self) -> usize {
        self.0.lock().sleepers.len()
    }

    pub(crate) fn move_to(&self, to: Timestamp) {
        let woken: Vec<Waker> = {
            let mut time = self.0.lock();
            time.now = time.now.max(to);
            let now = time.now;
            let later = time.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut time.sleepers, later).into_values().collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn sleep_until(&self, at: Timestamp) {
        let id = {
            let mut time = self.0.lock();
            time.last += 1;
            time.last
        };
        let sleeping = Sleeping { timeline: self, key: (at, id) };
        poll_fn(|context| {
            let mut time = self.0.lock();
            if time.now >= at {
                return Poll::Ready(());
            }
            time.sleepers.insert(sleeping.key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Takes a sleeper off the list, however its sleep ends.
struct Sleeping<'a> {
    timeline: &'a Timeline,
    key: (Timestamp, u64),
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        self.timeline.0.lock().sleepers.remove(&self.key);
    }
}

/// A process's clock: ahead of the true time, or behind it, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Skewed {
    wire: Wire,
    stage: Arc<Stage>,
    ahead_ms: i64,
}

impl Skewed {
    pub(crate) fn new(stage: &Arc<Stage>, role: Role, ahead_ms: i64) -> Self {
        Self { wire: Wire::new(stage, role), stage: Arc::clone(stage), ahead_ms }
    }
}

/// This many milliseconds later; earlier where negative.
fn shifted(at: Timestamp, by_ms: i64) -> Timestamp {
    let by = Duration::from_millis(by_ms.unsigned_abs());
    if by_ms < 0 { at.minus(by) } else { at.plus(by) }
}

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        shifted(self.stage.now(), self.ahead_ms)
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.wire.waiting("clock.sleep", self.stage.timeline.sleep_until(shifted(at, -self.ahead_ms))).await;
    }
}
