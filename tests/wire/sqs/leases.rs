//! Leases: what this side believes, and what SQS says.

use std::sync::Arc;

use cve_monitor_adapters::aws::sqs_queue::MAX_HIDDEN;
use cve_monitor_core::ports::{Clock as _, DeadLetter, DeadLetterReason};

use super::*;

#[tokio::test]
async fn a_lapsed_lease_is_not_shown_to_sqs() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    sqs.clock.advance(LEASE);
    let letter = DeadLetter {
        id: RequestId("a".to_owned()),
        lane: Lane::Push,
        reason: DeadLetterReason::Failed,
        detail: String::new(),
        body: body("a"),
        at: sqs.clock.now(),
    };
    assert_eq!(queue.extend(&lease, LEASE).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.acknowledge(&lease).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.bury(&lease, &letter).await, Err(QueueError::LeaseLost));
    for call in ["ChangeMessageVisibility", "DeleteMessage", "SendMessage"] {
        assert_eq!(sqs.asked(call), [Value::Null; 0], "{call}");
    }
}

#[tokio::test]
async fn another_queue_of_the_process_knows_nothing_of_a_lease_and_a_clone_does() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    assert_eq!(sqs.queue().await.acknowledge(&lease).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.clone().acknowledge(&lease).await, Ok(()));
}

#[tokio::test]
async fn a_lease_is_extended_up_to_twelve_hours_and_then_lost() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    let half = LEASE / 2;
    let mut held = Duration::ZERO;
    while held < MAX_HIDDEN - half {
        sqs.clock.advance(half);
        held += half;
        queue.extend(&lease, LEASE).await.expect("extended");
    }
    // Half a minute before the end SQS hides for no longer than that; at the end the lease is lost.
    let by: Vec<_> =
        sqs.asked("ChangeMessageVisibility").iter().map(|asked| asked["VisibilityTimeout"].clone()).collect();
    assert_eq!(by[by.len() - 2..], [60, 30]);
    sqs.clock.advance(half);
    assert_eq!(queue.extend(&lease, LEASE).await, Err(QueueError::LeaseLost));
    assert_eq!(sqs.asked("ChangeMessageVisibility").len(), by.len());
}

#[tokio::test]
async fn no_lease_is_longer_than_sqs_gives() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    assert_eq!(queue.receive(Lane::Push, 1, MAX_HIDDEN, Duration::ZERO).await, Ok(vec![]));
    assert_eq!(sqs.asked("ReceiveMessage")[0]["VisibilityTimeout"], 43_200);
    let over = MAX_HIDDEN + Duration::from_millis(1);
    let refused = queue.receive(Lane::Push, 1, over, Duration::ZERO).await;
    assert!(matches!(refused, Err(QueueError::Permanent(_))), "{refused:?}");
}

#[tokio::test]
async fn what_sqs_says_is_lost_is_lost() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    let lost = [
        refusal(400, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
        refusal(404, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
        refusal(400, "InvalidParameterValue", "InvalidParameterValue"),
    ];
    sqs.will("ChangeMessageVisibility", lost.clone());
    for _ in 0..lost.len() {
        assert_eq!(queue.extend(&lease, LEASE).await, Err(QueueError::LeaseLost));
    }
    sqs.will("DeleteMessage", lost[1..2].to_vec());
    assert_eq!(queue.acknowledge(&lease).await, Err(QueueError::LeaseLost));
}

#[tokio::test]
async fn a_failed_call_leaves_the_lease_as_it_was() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    sqs.will("ChangeMessageVisibility", [Reply::status(503)]);
    sqs.will("DeleteMessage", [Reply::status(500)]);
    sqs.clock.advance(LEASE / 2);
    assert!(matches!(queue.extend(&lease, LEASE).await, Err(QueueError::Transient(_))));
    assert!(matches!(queue.acknowledge(&lease).await, Err(QueueError::Transient(_))));
    assert_eq!(queue.acknowledge(&lease).await, Ok(()));
    // An extension that failed has extended nothing.
    let lease = sqs.receive_one(&queue).await.lease;
    sqs.will("ChangeMessageVisibility", [Reply::status(503)]);
    assert!(queue.extend(&lease, LEASE * 9).await.is_err());
    sqs.clock.advance(LEASE);
    assert_eq!(queue.acknowledge(&lease).await, Err(QueueError::LeaseLost));
}

#[tokio::test]
async fn leases_of_other_backends_are_lost() {
    let sqs = Sqs::start().await;
    let queue: Arc<dyn cve_monitor_core::ports::Queue> = Arc::new(sqs.queue().await);
    let foreign = cve_monitor_core::ports::Lease("7/1".to_owned());
    assert_eq!(queue.extend(&foreign, LEASE).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.acknowledge(&foreign).await, Err(QueueError::LeaseLost));
}
