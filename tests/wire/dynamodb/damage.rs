//! What is stored and should not be so.

use aws_sdk_dynamodb::types::AttributeValue;
use cve_monitor_core::ports::{AppendError, EventStore as _, StoreError};
use cve_monitor_core::scan::{Event, FeedEvent, Head, encode_event, encode_head, seal};

use super::{Stage, feed, noon, number, ring, rings, text};

fn corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, names: &[&str]) {
    let Err(StoreError::Corrupt(why)) = answer else { panic!("{answer:?}") };
    assert!(names.iter().all(|name| why.contains(name)), "{why}");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_corrupt_by_stream_and_version() {
    let Some(stage) = Stage::open("wire-damaged").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    ring(&store, &stream, 0, 2).await.unwrap();
    let key = || [("stream", text("feed/a")), ("first", number(1))];
    let (events, _) = rings(&stream, 0, 2);
    let whole = String::from_utf8(encode_event(&events[0]).unwrap()).unwrap();
    stage.set("events", key(), "events", text(&format!("{whole}\n{{"))).await;
    corrupt(store.read(&stream, 1, 10).await, &["feed/a", "version 2"]);
    corrupt(store.read_all(None, 10).await, &["feed/a", "version 2"]);
    // One event of two.
    stage.set("events", key(), "events", text(&whole)).await;
    corrupt(store.read(&stream, 1, 10).await, &["feed/a", "1 to 2"]);
    stage.set("events", key(), "events_zstd", AttributeValue::B(b"zstd".to_vec().into())).await;
    corrupt(store.read(&stream, 1, 10).await, &["feed/a", "version 1"]);
    stage.set("events", key(), "events_zstd", number(1)).await;
    corrupt(store.read(&stream, 1, 10).await, &["feed/a", "version 1"]);
}

#[tokio::test]
async fn an_event_of_a_newer_program_asks_for_one() {
    let Some(stage) = Stage::open("wire-newer").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    ring(&store, &stream, 0, 1).await.unwrap();
    stage
        .set("events", [("stream", text("feed/a")), ("first", number(1))], "events", text("{\"v\":99}"))
        .await;
    let newer = store.read(&stream, 1, 10).await;
    assert!(matches!(&newer, Err(StoreError::Permanent(why)) if why.contains("newer")), "{newer:?}");
    stage.set("heads", [("partition", text("feed/")), ("rest", text("a"))], "head", text("{\"v\":99}")).await;
    let newer = store.head(&stream).await;
    assert!(matches!(&newer, Err(StoreError::Permanent(why)) if why.contains("newer")), "{newer:?}");
}

#[tokio::test]
async fn a_missing_item_is_a_gap_in_its_stream() {
    let Some(stage) = Stage::open("wire-gap").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    for version in 0..3 {
        ring(&store, &stream, version, 1).await.unwrap();
    }
    let delete = stage.tables.delete_item().table_name("wire-gap-events");
    delete.key("stream", text("feed/a")).key("first", number(2)).send().await.unwrap();
    corrupt(store.read(&stream, 1, 10).await, &["feed/a", "version 2"]);
    corrupt(store.read(&stream, 2, 10).await, &["feed/a", "version 2"]);
    assert_eq!(store.read(&stream, 3, 10).await.map(|events| events.len()), Ok(1));
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_corrupt_by_stream() {
    let Some(stage) = Stage::open("wire-head").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    ring(&store, &stream, 0, 1).await.unwrap();
    let key = || [("partition", text("feed/")), ("rest", text("a"))];
    stage.set("heads", key(), "version", number(7)).await;
    corrupt(store.head(&stream).await, &["feed/a", "7"]);
    stage.set("heads", key(), "head", text("{")).await;
    corrupt(store.head(&stream).await, &["feed/a"]);
    corrupt(store.heads("feed/", None, 10).await, &["feed/a"]);
    stage.set("heads", key(), "head", number(1)).await;
    corrupt(store.head(&stream).await, &["partition feed/", "rest a", "`head`"]);
}

#[tokio::test]
async fn heads_that_were_lost_refuse_appends_until_they_are_made_again() {
    let Some(stage) = Stage::open("wire-restored").await else { return };
    let (store, stream) = (stage.store(), feed("a"));
    ring(&store, &stream, 0, 2).await.unwrap();
    ring(&store, &stream, 2, 3).await.unwrap();
    let (_, old) = rings(&stream, 0, 2);
    let (_, newest) = rings(&stream, 2, 3);
    // The table of heads comes from before the second append; or is empty.
    for version in [2, 0] {
        let delete = stage.tables.delete_item().table_name("wire-restored-heads");
        delete.key("partition", text("feed/")).key("rest", text("a")).send().await.unwrap();
        if version > 0 {
            let put = stage.tables.put_item().table_name("wire-restored-heads");
            let put = put.item("partition", text("feed/")).item("rest", text("a")).item("version", number(2));
            let head = String::from_utf8(encode_head(&old).unwrap()).unwrap();
            put.item("head", text(&head)).send().await.unwrap();
        }
        let other = seal(
            &stream,
            version,
            noon(),
            vec![Event::Feed(FeedEvent::BellRang { name: "another".to_owned() })],
        );
        let head = Head { version: version + 1, ..newest.clone() };
        let refused = store.append(&stream, version, &other, &head).await;
        let Err(AppendError::Store(StoreError::Corrupt(why))) = refused else { panic!("{refused:?}") };
        assert!(why.contains("feed/a") && why.contains("rebuild heads"), "{why}");
        let conflict = AppendError::Conflict { stream: stream.clone(), expected: 2 };
        assert_eq!(store.rewrite_head(&stream, &old).await, Err(conflict), "not the end of the events");
        assert_eq!(store.rewrite_head(&stream, &newest).await, Ok(()));
        assert_eq!(store.head(&stream).await, Ok(Some(newest.clone())));
    }
    assert_eq!(ring(&store, &stream, 5, 1).await, Ok(()));
}
