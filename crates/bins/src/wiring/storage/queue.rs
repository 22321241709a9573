//! The requests.

use std::sync::Arc;

use cve_monitor_adapters::aws::sqs_queue::{SqsQueue, SqsSettings};
use cve_monitor_adapters::embedded::SqliteQueue;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::{self, QueueError};
use futures::FutureExt as _;

use super::super::WiringError;
use super::super::aws::Aws;
use super::StateFile;
use crate::config::Queue;

/// Leases are about processes, not about the date that reports are to carry: they run on the machine's clock.
pub(in super::super) async fn queue(
    settings: &Queue,
    file: &StateFile,
    aws: &Aws,
) -> Result<Arc<dyn ports::Queue>, WiringError> {
    let clock = Arc::new(SystemClock);
    match settings {
        Queue::Sqlite => Ok(Arc::new(SqliteQueue::new(file.database().await?, clock))),
        Queue::Sqs { prefix } => {
            let settings = SqsSettings { prefix: prefix.clone() };
            let opened = SqsQueue::open(aws.in_region().await?, settings, clock).boxed().await;
            Ok(Arc::new(opened.map_err(|error| match error {
                QueueError::Transient(_) => WiringError::away(error),
                QueueError::LeaseLost | QueueError::Permanent(_) => WiringError::of(error),
            })?))
        }
    }
}
