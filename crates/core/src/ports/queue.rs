//! Requests in lanes, and the letters that nobody could deliver.

use std::time::Duration;

use async_trait::async_trait;

use crate::vocabulary::{DeadLetter, Lane, Page, PageToken, RequestId, ScanRequest};

/// The most requests in one `send`.
pub const MAX_SEND: usize = 1000;
/// The most deliveries that one `receive` asks for.
pub const MAX_RECEIVE: usize = 100;

/// The right to work on a message until it ends. Opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease(pub String);

/// A message in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What extends, acknowledges or buries it.
    pub lease: Lease,
    /// How often it has been delivered, this time included; 1 where the backend does not say.
    pub deliveries: u32,
    /// The request; or what could not be read as one.
    pub request: Result<ScanRequest, Unreadable>,
}

/// A message that is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The message as it came.
    pub body: String,
    /// What is wrong with it.
    pub problem: String,
}

/// How much lies in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Waiting to be received.
    pub ready: u64,
    /// In the hands of workers.
    pub leased: u64,
}

/// Carries requests to workers. A hint: the streams are the truth.
///
/// # Laws
/// * **Q1** A leased message is hidden until its lease ends.
/// * **Q2** A message that is not acknowledged returns after its lease ended.
/// * **Q3** Extending a lapsed lease is `LeaseLost`. Acknowledging one is Ok or `LeaseLost`; nothing may rely on it.
/// * **Q4** An empty receive returns within its `wait`.
/// * **Q5** An acknowledged message whose lease had not ended does not come back.
/// * **Q6** What is sent to a lane is received from that lane, at least once, unchanged.
/// * **Q7** `bury` puts a dead letter and acknowledges; the letter is listed until `redrive` sends it again.
///
/// Not promised: order; exactly one delivery; one delivery per request id (a backend may merge requests of the
/// same id while they wait).
///
/// # Errors
/// `LeaseLost`: somebody else may be at work; go on to the next message. `Transient`: try again.
///
/// # Cancellation
/// A dropped receive may have leased messages: they return (Q2). A dropped send may have sent any of them.
///
/// # Bounds
/// [`MAX_SEND`] requests a send, [`MAX_RECEIVE`] deliveries a receive.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Queue: std::fmt::Debug + Send + Sync {
    /// Sends requests into a lane. When it returns, they are durable.
    async fn send(&self, lane: Lane, requests: &[ScanRequest]) -> Result<(), QueueError>;

    /// Receives at most `max` messages, each leased for `lease`; waits up to `wait` where there is none.
    async fn receive(
        &self,
        lane: Lane,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError>;

    /// Lets a lease end `by` from now instead.
    async fn extend(&self, lease: &Lease, by: Duration) -> Result<(), QueueError>;

    /// Ends the message.
    async fn acknowledge(&self, lease: &Lease) -> Result<(), QueueError>;

    /// Keeps the message as a dead letter and ends it.
    async fn bury(&self, lease: &Lease, letter: &DeadLetter) -> Result<(), QueueError>;

    /// How much lies in a lane; an estimate where the backend only estimates.
    async fn depth(&self, lane: Lane) -> Result<Depth, QueueError>;

    /// The dead letters, oldest first.
    async fn dead_letters(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<DeadLetter>, QueueError>;

    /// Sends a dead letter again, as it came, and forgets the letter. False where there is none of that id.
    async fn redrive(&self, id: &RequestId) -> Result<bool, QueueError>;
}

/// Why the queue did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The lease has ended.
    #[error("the lease has ended; the message belongs to whoever receives it next")]
    LeaseLost,
    /// Try again.
    #[error("the queue is not available: {0}")]
    Transient(String),
    /// Trying again will not help.
    #[error("the queue refuses: {0}")]
    Permanent(String),
}
