//! The requests.

use std::sync::Arc;

use cve_monitor_adapters::embedded::SqliteQueue;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::Queue;

use super::super::WiringError;
use super::StateFile;

/// Leases are about processes, not about the date that reports are to carry: they run on the machine's clock.
pub(in super::super) async fn queue(file: &StateFile) -> Result<Arc<dyn Queue>, WiringError> {
    Ok(Arc::new(SqliteQueue::new(file.database().await?, Arc::new(SystemClock))))
}
