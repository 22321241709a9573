//! Time for a run that says "as of": it stands still, so that the same run gives the same bytes again.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::vocabulary::Timestamp;

/// A clock that stands at an instant. Whoever sleeps really waits, and only then it shows the time slept for: a run
/// in which nothing has to be tried again sees one instant alone.
#[derive(Debug)]
pub struct AsOfClock(Mutex<Timestamp>);

impl AsOfClock {
    /// A clock that stands at this instant.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }
}

#[async_trait]
impl Clock for AsOfClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(at.since(self.now())).await;
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = at.max(*now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_stands_until_somebody_has_slept() {
        let noon = Timestamp::from_millis(1_772_366_400_000);
        let clock = AsOfClock::new(noon);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now(), noon);
        let later = noon.plus(Duration::from_secs(10));
        clock.sleep_until(later).await;
        assert_eq!(clock.now(), later);
        clock.sleep_until(noon).await;
        assert_eq!(clock.now(), later, "it never goes back");
    }
}
