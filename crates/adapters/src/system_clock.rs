//! The machine's time.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::vocabulary::Timestamp;

/// A long sleep looks at the wall clock this often, to follow it where it is set.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A wall clock that goes back by no more than this is waited for: now stands still. One that goes back further was
/// set, and is not waited for: now runs on by itself until the wall clock has caught up, so that leases still end.
const WAITED_FOR: Duration = Duration::from_secs(1);

/// What the process has last been told. One for all clocks of a process: that is what the port promises for.
static LAST: Mutex<Option<Told>> = Mutex::new(None);

#[derive(Debug, Clone, Copy)]
struct Told {
    now: Timestamp,
    at: Instant,
}

impl Told {
    /// What to tell next, where the wall clock says `wall` at the instant `at`.
    fn next(last: Option<Self>, wall: Timestamp, at: Instant) -> Self {
        match last {
            Some(last) if wall < last.now => {
                if last.now.since(wall) <= WAITED_FOR {
                    return last;
                }
                let now = last.now.plus(at.saturating_duration_since(last.at));
                // The instant moves with the time told, or parts of a millisecond would be lost with each call.
                if now == last.now { last } else { Self { now, at } }
            }
            _ => Self { now: wall, at },
        }
    }
}

/// The machine's wall clock, which within a process never goes back.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Told::next(*last, SystemTime::now().into(), Instant::now());
        *last = Some(told);
        told.now
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_772_366_400_000;

    fn told_after(steps: &[(i64, u64)]) -> Vec<i64> {
        let began = Instant::now();
        let mut last = None;
        steps
            .iter()
            .map(|(wall, elapsed)| {
                let at = began + Duration::from_millis(*elapsed);
                let told = Told::next(last, Timestamp::from_millis(NOON + wall), at);
                last = Some(told);
                told.now.as_millis() - NOON
            })
            .collect()
    }

    #[test]
    fn it_follows_the_wall_clock_forward() {
        assert_eq!(told_after(&[(0, 0), (10, 10), (90_000, 20)]), [0, 10, 90_000]);
    }

    #[test]
    fn it_waits_for_a_wall_clock_that_lags_a_little() {
        assert_eq!(told_after(&[(0, 0), (-1000, 10), (-500, 510), (1, 1011)]), [0, 0, 0, 1]);
    }

    #[test]
    fn it_runs_on_by_itself_where_the_wall_clock_was_set_back() {
        let told = told_after(&[(0, 0), (-3_600_000, 10), (-3_599_000, 1010), (5_000, 2000)]);
        assert_eq!(told, [0, 10, 1010, 5_000]);
    }

    #[tokio::test]
    async fn two_clocks_of_a_process_agree_and_a_sleep_ends_at_its_time() {
        let (one, other) = (SystemClock, SystemClock);
        let at = one.now().plus(Duration::from_millis(20));
        one.sleep_until(at).await;
        assert!(other.now() >= at);
        let passed = other.now();
        other.sleep_until(passed.minus(Duration::from_secs(3600))).await;
        assert!(one.now() >= passed);
    }
}
