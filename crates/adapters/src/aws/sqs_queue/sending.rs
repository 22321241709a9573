//! Sending: batches, and again what failed of them.

use std::time::Duration;

use aws_sdk_sqs::types::BatchResultErrorEntry;
use cve_monitor_core::ports::QueueError;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::calls::{BATCH, Calls};
use super::names::Address;

/// The most bytes of one batch, and of one message.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// How many batches are under way at a time.
const AT_ONCE: usize = 4;
/// How often a batch is tried whose entries fail.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles each time.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends them all.
pub(super) async fn send(calls: &Calls, to: &Address, bodies: &[String]) -> Result<(), QueueError> {
    let sends: Vec<_> = batches(bodies).into_iter().map(|batch| send_batch(calls, to, batch)).collect();
    stream::iter(sends).buffer_unordered(AT_ONCE).try_collect().await
}

/// As few batches as the bounds allow, in order.
fn batches(bodies: &[String]) -> Vec<Vec<&str>> {
    let (mut batches, mut batch, mut bytes): (Vec<Vec<&str>>, Vec<&str>, usize) = (vec![], vec![], 0);
    for body in bodies {
        if batch.len() == BATCH || (!batch.is_empty() && bytes + body.len() > MAX_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += body.len();
        batch.push(body);
    }
    batches.push(batch);
    batches.retain(|batch| !batch.is_empty());
    batches
}

async fn send_batch(calls: &Calls, to: &Address, mut batch: Vec<&str>) -> Result<(), QueueError> {
    let mut pause = PAUSE;
    for attempt in 1.. {
        let failed = calls.send(to, &batch).await?;
        let Some(first) = failed.first() else { return Ok(()) };
        if let Some(refused) = failed.iter().find(|entry| entry.sender_fault) {
            return Err(QueueError::Permanent(words(to, refused)));
        }
        if attempt == ATTEMPTS {
            return Err(QueueError::Transient(words(to, first)));
        }
        let places: Vec<usize> = failed.iter().filter_map(|entry| entry.id.parse().ok()).collect();
        batch = places.iter().filter_map(|at| batch.get(*at).copied()).collect();
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Ok(())
}

fn words(to: &Address, entry: &BatchResultErrorEntry) -> String {
    let (code, said) = (&entry.code, entry.message().unwrap_or_default());
    format!("the SQS queue `{}`: a message of SendMessageBatch failed: {code}: {said}", to.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let bodies: Vec<String> = bodies.iter().map(|bytes| "x".repeat(*bytes)).collect();
        batches(&bodies).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_keeps_both_bounds_at_their_edge() {
        assert_eq!(sizes(&[]), [0_usize; 0]);
        assert_eq!(sizes(&[1; 10]), [10]);
        assert_eq!(sizes(&[1; 25]), [10, 10, 5]);
        assert_eq!(sizes(&[MAX_BYTES / 2, MAX_BYTES / 2]), [2]);
        assert_eq!(sizes(&[MAX_BYTES / 2, MAX_BYTES / 2 + 1]), [1, 1]);
        assert_eq!(sizes(&[MAX_BYTES, 1, 1]), [1, 2]);
    }
}
