//! The queue on queues that are really there, behind a proxy that makes calls fail.

use std::collections::BTreeSet;

use cve_monitor_adapters::aws::sqs_queue::create_queues;
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_tests::fakes::aws_proxy::{AwsProxy, Fault, Rule, Service, Which};
use xtask::aws::Emulator;

use super::*;
use crate::emulators;

/// A lease that is waited out; long enough for a call on a busy machine.
const SHORT: Duration = Duration::from_secs(3);

/// Queues of a test's own.
struct Stage {
    proxy: AwsProxy,
    config: SdkConfig,
    prefix: String,
}

impl Stage {
    /// None where moto cannot be raised: it is said, and the conformance rows show it as skipped.
    async fn open(prefix: &str) -> Option<Self> {
        let moto = match emulators::config(Emulator::Moto).await {
            Ok(config) => config,
            Err(why) => {
                println!("SKIPPED: {why}");
                return None;
            }
        };
        let proxy = AwsProxy::start(moto.endpoint_url().expect("one"), &[]).await;
        let config = emulators::config_for(proxy.url()).await.into_builder();
        let config = config.retry_config(RetryConfig::disabled()).build();
        let created = create_queues(&config, prefix).await.expect("queues");
        assert_eq!(created.iter().filter(|created| !created.existed).count(), 6);
        Some(Self { proxy, config, prefix: prefix.to_owned() })
    }

    /// A worker's queue.
    async fn queue(&self) -> SqsQueue {
        let settings = SqsSettings { prefix: self.prefix.clone() };
        SqsQueue::open(&self.config, settings, Arc::new(SystemClock)).await.expect("the queues")
    }

    fn befall(&self, operation: &'static str, which: Which, fault: Fault) {
        self.proxy.add(Rule::for_operation(Service::Sqs, operation, which, fault));
    }
}

#[tokio::test]
async fn creating_queues_twice_leaves_them_as_they_are() {
    let Some(stage) = Stage::open("wire-twice").await else { return };
    stage.queue().await.send(Lane::Push, &[request("kept")]).await.expect("sent");
    let again = create_queues(&stage.config, "wire-twice").await.expect("queues");
    let names: Vec<_> = again.iter().map(|created| created.name.as_str()).collect();
    let lanes = ["push", "change", "backfill"];
    let expected =
        lanes.map(|lane| [format!("wire-twice-{lane}"), format!("wire-twice-{lane}-dead")]).concat();
    assert_eq!(names, expected);
    assert!(again.iter().all(|created| created.existed));
    assert_eq!(stage.queue().await.depth(Lane::Push).await.expect("a depth").ready, 1);
    let wrong = create_queues(&stage.config, "a.b").await.expect_err("no prefix");
    assert!(wrong.to_string().contains("`a.b` is no prefix of queues"), "{wrong}");
}

#[tokio::test]
async fn who_lost_a_lease_does_not_end_what_another_one_holds() {
    let Some(stage) = Stage::open("wire-stale").await else { return };
    let (slow, quick) = (stage.queue().await, stage.queue().await);
    slow.send(Lane::Push, &[request("a")]).await.expect("sent");
    let lost = slow.receive(Lane::Push, 1, SHORT, Duration::ZERO).await.expect("a message").remove(0);
    tokio::time::sleep(SHORT).await;
    let held = quick.receive(Lane::Push, 1, SHORT, SHORT).await.expect("a message").remove(0);
    // moto would delete it.
    assert_eq!(slow.acknowledge(&lost.lease).await, Err(QueueError::LeaseLost));
    drop(held);
    tokio::time::sleep(SHORT).await;
    let back = quick.receive(Lane::Push, 1, SHORT, SHORT).await.expect("a message");
    assert_eq!(ids(&back), ["a"], "the other worker died, and its message is still there");
}

/// Receives and acknowledges until the lane stays empty; each call is tried again. A receive waits for longer than a
/// lease: what one whose answer was lost has leased comes back to the next.
async fn drain(queue: &SqsQueue) -> BTreeSet<String> {
    let (mut seen, mut silent) = (BTreeSet::new(), 0);
    while silent < 2 {
        let Ok(received) = queue.receive(Lane::Push, 10, SHORT, SHORT * 2).await else { continue };
        silent = if received.is_empty() { silent + 1 } else { 0 };
        for delivery in received {
            seen.insert(delivery.request.expect("a request").id.0);
            while let Err(QueueError::Transient(_)) = queue.acknowledge(&delivery.lease).await {}
        }
    }
    seen
}

async fn nothing_is_lost_where(prefix: &str, fault: Fault) {
    let Some(stage) = Stage::open(prefix).await else { return };
    let queue = stage.queue().await;
    for operation in ["SendMessageBatch", "ReceiveMessage", "DeleteMessage"] {
        stage.befall(operation, Which::EveryOther, fault.clone());
    }
    let requests: Vec<_> = (0..25).map(|n| request(&n.to_string())).collect();
    // Batches go side by side, and each send fails some of them: ten at a time, until all went.
    for batch in requests.chunks(10) {
        while queue.send(Lane::Push, batch).await.is_err() {}
    }
    let sent: BTreeSet<String> = requests.iter().map(|request| request.id.0.clone()).collect();
    assert_eq!(drain(&queue).await, sent);
    let depth = queue.depth(Lane::Push).await.expect("a depth");
    assert_eq!((depth.ready, depth.leased), (0, 0), "and what was acknowledged is gone");
}

#[tokio::test]
async fn nothing_is_lost_where_every_other_call_fails() {
    nothing_is_lost_where("wire-fails", Fault::failure(Service::Sqs)).await;
}

#[tokio::test]
async fn nothing_is_lost_where_every_other_call_is_throttled() {
    nothing_is_lost_where("wire-throttled", Fault::throttling(Service::Sqs)).await;
}

#[tokio::test]
async fn nothing_is_lost_where_every_other_answer_is() {
    nothing_is_lost_where("wire-answers", Fault::LoseAnswer).await;
}

#[tokio::test]
async fn a_batch_that_was_done_in_part_is_finished() {
    let Some(stage) = Stage::open("wire-part").await else { return };
    let queue = stage.queue().await;
    stage.befall("SendMessageBatch", Which::Next(2), Fault::HalfDone);
    let requests: Vec<_> = (0..10).map(|n| request(&n.to_string())).collect();
    assert_eq!(queue.send(Lane::Push, &requests).await, Ok(()));
    assert_eq!(drain(&queue).await.len(), 10);
}

#[tokio::test]
async fn a_redrive_whose_answers_are_lost_is_finished_by_the_next() {
    let Some(stage) = Stage::open("wire-redrive").await else { return };
    let queue = stage.queue().await;
    queue.send(Lane::Push, &[request("a")]).await.expect("sent");
    let held = queue.receive(Lane::Push, 1, SHORT, Duration::ZERO).await.expect("a message").remove(0);
    let letter = letters::letter("a", 1_772_366_400_000);
    stage.befall("SendMessage", Which::Next(1), Fault::LoseAnswer);
    assert!(matches!(queue.bury(&held.lease, &letter).await, Err(QueueError::Transient(_))));
    assert_eq!(queue.bury(&held.lease, &letter).await, Ok(()));
    assert_eq!(
        queue.dead_letters(None, 10).await.expect("letters").items,
        [letter],
        "twice there, listed once"
    );
    stage.befall("DeleteMessage", Which::Next(1), Fault::LoseAnswer);
    assert!(matches!(queue.redrive(&RequestId("a".to_owned())).await, Err(QueueError::Transient(_))));
    assert_eq!(queue.redrive(&RequestId("a".to_owned())).await, Ok(true));
    assert_eq!(queue.dead_letters(None, 10).await.expect("letters").items, []);
    assert_eq!(drain(&queue).await, BTreeSet::from(["a".to_owned()]));
}
