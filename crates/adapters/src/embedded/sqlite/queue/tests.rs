//! What the conformance suite does not ask: merging, age, other processes, bounds and plans.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{Depth, Lease, MAX_RECEIVE, MAX_SEND, Queue, QueueError};
use cve_monitor_core::vocabulary::{Cause, Generation, Lane, RequestId, ScanRequest};
use futures::FutureExt as _;

use super::{SqliteQueue, rows};
use crate::embedded::Database;
use crate::embedded::sqlite::fixture::{File, file, image, plan};

const LEASE: Duration = Duration::from_secs(60);
/// Far more than anything here takes; nothing waits for its end.
const LONG: Duration = Duration::from_secs(600);

fn queue() -> (File, SqliteQueue) {
    let file = file();
    let queue = SqliteQueue::new(file.database.clone(), Arc::clone(&file.clock) as _);
    (file, queue)
}

fn request(id: &str) -> ScanRequest {
    let image = image("queue.test", id);
    ScanRequest { id: RequestId(id.to_owned()), image, cause: Cause::Reconcile, at_least: None }
}

async fn send(queue: &SqliteQueue, ids: &[&str]) {
    let requests: Vec<_> = ids.iter().map(|id| request(id)).collect();
    queue.send(Lane::Push, &requests).await.unwrap();
}

async fn receive(queue: &SqliteQueue, max: usize) -> Vec<(String, Lease)> {
    let received = queue.receive(Lane::Push, max, LEASE, Duration::ZERO).await.unwrap();
    received.into_iter().map(|delivery| (delivery.request.unwrap().id.0, delivery.lease)).collect()
}

async fn ids(queue: &SqliteQueue, max: usize) -> Vec<String> {
    receive(queue, max).await.into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn the_same_request_is_one_message_while_it_waits_and_another_once_it_is_leased() {
    let (_file, queue) = queue();
    send(&queue, &["a", "a", "b"]).await;
    send(&queue, &["a"]).await;
    assert_eq!(ids(&queue, 10).await, ["a", "b"]);
    send(&queue, &["a"]).await;
    assert_eq!(ids(&queue, 10).await, ["a"]);
    queue.send(Lane::Backfill, &[request("a")]).await.unwrap();
    assert_eq!(queue.depth(Lane::Backfill).await, Ok(Depth { ready: 1, leased: 0 }), "lanes are apart");
}

#[tokio::test]
async fn requests_of_one_id_that_say_different_things_both_arrive() {
    let (_file, queue) = queue();
    let later = ScanRequest { at_least: Some(Generation(7)), ..request("a") };
    queue.send(Lane::Push, &[request("a"), later.clone()]).await.unwrap();
    let received = queue.receive(Lane::Push, 10, LEASE, Duration::ZERO).await.unwrap();
    let requests: Vec<_> = received.into_iter().map(|delivery| delivery.request.unwrap()).collect();
    assert_eq!(requests, [request("a"), later]);
}

#[tokio::test]
async fn the_oldest_comes_first_and_what_returns_comes_before_what_was_sent_after_it() {
    let (file, queue) = queue();
    send(&queue, &["1", "2", "3", "4"]).await;
    assert_eq!(ids(&queue, 2).await, ["1", "2"]);
    file.clock.advance(LEASE);
    send(&queue, &["5"]).await;
    assert_eq!(ids(&queue, 3).await, ["1", "2", "3"]);
    assert_eq!(ids(&queue, 3).await, ["4", "5"]);
    let received = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await.unwrap();
    assert!(received.is_empty());
}

#[tokio::test]
async fn a_lease_hides_until_its_very_end_and_counts_deliveries() {
    let (file, queue) = queue();
    send(&queue, &["a"]).await;
    let (_, lease) = receive(&queue, 1).await.remove(0);
    file.clock.advance(LEASE - Duration::from_millis(1));
    assert_eq!(queue.depth(Lane::Push).await, Ok(Depth { ready: 0, leased: 1 }));
    assert!(ids(&queue, 1).await.is_empty());
    file.clock.advance(Duration::from_millis(1));
    assert_eq!(queue.depth(Lane::Push).await, Ok(Depth { ready: 1, leased: 0 }));
    assert_eq!(queue.extend(&lease, LEASE).await, Err(QueueError::LeaseLost));
    let again = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await.unwrap();
    assert_eq!(again[0].deliveries, 2);
    assert_eq!(queue.acknowledge(&lease).await, Err(QueueError::LeaseLost));
    assert_eq!(queue.acknowledge(&again[0].lease).await, Ok(()));
}

#[tokio::test]
async fn leases_outlive_the_process_that_took_them() {
    let (file, queue) = queue();
    send(&queue, &["a"]).await;
    assert_eq!(ids(&queue, 1).await, ["a"]);
    let (path, clock) = (file.database.path().to_owned(), Arc::clone(&file.clock));
    let folder = file.folder;
    drop((queue, file.database));
    let queue = SqliteQueue::new(Database::open(path).unwrap(), Arc::clone(&clock) as _);
    assert!(ids(&queue, 1).await.is_empty());
    clock.advance(LEASE);
    assert_eq!(ids(&queue, 1).await, ["a"]);
    drop(folder);
}

#[tokio::test]
async fn a_send_rings_the_bell_of_its_lane_alone() {
    let (_file, queue) = queue();
    let [mut push, mut change] =
        [Lane::Push, Lane::Change].map(|lane| Box::pin(queue.bells.of(lane).notified()));
    push.as_mut().enable();
    change.as_mut().enable();
    queue.clone().send(Lane::Push, &[request("a")]).await.unwrap();
    assert_eq!((push.now_or_never(), change.now_or_never()), (Some(()), None));
}

#[tokio::test]
async fn a_waiting_receive_gets_what_another_process_sends() {
    let (file, receiver) = queue();
    // Another handle on the file shares nothing with the first one but the file.
    let elsewhere = Database::open(file.database.path()).unwrap();
    let sender = SqliteQueue::new(elsewhere, Arc::clone(&file.clock) as _);
    let waiting = tokio::spawn(async move { receiver.receive(Lane::Push, 1, LEASE, LONG).await });
    tokio::task::yield_now().await;
    send(&sender, &["a"]).await;
    let received = waiting.await.unwrap().unwrap();
    assert_eq!(received[0].request, Ok(request("a")));
}

#[tokio::test]
async fn an_empty_receive_ends_in_real_time_though_the_clock_stands_still() {
    let (_file, queue) = queue();
    let received = queue.receive(Lane::Push, 1, LEASE, Duration::from_millis(10)).await;
    assert_eq!(received, Ok(vec![]));
}

#[tokio::test]
async fn a_message_that_is_no_request_arrives_as_it_is() {
    let (file, queue) = queue();
    let put = "INSERT INTO queue (lane, request, body, sent_at) VALUES ('push', 'x', '{\"half', 0)";
    file.database.write(move |tx| Ok(tx.execute(put, [])?)).await.unwrap();
    let received = queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await.unwrap();
    assert_eq!(received[0].request.as_ref().unwrap_err().body, "{\"half");
}

#[tokio::test]
async fn a_send_and_a_receive_keep_their_bounds() {
    let (_file, queue) = queue();
    let most: Vec<_> = (0..=MAX_SEND).map(|n| request(&n.to_string())).collect();
    assert_eq!(queue.send(Lane::Push, &most[1..]).await, Ok(()));
    assert!(matches!(queue.send(Lane::Push, &most).await, Err(QueueError::Permanent(_))));
    assert_eq!(queue.depth(Lane::Push).await, Ok(Depth { ready: MAX_SEND as u64, leased: 0 }));
    assert_eq!(receive(&queue, MAX_RECEIVE).await.len(), MAX_RECEIVE);
    let over = queue.receive(Lane::Push, MAX_RECEIVE + 1, LEASE, Duration::ZERO).await;
    assert!(matches!(over, Err(QueueError::Permanent(_))));
}

#[tokio::test]
async fn a_lease_of_another_backend_is_lost() {
    let (_file, queue) = queue();
    for foreign in ["", "7", "7/1", "a/b"] {
        let lease = Lease(foreign.to_owned());
        assert_eq!(queue.extend(&lease, LEASE).await, Err(QueueError::LeaseLost));
        assert_eq!(queue.acknowledge(&lease).await, Err(QueueError::LeaseLost));
    }
}

#[test]
fn no_question_about_a_lane_depends_on_how_much_lies_in_it() {
    let file = file();
    for (sql, indexes) in [
        (rows::WAITING, &["queue_waiting (lane=?)"][..]),
        (rows::LAPSED, &["queue_leased (lane=? AND visible_at<?)"]),
        (rows::SAME, &["queue_same (lane=? AND request=?)"]),
        (rows::READY, &["queue_waiting (lane=?)", "queue_leased (lane=? AND visible_at<?)"]),
    ] {
        let plan = plan(&file.database, sql);
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN queue"), "{sql}: {plan}");
        for index in indexes {
            assert!(plan.contains(index), "{sql}: {plan}");
        }
    }
}
