//! How many calls are made a second: a bucket of tokens that all workers of a registry share.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how long nothing is sent after ECR asked to slow down; it does not say how long.
const PAUSE: Duration = Duration::from_secs(1);

/// Holds the tokens of one second. Who finds none waits for its turn, in the order of asking.
#[derive(Debug)]
pub(super) struct Budget {
    gap: Duration,
    burst: Duration,
    /// When the bucket would be full again.
    full_at: Mutex<Instant>,
}

impl Budget {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        let gap = Duration::from_secs(1) / per_second.get();
        Self { gap, burst: Duration::from_secs(1) - gap, full_at: Mutex::new(Instant::now()) }
    }

    /// Waits for a token and takes it. Who gives up meanwhile has taken it all the same.
    pub(super) async fn spend(&self) {
        let turn = {
            let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
            let start = (*full_at).max(Instant::now());
            *full_at = start + self.gap;
            start.checked_sub(self.burst)
        };
        if let Some(turn) = turn {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// ECR asked to slow down: the bucket is empty, and stays so for a moment.
    pub(super) fn slow_down(&self) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        *full_at = (*full_at).max(Instant::now() + PAUSE + self.burst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn spend(budget: &Budget, calls: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            budget.spend().await;
        }
        start.elapsed()
    }

    fn of(calls: u32) -> Budget {
        Budget::new(NonZeroU32::new(calls).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_of_calls_goes_at_once_and_the_rest_at_the_rate() {
        let budget = of(10);
        assert_eq!(spend(&budget, 10).await, Duration::ZERO);
        assert_eq!(spend(&budget, 1).await.as_millis(), 100);
        assert_eq!(spend(&budget, 20).await.as_millis(), 2000);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(spend(&budget, 10).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn all_workers_share_it() {
        let budget = Arc::new(of(10));
        let start = Instant::now();
        let workers = (0..6).map(|_| {
            let budget = Arc::clone(&budget);
            tokio::spawn(async move { spend(&budget, 10).await })
        });
        futures::future::join_all(workers).await;
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_of_one_call_a_second_has_no_burst() {
        let budget = of(1);
        assert_eq!(spend(&budget, 1).await, Duration::ZERO);
        assert_eq!(spend(&budget, 1).await.as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_asked_to_slow_down_waits_and_then_goes_at_the_rate() {
        let budget = of(10);
        budget.slow_down();
        assert_eq!(spend(&budget, 1).await.as_millis(), 1000);
        assert_eq!(spend(&budget, 1).await.as_millis(), 100);
    }
}
