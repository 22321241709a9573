//! Dead letters: buried twice, listed, sent again.

use cve_monitor_core::ports::{DeadLetter, DeadLetterReason};
use cve_monitor_core::vocabulary::Timestamp;

use super::*;

pub(super) fn letter(id: &str, at: i64) -> DeadLetter {
    DeadLetter {
        id: RequestId(id.to_owned()),
        lane: Lane::Push,
        reason: DeadLetterReason::Failed,
        detail: "why".to_owned(),
        body: body(id),
        at: Timestamp::from_millis(at),
    }
}

/// The letter as a message of its queue.
fn in_queue(handle: &str, letter: &DeadLetter) -> Value {
    let (reason, at) = (letter.reason.as_str(), letter.at.to_string());
    let fields =
        [("id", letter.id.0.as_str()), ("reason", reason), ("detail", "why"), ("lane", "push"), ("at", &at)];
    let attributes: serde_json::Map<_, _> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!({"DataType": "String", "StringValue": value})))
        .collect();
    let mut message = message(handle, 1, &letter.body);
    message["MessageAttributes"] = Value::Object(attributes);
    message
}

/// One look: the three queues are looked at side by side, so that any of them may get the letters; each ends with an
/// answer that has none.
fn seen_once(sqs: &Sqs, letters: &[Value]) {
    sqs.will("ReceiveMessage", [messages(letters), messages(&[]), messages(&[]), messages(&[])]);
}

#[tokio::test]
async fn a_letter_is_written_before_its_message_is_ended() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let lease = sqs.receive_one(&queue).await.lease;
    sqs.will("SendMessage", [Reply::status(503)]);
    assert!(matches!(queue.bury(&lease, &letter("a", 1)).await, Err(QueueError::Transient(_))));
    assert_eq!(sqs.asked("DeleteMessage").len(), 0);
    sqs.will("DeleteMessage", [Reply::status(503)]);
    assert!(matches!(queue.bury(&lease, &letter("a", 1)).await, Err(QueueError::Transient(_))));
    assert_eq!(queue.bury(&lease, &letter("a", 1)).await, Ok(()));
    let written = sqs.asked("SendMessage");
    assert_eq!((written.len(), sqs.asked("DeleteMessage").len()), (3, 2));
    assert_eq!(written[2]["QueueUrl"], "http://sqs.test/123456789012/m-push-dead");
    assert_eq!(written[2]["MessageBody"], body("a"));
    assert_eq!(written[2]["MessageAttributes"]["reason"]["StringValue"], "failed");
    assert!(written[2]["MessageAttributes"].as_object().is_some_and(|attributes| attributes.len() <= 10));
}

#[tokio::test]
async fn letters_are_listed_by_age_page_by_page_and_given_back() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let (young, old, oldest) = (letter("a", 3), letter("b", 2), letter("c", -1));
    // Buried twice, and delivered twice.
    let twice = [("1", &letter("a", 1)), ("2", &young), ("2b", &young), ("3", &old), ("4", &oldest)];
    seen_once(&sqs, &twice.map(|(handle, letter)| in_queue(handle, letter)));
    let first = queue.dead_letters(None, 2).await.expect("a page");
    assert_eq!(first.items, [oldest, old]);
    let second = queue.dead_letters(first.next, 2).await.expect("a page");
    assert_eq!((second.items, second.next), (vec![young], None));
    // One look for both pages.
    assert_eq!(sqs.asked("ReceiveMessage").len(), 4);
    let released = sqs.asked("ChangeMessageVisibilityBatch");
    let entries = released[0]["Entries"].as_array().expect("entries");
    assert_eq!(entries.iter().map(|entry| &entry["VisibilityTimeout"]).collect::<Vec<_>>(), [0; 5]);
}

#[tokio::test]
async fn redriving_sends_the_latest_and_forgets_all_of_that_id() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let letters = [("1", letter("a", 1)), ("2", letter("b", 2)), ("3", letter("a", 3))];
    seen_once(&sqs, &letters.map(|(handle, letter)| in_queue(handle, &letter)));
    assert_eq!(queue.redrive(&RequestId("a".to_owned())).await, Ok(true));
    let sent = sqs.asked("SendMessageBatch");
    assert_eq!(sent[0]["QueueUrl"], "http://sqs.test/123456789012/m-push");
    assert_eq!(sent[0]["Entries"][0]["MessageBody"], body("a"));
    let ended = |sqs: &Sqs| -> Vec<Value> {
        sqs.asked("DeleteMessage").iter().map(|asked| asked["ReceiptHandle"].clone()).collect()
    };
    assert_eq!(ended(&sqs), ["1", "3"]);
    // The next one was seen already.
    assert_eq!(queue.redrive(&RequestId("b".to_owned())).await, Ok(true));
    assert_eq!(
        (ended(&sqs), sqs.asked("ReceiveMessage").len()),
        (vec![json!("1"), json!("3"), json!("2")], 4)
    );
    assert_eq!(queue.redrive(&RequestId("b".to_owned())).await, Ok(false));
    assert_eq!(sqs.asked("SendMessageBatch").len(), 2);
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_stays() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    seen_once(&sqs, &[in_queue("1", &letter("a", 1))]);
    sqs.will("SendMessageBatch", [Reply::status(503)]);
    assert!(matches!(queue.redrive(&RequestId("a".to_owned())).await, Err(QueueError::Transient(_))));
    assert_eq!(sqs.asked("DeleteMessage").len(), 0);
}
