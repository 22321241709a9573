//! Sending: batches, and those that fail in part.

use cve_monitor_core::ports::MAX_SEND;

use super::*;

fn requests(count: usize) -> Vec<ScanRequest> {
    (0..count).map(|n| request(&n.to_string())).collect()
}

fn failed(entries: &[(&str, &str, bool)]) -> Reply {
    let failed: Vec<_> = entries
        .iter()
        .map(|(id, code, sender)| json!({"Id": id, "Code": code, "SenderFault": sender, "Message": "a test"}))
        .collect();
    answer(&json!({"Successful": [], "Failed": failed}))
}

fn sent(sqs: &Sqs) -> Vec<Vec<String>> {
    let bodies = |asked: &Value| {
        let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
        let bodies = entries.iter().filter_map(|entry| entry["MessageBody"].as_str());
        bodies.map(|body| serde_json::from_str::<ScanRequest>(body).expect("a request").id.0).collect()
    };
    sqs.asked("SendMessageBatch").iter().map(bodies).collect()
}

#[tokio::test]
async fn requests_go_in_tens() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    assert_eq!(queue.send(Lane::Backfill, &requests(25)).await, Ok(()));
    let mut batches = sent(&sqs);
    batches.sort_by_key(|batch| std::cmp::Reverse(batch.len()));
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    let mut all: Vec<u32> = batches.concat().iter().filter_map(|id| id.parse().ok()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..25).collect::<Vec<_>>());
    assert_eq!(queue.send(Lane::Backfill, &[]).await, Ok(()));
    assert_eq!(sqs.asked("SendMessageBatch").len(), 3);
}

#[tokio::test]
async fn what_failed_of_a_batch_is_sent_again_alone() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let replies = [
        failed(&[("1", "InternalError", false), ("3", "InternalError", false)]),
        failed(&[("1", "InternalError", false)]),
    ];
    sqs.will("SendMessageBatch", replies);
    assert_eq!(queue.send(Lane::Push, &requests(4)).await, Ok(()));
    assert_eq!(sent(&sqs), [vec!["0", "1", "2", "3"], vec!["1", "3"], vec!["3"]]);
}

#[tokio::test]
async fn what_keeps_failing_fails_the_send() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("SendMessageBatch", (0..4).map(|_| failed(&[("0", "InternalError", false)])));
    let error = queue.send(Lane::Push, &requests(1)).await.expect_err("not sent");
    assert!(text(&error).starts_with("Transient") && text(&error).contains("`m-push`"), "{error}");
    assert_eq!(sqs.asked("SendMessageBatch").len(), 4);
}

#[tokio::test]
async fn what_sqs_will_never_take_is_permanent() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let refused = [("0", "InternalError", false), ("1", "InvalidMessageContents", true)];
    sqs.will("SendMessageBatch", [failed(&refused)]);
    let error = queue.send(Lane::Push, &requests(2)).await.expect_err("not sent");
    assert!(
        text(&error).starts_with("Permanent") && text(&error).contains("InvalidMessageContents"),
        "{error}"
    );
    assert_eq!(sqs.asked("SendMessageBatch").len(), 1);
}

#[tokio::test]
async fn a_send_keeps_its_bound() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    assert_eq!(queue.send(Lane::Push, &requests(MAX_SEND)).await, Ok(()));
    assert_eq!(sqs.asked("SendMessageBatch").len(), MAX_SEND / 10);
    let over = queue.send(Lane::Push, &requests(MAX_SEND + 1)).await;
    assert!(matches!(over, Err(QueueError::Permanent(_))));
    assert_eq!(sqs.asked("SendMessageBatch").len(), MAX_SEND / 10);
}
