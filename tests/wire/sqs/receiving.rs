//! Receiving: how SQS is asked, and what its messages become.

use cve_monitor_adapters::aws::sqs_queue::{MAX_LATE_POLLS, MAX_RECEIVE_COUNT};
use cve_monitor_core::pipeline::IngestSettings;
use cve_monitor_core::ports::MAX_RECEIVE;

use super::*;

fn event(action: &str) -> String {
    let digest = Digest::of(b"m");
    json!({"id": "e1", "detail-type": "ECR Image Action", "source": "aws.ecr", "account": "123456789012",
        "region": "eu-west-1", "time": "2026-03-01T12:00:00Z", "resources": [], "unheard": {"of": 1},
        "detail": {"action-type": action, "result": "SUCCESS", "repository-name": "team/app",
            "image-digest": digest.as_str(), "image-tag": ""}})
    .to_string()
}

fn many(from: usize, count: usize) -> Reply {
    let range = from..from + count;
    messages(&range.map(|n| message(&format!("h{n}"), 1, &body(&n.to_string()))).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_receive_asks_in_tens_until_it_has_enough_or_gets_less() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("ReceiveMessage", [many(0, 10), many(10, 10), many(20, 4)]);
    let received = queue.receive(Lane::Push, 25, LEASE, Duration::from_secs(5)).await.expect("messages");
    assert_eq!(received.len(), 24);
    let asked = sqs.asked("ReceiveMessage");
    let figures: Vec<_> = asked
        .iter()
        .map(|asked| [&asked["MaxNumberOfMessages"], &asked["WaitTimeSeconds"], &asked["VisibilityTimeout"]])
        .collect();
    // Only the first one waits.
    assert_eq!(
        figures,
        [
            [&json!(10), &json!(5), &json!(60)],
            [&json!(10), &json!(0), &json!(60)],
            [&json!(5), &json!(0), &json!(60)]
        ]
    );
}

#[tokio::test]
async fn nothing_is_leased_that_nobody_has_a_hand_for() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("ReceiveMessage", [many(0, 3)]);
    assert_eq!(queue.receive(Lane::Push, 3, LEASE, Duration::ZERO).await.expect("messages").len(), 3);
    assert_eq!(sqs.asked("ReceiveMessage").len(), 1);
    assert_eq!(sqs.asked("ReceiveMessage")[0]["MaxNumberOfMessages"], 3);
    assert_eq!(queue.receive(Lane::Push, 0, LEASE, Duration::ZERO).await, Ok(vec![]));
    let over = queue.receive(Lane::Push, MAX_RECEIVE + 1, LEASE, Duration::ZERO).await;
    assert!(matches!(over, Err(QueueError::Permanent(_))));
    assert_eq!(sqs.asked("ReceiveMessage").len(), 1);
}

#[tokio::test]
async fn a_long_wait_is_cut_into_polls() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    // SQS answers a long poll at once where too much is in flight: it is not asked in a circle.
    sqs.will("ReceiveMessage", [messages(&[]), many(0, 1)]);
    let received = queue.receive(Lane::Push, 1, LEASE, Duration::from_secs(90)).await.expect("a message");
    assert_eq!(ids(&received), ["0"]);
    let asked = sqs.asked("ReceiveMessage");
    assert_eq!([&asked[0]["WaitTimeSeconds"], &asked[1]["WaitTimeSeconds"]], [20, 20]);
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn events_are_requests_and_those_that_ask_for_nothing_are_ended() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let idle = ["i1", "i2"].map(|handle| message(handle, 1, &event("UNHEARD_OF")));
    let both = [&idle[..], &[message("h1", 4, &event("PUSH")), message("h2", 1, &body("ours"))]].concat();
    // That one of them cannot be ended harms nobody.
    let failed = json!({"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": false}]});
    sqs.will("DeleteMessageBatch", [answer(&failed)]);
    sqs.will("ReceiveMessage", [messages(&both)]);
    let received = queue.receive(Lane::Push, 10, LEASE, Duration::ZERO).await.expect("messages");
    assert_eq!(received.iter().map(|delivery| delivery.deliveries).collect::<Vec<_>>(), [4, 1]);
    let pushed = received[0].request.as_ref().expect("a request");
    assert_eq!(pushed.image.registry.as_str(), "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
    assert_eq!(pushed.cause, Cause::Push { tag: None });
    assert_eq!(received[1].request, Ok(request("ours")));
    let ended = sqs.asked("DeleteMessageBatch");
    let handles: Vec<_> = ended[0]["Entries"].as_array().expect("entries").iter().collect();
    assert_eq!(handles.iter().map(|entry| &entry["ReceiptHandle"]).collect::<Vec<_>>(), ["i1", "i2"]);
}

#[tokio::test]
async fn events_that_ask_for_nothing_do_not_hide_what_lies_behind_them() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let idle = [message("i", 1, &event("UNHEARD_OF"))];
    sqs.will("ReceiveMessage", [messages(&idle), messages(&idle), many(0, 1)]);
    let received = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await.expect("a message");
    assert_eq!(ids(&received), ["0"]);
    // Without end, they end the receive.
    sqs.will("ReceiveMessage", (0..2 * MAX_LATE_POLLS).map(|_| messages(&idle)));
    assert_eq!(queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await, Ok(vec![]));
    assert_eq!(sqs.asked("ReceiveMessage").len(), 3 + MAX_LATE_POLLS as usize);
}

#[tokio::test]
async fn what_cannot_be_read_is_delivered_as_it_came() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let bodies = ["{\"half".to_owned(), event("PUSH").replace("123456789012", "")];
    let both: Vec<_> = bodies.iter().map(|body| message(body, 1, body)).collect();
    sqs.will("ReceiveMessage", [messages(&both)]);
    let received = queue.receive(Lane::Push, 10, LEASE, Duration::ZERO).await.expect("messages");
    for (delivery, body) in received.iter().zip(&bodies) {
        let unreadable = delivery.request.as_ref().expect_err("no request");
        assert_eq!(&unreadable.body, body);
    }
    assert!(received[1].request.as_ref().is_err_and(|error| error.problem.contains("`account`")));
}

#[tokio::test]
async fn the_same_message_twice_is_two_deliveries_with_leases_of_their_own() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("ReceiveMessage", [messages(&["h1", "h2"].map(|handle| message(handle, 1, &body("a"))))]);
    let received = queue.receive(Lane::Push, 10, LEASE, Duration::ZERO).await.expect("messages");
    assert_eq!(ids(&received), ["a", "a"]);
    assert_eq!(queue.acknowledge(&received[0].lease).await, Ok(()));
    assert_eq!(queue.acknowledge(&received[0].lease).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.acknowledge(&received[1].lease).await, Ok(()));
}

#[tokio::test]
async fn what_came_before_an_error_is_delivered() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    sqs.will("ReceiveMessage", [many(0, 10), Reply::status(503)]);
    let received = queue.receive(Lane::Push, 20, LEASE, Duration::ZERO).await.expect("messages");
    assert_eq!(received.len(), 10);
}

#[tokio::test]
async fn a_worker_with_its_hands_full_does_not_ask_an_empty_lane_twice() {
    let sqs = Sqs::start().await;
    let queue = sqs.queue().await;
    let look = async |lane| queue.receive(lane, 1, LEASE, Duration::ZERO).await.expect("an answer").len();
    let calls = || sqs.asked("ReceiveMessage").len();
    // With nothing in hand, it asks.
    assert_eq!((look(Lane::Change).await, look(Lane::Change).await, calls()), (0, 0, 2));
    let in_hand = sqs.receive_one(&queue).await;
    assert_eq!((look(Lane::Change).await, calls()), (0, 3));
    // What it sends itself, it looks for.
    queue.send(Lane::Change, &[request("b")]).await.expect("sent");
    sqs.will("ReceiveMessage", [many(0, 1)]);
    assert_eq!((look(Lane::Change).await, calls()), (1, 4));
    queue.acknowledge(&in_hand.lease).await.expect("acknowledged");
}

#[test]
fn sqs_takes_a_message_for_dead_no_sooner_than_ingest_does() {
    assert_eq!(MAX_RECEIVE_COUNT, IngestSettings::default().max_deliveries);
}
