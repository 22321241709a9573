//! Lanes of requests on SQS: a queue a lane, and beside each a queue of its dead letters.

mod calls;
mod create;
mod dead;
mod leases;
mod letters;
mod names;
mod quiet;
mod receiving;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use cve_monitor_core::ports::{
    Clock, DeadLetter, Delivery, Depth, Lease, MAX_RECEIVE, MAX_SEND, Queue, QueueError,
};
use cve_monitor_core::vocabulary::{Lane, Page, PageToken, RequestId, ScanRequest};
use tokio::sync::Mutex;

use self::calls::Calls;
pub use self::create::{MAX_RECEIVE_COUNT, create_queues};
use self::dead::Looked;
pub use self::dead::MAX_LETTERS;
use self::leases::Leases;
pub use self::leases::MAX_HIDDEN;
pub use self::names::MAX_PREFIX;
use self::names::Queues;
use self::quiet::Quiet;
pub use self::receiving::MAX_LATE_POLLS;
use super::trouble::{Kind, Trouble};

/// Where the queues are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqsSettings {
    /// What the names of the queues begin with: `PREFIX-push`, `PREFIX-push-dead`, and so for each lane.
    pub prefix: String,
}

/// A [`Queue`] on SQS. Messages may be requests of ours and events of EventBridge ([`super::ecr_event`]); an event
/// that asks for nothing is acknowledged here and never delivered.
///
/// Whether a lease holds is decided by this process: leases do not outlive it, and are not known to another one. What
/// is lost with it returns when its lease ends.
///
/// Calls: one to send ten requests, one to receive at most ten messages, one each to extend and to acknowledge.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    calls: Calls,
    queues: Queues,
    leases: Arc<Leases>,
    quiet: Arc<Quiet>,
    /// The dead letters as they were last seen.
    looked: Arc<Mutex<Option<Looked>>>,
    clock: Arc<dyn Clock>,
}

impl SqsQueue {
    /// Finds the queues. One for all users of a process: clones share their leases.
    ///
    /// # Errors
    /// `Permanent` where a queue is missing or may not be used: it is named, with what to do. `Transient` where SQS is
    /// not reached.
    pub async fn open(
        config: &SdkConfig,
        settings: SqsSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, QueueError> {
        let calls = Calls::new(config);
        let queues = calls.find(&settings.prefix).await?;
        Ok(Self {
            calls,
            queues,
            leases: Arc::default(),
            quiet: Arc::default(),
            looked: Arc::default(),
            clock,
        })
    }
}

/// Whether there is no such queue, in the words of the query protocol, which SQS keeps, or of its JSON.
fn is_missing(trouble: &Trouble) -> bool {
    ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"].contains(&trouble.code.as_str())
}

/// What the failed call of a queue means to its caller.
fn refused(queue: &str, trouble: &Trouble) -> QueueError {
    let said = format!("the SQS queue `{queue}`: {trouble}");
    match trouble.kind {
        Kind::Throttled | Kind::Transient => QueueError::Transient(said),
        // Somebody will grant it, or has just done so: IAM takes its time to tell all of AWS.
        Kind::Denied => QueueError::Transient(format!("{said}; grant the role of this program that action")),
        Kind::Refused
            if trouble.code.ends_with("NonExistentQueue") || trouble.code == "QueueDoesNotExist" =>
        {
            QueueError::Permanent(format!(
                "{said}; create the queues with the Terraform modules, or for a trial with `cve-monitor aws init`"
            ))
        }
        Kind::Refused => QueueError::Permanent(said),
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError> {
        if requests.len() > MAX_SEND {
            let count = requests.len();
            return Err(QueueError::Permanent(format!(
                "{count} requests in one send; at most {MAX_SEND} are taken"
            )));
        }
        let bodies: Result<Vec<_>, _> = requests.iter().map(serde_json::to_string).collect();
        let bodies = bodies.map_err(|error| QueueError::Permanent(error.to_string()))?;
        self.quiet.was_filled(lane);
        sending::send(&self.calls, &self.queues.of(lane).live, &bodies).await
    }

    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        if max > MAX_RECEIVE {
            return Err(QueueError::Permanent(format!(
                "{max} deliveries in one receive; at most {MAX_RECEIVE} are given"
            )));
        }
        if lease > MAX_HIDDEN {
            let (asked, most) = (lease.as_secs(), MAX_HIDDEN.as_secs());
            return Err(QueueError::Permanent(format!("a lease of {asked} s; SQS gives at most {most} s")));
        }
        self.receive_until(lane, max, lease, wait).await
    }

    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError> {
        let now = self.clock.now();
        let (lane, by) = self.leases.extensible(lease, by, now)?;
        self.calls.hide(&self.queues.of(lane).live, &lease.0, by).await?;
        self.leases.extended(lease, now.plus(by));
        Ok(())
    }

    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError> {
        // A handle whose lease has lapsed is not shown to SQS: it might delete what others are at work on.
        let lane = self.leases.lane(lease, self.clock.now())?;
        self.calls.delete(&self.queues.of(lane).live, &lease.0).await?;
        self.leases.ended(lease);
        Ok(())
    }

    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError> {
        self.leases.lane(lease, self.clock.now())?;
        // The letter first: what comes in between buries it twice, and it is listed once.
        self.calls.put(&self.queues.of(letter.lane).dead, &letters::written(letter)).await?;
        self.acknowledge(lease).await
    }

    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError> {
        self.calls.depth(&self.queues.of(lane).live).await
    }

    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError> {
        dead::page(self, after.as_ref(), limit).await
    }

    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError> {
        dead::redrive(self, id).await
    }
}
