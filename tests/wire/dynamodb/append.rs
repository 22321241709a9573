//! Appending: conflicts of transactions, lost answers, load, and the largest items.

use aws_config::retry::RetryConfig;
use cve_monitor_adapters::aws::dynamodb::DynamoEventStore;
use cve_monitor_core::ports::{AppendError, EventStore as _, StoreError};
use cve_monitor_core::scan::{Event, Head, HeadState, ImageEvent, RecordedEvent, StreamId, seal};
use cve_monitor_core::vocabulary::{Digest, LayerKey};
use cve_monitor_tests::fakes::aws_proxy::{Fault, Rule, Service, Which};
use serde_json::json;

use super::{Stage, feed, image, noon, ring, rings};

/// A transaction that was cancelled for this reason.
fn cancelled(code: &str) -> Fault {
    let more = json!({"CancellationReasons": [{"Code": code, "Message": "a test"}, {"Code": "None"}]});
    Fault::Refuse { status: 400, code: "TransactionCanceledException", more }
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_made_once_when_it_is_repeated() {
    let Some(stage) = Stage::open("wire-lost").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    stage.befall("TransactWriteItems", Which::Next(1), Fault::LoseAnswer);
    let lost = ring(&store, &stream, 0, 2).await;
    assert!(matches!(lost, Err(AppendError::Store(StoreError::Transient(_)))), "{lost:?}");
    assert_eq!(ring(&store, &stream, 0, 2).await, Ok(()));
    let (events, head) = rings(&stream, 0, 2);
    assert_eq!(store.read(&stream, 1, 10).await, Ok(events));
    assert_eq!(store.head(&stream).await, Ok(Some(head)));
}

#[tokio::test]
async fn an_append_that_met_another_transaction_or_load_is_tried_again() {
    let Some(stage) = Stage::open("wire-met").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    stage.befall("TransactWriteItems", Which::Next(1), Fault::transaction_conflict(2));
    stage.befall("TransactWriteItems", Which::Next(1), cancelled("ThrottlingError"));
    stage.befall("TransactWriteItems", Which::Next(1), cancelled("ProvisionedThroughputExceeded"));
    assert_eq!(ring(&store, &stream, 0, 1).await, Ok(()));
    assert_eq!(stage.calls("TransactWriteItems"), 4);
}

#[tokio::test]
async fn an_append_that_meets_others_for_long_is_transient() {
    let Some(stage) = Stage::open("wire-met-for-long").await else { return };
    stage.befall("TransactWriteItems", Which::All, Fault::transaction_conflict(2));
    let refused = ring(&stage.store(), &feed("a"), 0, 1).await;
    let Err(AppendError::Store(StoreError::Transient(why))) = refused else { panic!("{refused:?}") };
    assert!(why.contains("wire-met-for-long-heads") && why.contains("TransactionConflict"), "{why}");
    assert_eq!(stage.calls("TransactWriteItems"), 11);
}

#[tokio::test]
async fn a_transaction_that_is_never_taken_is_permanent_at_once() {
    let Some(stage) = Stage::open("wire-never").await else { return };
    stage.befall("TransactWriteItems", Which::All, cancelled("ValidationError"));
    let refused = ring(&stage.store(), &feed("a"), 0, 1).await;
    assert!(matches!(refused, Err(AppendError::Store(StoreError::Permanent(_)))), "{refused:?}");
    assert_eq!(stage.calls("TransactWriteItems"), 1);
}

#[tokio::test]
async fn of_sixteen_appends_at_once_one_wins() {
    let Some(stage) = Stage::open("wire-crowd").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    let appends = (1..=16).map(|count| ring(&store, &stream, 0, count));
    let answers = futures::future::join_all(appends).await;
    let won: Vec<_> = (1..=16).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(n, _)| n).collect();
    // The bells of all are the same: those that are shorter than the winner stand there too (E2).
    let longest = *won.last().expect("one wins");
    assert_eq!(store.head(&stream).await.unwrap().unwrap().version, longest);
    let lost = Err(AppendError::Conflict { stream: stream.clone(), expected: 0 });
    assert!(answers.iter().all(|answer| *answer == Ok(()) || *answer == lost), "{answers:?}");
    assert_eq!(store.read(&stream, 1, 100).await.unwrap().len() as u64, longest);
}

#[tokio::test]
async fn a_repository_is_listed_in_the_catalogue_once_by_a_process() {
    let Some(stage) = Stage::open("wire-catalogue").await else { return };
    let store = stage.store();
    for n in 0..3 {
        ring(&store, &feed(&n.to_string()), 0, 1).await.unwrap();
    }
    assert_eq!(stage.calls("PutItem"), 1);
}

#[tokio::test]
async fn every_call_may_fail_once() {
    let Some(stage) = Stage::open("wire-every").await else { return };
    // Whoever embeds the library has the SDK try again: what it then repeats is recognised.
    let config = stage.config.clone().into_builder();
    let config = config.retry_config(RetryConfig::standard().with_max_attempts(5)).build();
    let store = DynamoEventStore::new(&config, stage.prefix);
    for fault in [Fault::failure(Service::DynamoDb), Fault::throttling(Service::DynamoDb), Fault::LoseAnswer]
    {
        stage.proxy.mend();
        stage.proxy.add(Rule::for_service(Service::DynamoDb, Which::EveryOther, fault.clone()));
        let stream =
            feed(&format!("{fault:?}").chars().filter(char::is_ascii_alphanumeric).collect::<String>());
        for version in [0, 2] {
            assert_eq!(ring(&store, &stream, version, 2).await, Ok(()), "{fault:?}");
        }
        let read = store.read(&stream, 1, 10).await.unwrap();
        assert_eq!(read, rings(&stream, 0, 4).0, "{fault:?}");
    }
    let heads = store.heads("feed/", None, 10).await.unwrap().items;
    assert_eq!(heads.len(), 3);
}

/// An append of one event that records these keys.
fn recorded(keys: Vec<LayerKey>) -> (StreamId, Vec<RecordedEvent>, Head) {
    let stream = StreamId::image(&image("app", "large"));
    let event = Event::Image(ImageEvent::LayersRecorded { keys, generation: 1 });
    let events = seal(&stream, 0, noon(), vec![event]);
    let head = Head { version: 1, state: HeadState::Image(Box::default()) };
    (stream, events, head)
}

#[tokio::test]
async fn an_event_with_the_most_keys_is_appended_and_read_by_every_way() {
    let Some(stage) = Stage::open("wire-large").await else { return };
    let store = stage.store();
    let keys = (0..4096_u32).map(|n| LayerKey(Digest::of(&n.to_le_bytes()).to_string())).collect();
    let (stream, events, head) = recorded(keys);
    assert_eq!(store.append(&stream, 0, &events, &head).await, Ok(()));
    assert_eq!(store.read(&stream, 1, 1).await.as_ref(), Ok(&events));
    let everything = super::all(10, |after| store.read_all(after, 10)).await;
    assert_eq!(everything.into_iter().map(|(_, event)| event).collect::<Vec<_>>(), events);
}

#[tokio::test]
async fn an_event_that_no_item_holds_is_permanent_and_leaves_nothing() {
    let Some(stage) = Stage::open("wire-too-large").await else { return };
    let store = stage.store();
    // Six times as long, and nothing in them repeats.
    let key =
        |n: u32| (0..6_u32).map(|part| Digest::of(&(6 * n + part).to_le_bytes()).hex().to_owned()).collect();
    let (stream, events, head) = recorded((0..4096).map(|n| LayerKey(key(n))).collect());
    let refused = store.append(&stream, 0, &events, &head).await;
    assert!(matches!(refused, Err(AppendError::Store(StoreError::Permanent(_)))), "{refused:?}");
    assert_eq!(store.head(&stream).await, Ok(None));
    assert_eq!(store.read(&stream, 1, 1).await, Ok(vec![]));
}
