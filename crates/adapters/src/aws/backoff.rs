//! Waiting between attempts, for what the SDK does not try again by itself: parts of a batch, conflicts.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Exponential backoff with full jitter: a random part of a time that doubles with each attempt, up to a cap. Those
/// that were slowed down together do not come back together.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    longest: Duration,
    cap: Duration,
    left: u32,
}

impl Backoff {
    /// So many further attempts, the first within `base`, none later than `cap` after the one before.
    pub(super) fn new(base: Duration, cap: Duration, attempts: u32) -> Self {
        Self { longest: base.min(cap), cap, left: attempts }
    }

    /// How long to wait before the next attempt; none where there have been enough.
    pub(super) fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let longest = self.longest;
        self.longest = (longest * 2).min(self.cap);
        // Its keys are drawn at random for each new one, which is all that a spread needs.
        let drawn = RandomState::new().hash_one(());
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Some(Duration::from_millis(drawn % millis.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_bounded_and_each_waits_at_most_twice_the_one_before_up_to_the_cap() {
        let (base, cap) = (Duration::from_millis(50), Duration::from_millis(150));
        let mut backoff = Backoff::new(base, cap, 4);
        for longest in [50, 100, 150, 150] {
            assert!(backoff.next().unwrap() <= Duration::from_millis(longest));
        }
        assert_eq!(backoff.next(), None);
    }

    #[test]
    fn waits_are_spread() {
        let draw = || Backoff::new(Duration::from_secs(3600), Duration::from_secs(3600), 1).next();
        let first = draw();
        assert!((0..20).any(|_| draw() != first));
    }
}
