//! What is known of a lane without asking: each look costs a call, and most looks of a busy worker are at lanes that
//! were empty a moment ago.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cve_monitor_core::vocabulary::Lane;
use tokio::time::Instant;

/// For so long an empty answer holds for a worker that has its hands full elsewhere.
const HOLDS: Duration = Duration::from_secs(1);
/// A long poll that has found nothing for so long would have found what there was.
const SETTLED: Duration = Duration::from_millis(500);
/// One that is under way for longer hangs, and proves nothing: SQS answers within twenty seconds.
const HANGS: Duration = Duration::from_secs(25);

/// What is known of each lane.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    push: Mutex<Known>,
    change: Mutex<Known>,
    backfill: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    empty_at: Option<Instant>,
    /// When the long polls began that are under way.
    listening: Vec<Instant>,
}

/// A long poll under way.
#[derive(Debug)]
pub(super) struct Listening<'a> {
    quiet: &'a Quiet,
    lane: Lane,
    since: Instant,
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let mut known = self.quiet.of(self.lane);
        if let Some(at) = known.listening.iter().position(|since| *since == self.since) {
            known.listening.swap_remove(at);
        }
    }
}

impl Quiet {
    fn of(&self, lane: Lane) -> MutexGuard<'_, Known> {
        let known = match lane {
            Lane::Push => &self.push,
            Lane::Change => &self.change,
            Lane::Backfill => &self.backfill,
        };
        known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A long poll of the lane is under way until this is dropped.
    pub(super) fn listening(&self, lane: Lane) -> Listening<'_> {
        let since = Instant::now();
        self.of(lane).listening.push(since);
        Listening { quiet: self, lane, since }
    }

    /// The lane had nothing to give.
    pub(super) fn was_empty(&self, lane: Lane) {
        self.of(lane).empty_at = Some(Instant::now());
    }

    /// Something is sent to the lane.
    pub(super) fn was_filled(&self, lane: Lane) {
        self.of(lane).empty_at = None;
    }

    /// Whether a look without waiting would find nothing: a long poll gets what there is; or the lane was empty a
    /// moment ago, and whoever asks is `busy`.
    pub(super) fn is_known_empty(&self, lane: Lane, busy: bool) -> bool {
        let known = self.of(lane);
        known.listening.iter().any(|since| (SETTLED..HANGS).contains(&since.elapsed()))
            || (busy && known.empty_at.is_some_and(|at| at.elapsed() < HOLDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn an_empty_answer_holds_for_a_moment_for_the_busy() {
        let quiet = Quiet::default();
        assert!(!quiet.is_known_empty(Lane::Push, true));
        quiet.was_empty(Lane::Push);
        assert!(quiet.is_known_empty(Lane::Push, true));
        assert!(!quiet.is_known_empty(Lane::Push, false), "who has nothing else to do asks");
        assert!(!quiet.is_known_empty(Lane::Change, true), "lanes are apart");
        tokio::time::advance(HOLDS - MOMENT).await;
        assert!(quiet.is_known_empty(Lane::Push, true));
        tokio::time::advance(MOMENT).await;
        assert!(!quiet.is_known_empty(Lane::Push, true));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_from_here_is_looked_for() {
        let quiet = Quiet::default();
        quiet.was_empty(Lane::Push);
        quiet.was_filled(Lane::Push);
        assert!(!quiet.is_known_empty(Lane::Push, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_poll_that_found_nothing_answers_for_a_short_one() {
        let quiet = Quiet::default();
        let listening = quiet.listening(Lane::Push);
        tokio::time::advance(SETTLED - MOMENT).await;
        assert!(!quiet.is_known_empty(Lane::Push, false));
        tokio::time::advance(MOMENT).await;
        let another = quiet.listening(Lane::Push);
        assert!(quiet.is_known_empty(Lane::Push, false));
        drop(listening);
        assert!(!quiet.is_known_empty(Lane::Push, false), "the other one has only begun");
        drop(another);
    }
}
