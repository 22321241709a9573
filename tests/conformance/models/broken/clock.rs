//! Clocks with a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::Clock;
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::Timestamp;

use crate::models::memory::{Memory, memory};
use crate::rows::Rows;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    GoesBack,
    NeverSleeps,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn Clock>,
    fault: Fault,
    calls: AtomicU64,
}

pub(super) fn register(rows: &mut Rows) {
    rows.add_broken("clock", "goes_back", "C1", laws::clock::LAWS, || {
        Box::pin(async { Ok(with(Fault::GoesBack) as _) })
    });
    rows.add_broken("clock", "never_sleeps", "C2", laws::clock::LAWS, || {
        Box::pin(async { Ok(with(Fault::NeverSleeps) as _) })
    });
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.clock = Arc::new(Broken { inner: memory.clock, fault, calls: AtomicU64::new(0) });
    memory
}

#[async_trait]
impl Clock for Broken {
    fn now(&self) -> Timestamp {
        let odd = self.calls.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        let back = if odd && self.fault == Fault::GoesBack { 10 } else { 0 };
        self.inner.now().minus(Duration::from_secs(back))
    }

    async fn sleep_until(&self, at: Timestamp) {
        if self.fault != Fault::NeverSleeps {
            self.inner.sleep_until(at).await;
        }
    }
}
