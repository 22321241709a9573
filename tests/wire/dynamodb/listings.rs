//! Listings: many repositories, an index that lags, a reading that goes on while others write.

use std::time::Duration;

use cve_monitor_core::ports::{EventStore as _, StoreError};
use cve_monitor_core::scan::{Due, StreamId};
use cve_monitor_core::vocabulary::PageToken;
use cve_monitor_tests::fakes::aws_proxy::{Fault, Which};

use super::{Stage, all, feed, image, noon, number, ring, text, wait};

#[tokio::test]
async fn heads_of_many_repositories_come_in_the_order_of_their_ids_for_every_prefix() {
    let Some(stage) = Stage::open("wire-listing").await else { return };
    let store = stage.store();
    let mut ids = vec![];
    for repository in 0..40 {
        // Names of which one begins another, and many a repository with a few images.
        for name in [format!("a{repository}"), format!("a{repository}/b"), format!("a{repository}-c")] {
            for seed in 0..=(repository % 3) {
                ids.push(wait(&store, &image(&name, &format!("{name}{seed}")), None).await.0);
            }
        }
    }
    for name in ["b", "a", "a/b"] {
        ring(&store, &feed(name), 0, 1).await.unwrap();
        ids.push(feed(name));
    }
    ids.sort();
    let one = ids[17].0.clone();
    let beginning = one[..one.find("sha256").unwrap() + 10].to_owned();
    for prefix in
        ["", "f", "feed/", "feed/a", "image/", "image/r.test/a1", "image/r.test/a7@", &beginning, &one, "x"]
    {
        let expected: Vec<_> = ids.iter().filter(|id| id.0.starts_with(prefix)).collect();
        for limit in [1, 7, 1000] {
            let found = all(limit, |after| store.heads(prefix, after, limit)).await;
            let found: Vec<_> = found.iter().map(|(id, _)| id).collect();
            assert_eq!(found, expected, "{prefix} in pages of {limit}");
        }
    }
}

#[tokio::test]
async fn a_listing_of_a_hundred_repositories_reads_many_at_a_time() {
    let Some(stage) = Stage::open("wire-width").await else { return };
    let store = stage.store();
    for n in 0..100 {
        wait(&store, &image(&format!("app-{n}"), "1"), None).await;
    }
    let _ = stage.proxy.take_calls();
    assert_eq!(store.heads("image/", None, 500).await.unwrap().items.len(), 100);
    // Each repository once, and the catalogue for 1, 2, 4, 8, 16, 32, 32 and 5 of them, and at its end.
    assert_eq!(stage.calls("Query"), 100 + 9);
}

#[tokio::test]
async fn what_no_longer_waits_is_not_listed_though_the_index_lags() {
    let Some(stage) = Stage::open("wire-lagging").await else { return };
    let store = stage.store();
    let minute = |n: u32| noon().plus(Duration::from_secs(60) * n);
    let (mut waiting, mut lagging) = (vec![], vec![]);
    for n in 1..=8 {
        let due = Some(Due::At(minute(n)));
        waiting.push(wait(&store, &image("app", &n.to_string()), due).await.0);
        lagging.push(wait(&store, &image("gone", &n.to_string()), None).await.0);
    }
    for (n, stream) in (1..).zip(&lagging) {
        let rest = stream.0.split_once('@').unwrap().1;
        let key = || [("partition", text("image/r.test/gone@")), ("rest", text(rest))];
        // As the index still has it: earlier than all that waits.
        stage.set("heads", key(), "due_at", number(noon().as_millis() - n)).await;
        stage.set("heads", key(), "due_shard", text(&format!("at#{}", n % 4))).await;
    }
    let timed = Due::At(noon());
    for limit in [1, 3, 100] {
        let found = all(limit, |after| store.due(&timed, minute(60), after, limit)).await;
        assert_eq!(found.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), waiting, "pages of {limit}");
    }
    // Who asks for one learns whether there is any.
    let first = store.due(&timed, minute(60), None, 1).await.unwrap();
    assert_eq!(first.items[0].0, waiting[0]);
}

#[tokio::test]
async fn what_waits_at_the_same_instant_is_paged_without_a_gap_and_read_though_batches_are_cut() {
    let Some(stage) = Stage::open("wire-instant").await else { return };
    let store = stage.store();
    let mut waiting = vec![];
    for n in 0..30 {
        waiting.push(wait(&store, &image("app", &n.to_string()), Some(Due::ScannerReady)).await.0);
    }
    waiting.sort();
    stage.befall("BatchGetItem", Which::EveryOther, Fault::HalfDone);
    for limit in [1, 7, 100] {
        let found = all(limit, |after| store.due(&Due::ScannerReady, noon(), after, limit)).await;
        let mut found: Vec<StreamId> = found.into_iter().map(|(id, _)| id).collect();
        found.sort();
        assert_eq!(found, waiting, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_batch_reads_as_many_heads_as_one_call_may() {
    let Some(stage) = Stage::open("wire-batches").await else { return };
    let store = stage.store();
    for n in 0..101 {
        wait(&store, &image("app", &n.to_string()), Some(Due::ScannerReady)).await;
        if n == 99 {
            assert_eq!(store.due(&Due::ScannerReady, noon(), None, 1000).await.unwrap().items.len(), 100);
            assert_eq!(stage.calls("BatchGetItem"), 1);
        }
    }
    assert_eq!(store.due(&Due::ScannerReady, noon(), None, 1000).await.unwrap().items.len(), 101);
    assert_eq!(stage.calls("BatchGetItem"), 2);
}

#[tokio::test]
async fn reading_everything_ends_though_appends_go_on() {
    let Some(stage) = Stage::open("wire-everything").await else { return };
    let store = stage.store();
    for n in 0..20 {
        ring(&store, &feed(&format!("a{n}")), 0, 3).await.unwrap();
    }
    let (mut read, mut after) = (vec![], None);
    for round in 0..1000 {
        let page = store.read_all(after, 7).await.unwrap();
        read.extend(page.items.into_iter().map(|(position, _)| position));
        ring(&store, &feed("a7"), 3 + round, 1).await.unwrap();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(after, None);
    for n in 0..20 {
        let stream = feed(&format!("a{n}"));
        let versions: Vec<_> = read.iter().filter(|p| p.stream == stream).map(|p| p.version).collect();
        let whole = versions.len() == 3 || n == 7 && versions.len() > 3;
        assert!(whole && versions.iter().copied().eq(1..=versions.len() as u64), "{stream}: {versions:?}");
    }
}

#[tokio::test]
async fn a_token_of_another_listing_is_refused_by_name() {
    let Some(stage) = Stage::open("wire-token").await else { return };
    let store = stage.store();
    let foreign = || Some(PageToken("feed/x".to_owned()));
    let refused = store.due(&Due::ScannerReady, noon(), foreign(), 1).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Permanent(why) if why.contains("feed/x")), "{refused}");
    let refused = store.read_all(foreign(), 1).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Permanent(why) if why.contains("feed/x")), "{refused}");
}
