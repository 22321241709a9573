//! The queue on SQS against answers as SQS gives them, and as no emulator does.

mod leases;
mod letters;
mod on_moto;
mod receiving;
mod sending;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::Credentials;
use cve_monitor_adapters::aws::sqs_queue::{SqsQueue, SqsSettings};
use cve_monitor_core::ports::{Delivery, Queue as _, QueueError};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::vocabulary::{Cause, Digest, ImageId, Lane, RequestId, ScanRequest};
use serde_json::{Value, json};

use crate::fake_server::{FakeServer, Reply, Seen};

const LEASE: Duration = Duration::from_secs(60);

type Replies = Arc<Mutex<HashMap<String, VecDeque<Reply>>>>;

/// SQS with the queues of `m`, that answers each operation in the order in which its answers were given, and then that
/// there is nothing.
struct Sqs {
    server: FakeServer,
    replies: Replies,
    clock: Arc<ManualClock>,
}

fn operation(seen: &Seen) -> String {
    seen.header("x-amz-target")
        .and_then(|target| target.split('.').next_back())
        .unwrap_or_default()
        .to_owned()
}

fn answer(body: &Value) -> Reply {
    Reply::ok(body.to_string()).header("content-type", "application/x-amz-json-1.0")
}

/// An error with the code that the query protocol had, as SQS still sends it.
fn refusal(status: u16, shape: &str, code: &str) -> Reply {
    answer(&json!({"__type": format!("com.amazonaws.sqs#{shape}"), "message": "a test"}))
        .with_status(status)
        .header("x-amzn-query-error", format!("{code};Sender"))
}

fn no_queue() -> Reply {
    refusal(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
}

fn message(handle: &str, count: u32, body: &str) -> Value {
    json!({"MessageId": handle, "ReceiptHandle": handle, "Body": body,
        "Attributes": {"ApproximateReceiveCount": count.to_string(), "SentTimestamp": "1772366400000"}})
}

fn messages(messages: &[Value]) -> Reply {
    answer(&json!({ "Messages": messages }))
}

fn request(id: &str) -> ScanRequest {
    let image: ImageId = format!("r.example/a@{}", Digest::of(id.as_bytes())).parse().expect("an image");
    ScanRequest { id: RequestId(id.to_owned()), image, cause: Cause::Reconcile, at_least: None }
}

fn body(id: &str) -> String {
    serde_json::to_string(&request(id)).expect("a request")
}

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    let requests = deliveries.iter().filter_map(|delivery| delivery.request.as_ref().ok());
    requests.map(|request| request.id.0.as_str()).collect()
}

fn text(error: &QueueError) -> String {
    format!("{error:?}")
}

impl Sqs {
    async fn start() -> Self {
        let replies = Replies::default();
        let kept = Arc::clone(&replies);
        let server = FakeServer::start(move |seen| {
            let operation = operation(seen);
            let mut replies = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(reply) = replies.get_mut(&operation).and_then(VecDeque::pop_front) {
                return reply;
            }
            let asked: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
            match operation.as_str() {
                "GetQueueUrl" => {
                    let name = asked["QueueName"].as_str().unwrap_or_default();
                    answer(&json!({"QueueUrl": format!("http://sqs.test/123456789012/{name}")}))
                }
                _ => answer(&json!({"Successful": [], "Failed": []})),
            }
        })
        .await;
        Self { server, replies, clock: Arc::default() }
    }

    fn will(&self, operation: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut all = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(operation.to_owned()).or_default().extend(replies);
    }

    async fn config(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(self.server.url(""))
            .credentials_provider(Credentials::new("testing", "a-secret-key", None, None, "tests"))
            .retry_config(RetryConfig::disabled())
            .load()
            .await
    }

    async fn open(&self) -> Result<SqsQueue, QueueError> {
        let settings = SqsSettings { prefix: "m".to_owned() };
        SqsQueue::open(&self.config().await, settings, Arc::clone(&self.clock) as _).await
    }

    async fn queue(&self) -> SqsQueue {
        self.open().await.expect("the queues")
    }

    /// What was asked of an operation.
    fn asked(&self, of: &str) -> Vec<Value> {
        let seen = self.server.seen();
        let asked = seen.iter().filter(|seen| operation(seen) == of);
        asked.map(|seen| serde_json::from_slice(&seen.body).expect("JSON")).collect()
    }

    /// One message of the push lane in hand.
    async fn receive_one(&self, queue: &SqsQueue) -> Delivery {
        self.will("ReceiveMessage", [messages(&[message("h1", 1, &body("a"))])]);
        let received = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await;
        received.expect("a message").remove(0)
    }
}

#[tokio::test]
async fn a_missing_queue_is_named_with_the_remedy() {
    let sqs = Sqs::start().await;
    sqs.will("GetQueueUrl", [no_queue()]);
    let error = text(&sqs.open().await.expect_err("no queue"));
    assert!(error.starts_with("Permanent") && error.contains("`m-"), "{error}");
    assert!(error.contains("Terraform") && error.contains("`cve-monitor aws init`"), "{error}");
}

#[tokio::test]
async fn a_queue_that_vanishes_is_named_as_well() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("ReceiveMessage", [no_queue()]);
    let error = queue.receive(Lane::Change, 1, LEASE, Duration::ZERO).await.expect_err("no queue");
    assert!(text(&error).contains("`m-change`") && text(&error).contains("aws init"), "{error}");
}

#[tokio::test]
async fn errors_say_what_to_do_next_and_no_secrets() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    for (reply, expected) in [
        (refusal(403, "RequestThrottled", "RequestThrottled"), "Transient"),
        (refusal(403, "OverLimit", "OverLimit"), "Transient"),
        (Reply::status(503), "Transient"),
        (refusal(400, "AccessDeniedException", "AccessDeniedException"), "Transient"),
        (refusal(400, "InvalidAddress", "InvalidAddress"), "Permanent"),
    ] {
        sqs.will("ReceiveMessage", [reply]);
        let error = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await.expect_err("an error");
        assert!(text(&error).starts_with(expected) && text(&error).contains("`m-push`"), "{error}");
        assert!(!text(&error).contains("a-secret-key") && !text(&error).contains("Signature="), "{error}");
    }
}

#[tokio::test]
async fn depth_adds_up_what_sqs_estimates() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let estimates = json!({"Attributes": {"ApproximateNumberOfMessages": "7",
        "ApproximateNumberOfMessagesDelayed": "2", "ApproximateNumberOfMessagesNotVisible": "3"}});
    sqs.will("GetQueueAttributes", [answer(&estimates)]);
    let depth = queue.depth(Lane::Backfill).await.expect("a depth");
    assert_eq!((depth.ready, depth.leased), (9, 3));
    assert_eq!(sqs.asked("GetQueueAttributes")[0]["QueueUrl"], "http://sqs.test/123456789012/m-backfill");
}
