//! What the conformance suite does not ask: bounds, damage, tokens and plans.

use cve_monitor_core::ports::{AppendError, EventStore, StoreError};
use cve_monitor_core::scan::{Due, MAX_APPEND, StreamId};
use cve_monitor_core::vocabulary::{PageToken, Timestamp};

use super::{SqliteEventStore, everything, rows};
use crate::embedded::sqlite::fixture::{File, file, image, plan, put_head, rings, waiting};

fn store() -> (File, SqliteEventStore) {
    let file = file();
    let store = SqliteEventStore::new(file.database.clone());
    (file, store)
}

fn stream(name: &str) -> StreamId {
    StreamId(format!("feed/{name}"))
}

async fn ring(store: &SqliteEventStore, name: &str, expected: u64, count: u64) -> Result<(), AppendError> {
    let (events, head) = rings(&stream(name), expected, count);
    store.append(&stream(name), expected, &events, &head).await
}

#[tokio::test]
async fn an_append_holds_from_one_event_to_the_bound() {
    let (_file, store) = store();
    let most = MAX_APPEND as u64;
    assert_eq!(ring(&store, "a", 0, most).await, Ok(()));
    for wrong in [0, most + 1] {
        let refused = ring(&store, "b", 0, wrong).await;
        assert!(matches!(refused, Err(AppendError::Store(StoreError::Permanent(_)))), "{wrong}: {refused:?}");
    }
    assert_eq!(store.head(&stream("b")).await, Ok(None));
}

#[tokio::test]
async fn an_append_that_overlaps_what_stands_is_a_conflict_not_a_repetition() {
    let (_file, store) = store();
    ring(&store, "a", 0, 2).await.unwrap();
    assert_eq!(ring(&store, "a", 0, 2).await, Ok(()));
    assert_eq!(ring(&store, "a", 0, 1).await, Ok(()), "these events stand there");
    for (expected, count) in [(0, 3), (1, 2), (3, 1), (5, 1)] {
        let refused = ring(&store, "a", expected, count).await;
        assert_eq!(
            refused,
            Err(AppendError::Conflict { stream: stream("a"), expected }),
            "{expected}+{count}"
        );
    }
    assert_eq!(store.read(&stream("a"), 1, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_listing_holds_the_streams_of_its_prefix_and_no_others() {
    let (_file, store) = store();
    for name in ["a", "ab/1", "ab/2", "ab/3", "ab0", "b"] {
        ring(&store, name, 0, 1).await.unwrap();
    }
    for limit in [1, 2, 3, 100] {
        let (mut found, mut after) = (vec![], None);
        loop {
            let page = store.heads("feed/ab/", after, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            found.extend(page.items.into_iter().map(|(id, _)| id.0));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(found, ["feed/ab/1", "feed/ab/2", "feed/ab/3"], "pages of {limit}");
    }
}

#[tokio::test]
async fn reading_everything_ends_though_appends_go_on() {
    let (_file, store) = store();
    ring(&store, "a", 0, 3).await.unwrap();
    let (mut read, mut after) = (0, None);
    for round in 1..100 {
        let page = store.read_all(after, 1).await.unwrap();
        read += page.items.len();
        ring(&store, "later", round - 1, 1).await.unwrap();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((read, after), (3, None));
}

#[tokio::test]
async fn what_waits_at_the_same_instant_is_paged_without_a_gap() {
    let (_file, store) = store();
    let noon = Timestamp::from_millis(1_772_366_400_000);
    for seed in ["1", "2", "3", "4", "5"] {
        put_head(&store, &StreamId::image(&image("a.test", seed)), waiting(Due::At(noon))).await;
    }
    let (mut found, mut after) = (vec![], None);
    loop {
        let page = store.due(&Due::At(noon), noon, after, 2).await.unwrap();
        found.extend(page.items.into_iter().map(|(id, _)| id));
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    let mut distinct = found.clone();
    distinct.dedup();
    assert_eq!((found.len(), distinct.len()), (5, 5));
    let foreign = store.due(&Due::At(noon), noon, Some(PageToken("image/x".to_owned())), 2).await;
    assert!(matches!(foreign, Err(StoreError::Permanent(_))), "{foreign:?}");
}

#[tokio::test]
async fn a_damaged_head_is_corrupt_and_a_newer_one_asks_for_a_newer_program() {
    let (file, store) = store();
    ring(&store, "a", 0, 1).await.unwrap();
    let set = |body: &'static str| {
        file.database.write(move |tx| Ok(tx.execute("UPDATE heads SET body = CAST(?1 AS BLOB)", [body])?))
    };
    set("{").await.unwrap();
    assert!(
        matches!(store.head(&stream("a")).await, Err(StoreError::Corrupt(why)) if why.contains("feed/a"))
    );
    set("{\"v\":99}").await.unwrap();
    assert!(
        matches!(store.head(&stream("a")).await, Err(StoreError::Permanent(why)) if why.contains("newer"))
    );
}

#[test]
fn listings_enter_an_index_and_sort_nothing() {
    let file = file();
    for (sql, index) in [
        (rows::HEADS_AFTER, "USING INDEX sqlite_autoindex_heads_1 (stream>?)"),
        (rows::DUE, "USING INDEX heads_due (due_kind=? AND"),
        (rows::EVENTS_OF_STREAM, "USING INDEX events_place (stream=? AND version>?)"),
        (everything::ALL_EVENTS, "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (everything::ALL_BODIES, "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    ] {
        let plan = plan(&file.database, sql);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
