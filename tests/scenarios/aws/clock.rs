//! The machine's time, and as much more as was skipped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::vocabulary::Timestamp;

/// Between two looks at the time.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Waits of ours need not be waited for. Those of SQS are of its own time.
#[derive(Debug, Default)]
pub(crate) struct SkippingClock {
    skipped_ms: AtomicU64,
}

impl SkippingClock {
    pub(crate) fn skip(&self, by: Duration) {
        self.skipped_ms.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed)))
    }

    async fn sleep_until(&self, at: Timestamp) {
        while self.now() < at {
            tokio::time::sleep(BETWEEN_LOOKS.min(at.since(self.now()))).await;
        }
    }
}
