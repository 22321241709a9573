//! Notifications are followed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cve_monitor_adapters::clair::v2::bounds::STARTS_MAX;
use cve_monitor_adapters::clair::v2::{ClairV2Feed, Proof};
use cve_monitor_core::ports::{ChangeFeed as _, Cursor, FeedError, Next};
use cve_monitor_core::testkit::model::MemoryEventStore;
use cve_monitor_core::vocabulary::{Generation, LayerKey};

use super::{captured, captured_body, ring, settings};
use crate::fake_server::{FakeServer, Reply, Seen};

/// The notification of most captures.
const NAME: &str = "7e91168d-6757-46c1-b825-bfa0e07803e0";

struct Bench {
    server: FakeServer,
    store: Arc<MemoryEventStore>,
    feed: ClairV2Feed,
}

impl Bench {
    async fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let server = FakeServer::start(answer).await;
        let store = Arc::new(MemoryEventStore::default());
        let feed = ClairV2Feed::new(&settings(&server), Proof::Word, Arc::clone(&store) as _).unwrap();
        Self { server, store, feed }
    }

    /// The keys of the notification that was recorded under this version.
    async fn keys(&self, version: u64) -> Result<BTreeSet<LayerKey>, FeedError> {
        let (from, to) = (Cursor("ready:0".to_owned()), Cursor(format!("ready:{version}")));
        let (mut keys, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self.feed.candidates(&from, &to, after, 2).await?;
            keys.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(keys);
            }
        }
    }

    fn asked(&self, method: &str) -> Vec<String> {
        let seen = self.server.seen();
        seen.iter().filter(|seen| seen.method == method).map(|seen| seen.target.clone()).collect()
    }
}

/// The name of a layer of ours whose key is `number`, and the key.
fn ours(number: u8) -> (String, LayerKey) {
    let key = format!("{number:02x}").repeat(24);
    (format!("{key}.{}", "b".repeat(64)), LayerKey(key))
}

/// A capture whose layers are called as ours are.
fn renamed(name: &str, layers: &[(&str, u8)]) -> Reply {
    let mut body = captured_body(name);
    for (captured, number) in layers {
        body = body.replace(&format!("\"{captured}\""), &format!("\"{}\"", ours(*number).0));
    }
    Reply::ok(body)
}

const BASE: &str = "12ad69b6b959ad08840b1388f1ac7e5685a45c1d87b40bb1476c4206da255c44";
const LAYERS: [(&str, u8); 8] =
    [(BASE, 1), ("x7", 7), ("x8", 8), ("x9", 9), ("x12", 12), ("r1", 21), ("r2", 22), ("r3", 23)];

fn numbered(numbers: &[u8]) -> BTreeSet<LayerKey> {
    numbers.iter().map(|number| ours(*number).1).collect()
}

/// The pages of a capture, by the tokens that it has.
fn pages(seen: &Seen) -> Reply {
    let pages = [1, 2, 3].map(|page| format!("a1-notification-new-limit3-page{page}"));
    let token = seen.target.split("&page=").nth(1);
    let asked = pages.iter().find(|page| {
        token.is_some_and(|token| captured_body(page).contains(&format!("\"Page\":\"{token}\"")))
    });
    renamed(asked.unwrap_or(&pages[0]), &LAYERS)
}

#[tokio::test]
async fn pages_are_followed_from_the_first() {
    let bench = Bench::new(pages).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), numbered(&[1, 7, 8, 9, 12, 21, 22, 23]));
    let asked = bench.asked("GET");
    assert_eq!(asked.len(), 3, "they are read once for all pages of candidates: {asked:?}");
    assert!(asked[0].ends_with(&format!("{NAME}?limit=500")), "{asked:?}");
    // Another process begins with the first page again.
    let other =
        ClairV2Feed::new(&settings(&bench.server), Proof::Word, Arc::clone(&bench.store) as _).unwrap();
    let to = Cursor(format!("ready:{version}"));
    let page = other.candidates(&to, &to, None, 100).await.unwrap();
    assert_eq!((page.items.len(), page.next), (8, None));
}

#[tokio::test]
async fn layers_of_others_on_the_same_server_are_passed_over() {
    let bench = Bench::new(|_| renamed("a0-notification-new-all", &[("x7", 7)])).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), numbered(&[7]));
}

#[tokio::test]
async fn both_sides_count_unless_the_text_alone_differs() {
    let changed = "a2-notification-updated-limit4-page1";
    let only_last = |body: String| Reply::ok(body.replace("\"NextPage\":", "\"Next\":"));
    let body = move || String::from_utf8(renamed(changed, &LAYERS).body().to_vec()).unwrap();
    let bench = Bench::new(move |_| only_last(body())).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), numbered(&[1, 7, 8, 9]));

    // The old side alone, as after a deletion, and one that differs from the new one.
    let removed = "64f67c9f5f62ec3c6f0adf9fd47ff5842abedda4b6947c58aeb7d0cdb836be04";
    let bench = Bench::new(move |_| renamed("b3-notification-vuln-deleted", &[(removed, 2)])).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), numbered(&[2]));

    let text = move || body().replace("\"Severity\":\"High\"", "\"Severity\":\"Critical\"");
    let bench = Bench::new(move |_| only_last(text())).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), BTreeSet::new());
}

#[tokio::test]
async fn a_notification_without_layers_names_nothing() {
    let bench = Bench::new(|_| captured("a3-notification-not-affecting")).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await, Ok(BTreeSet::new()));
}

#[tokio::test]
async fn an_unknown_notification_names_nothing() {
    let bench = Bench::new(|_| captured("97-get-unknown-notification")).await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await, Ok(BTreeSet::new()));
    // But something before Clair that has lost its way to it proves nothing.
    let lost = Bench::new(|_| captured("53-404-route")).await;
    let version = ring(&lost.store, NAME).await;
    assert!(matches!(lost.keys(version).await, Err(FeedError::Transient(_))));
}

#[tokio::test]
async fn a_deleted_notification_is_followed_all_the_same() {
    // Somebody else on the same server may have deleted it.
    let bench = Bench::new(|_| {
        let body = renamed("b0-notification-get-after-delete", &LAYERS).body().to_vec();
        Reply::ok(String::from_utf8(body).unwrap().replace("\"NextPage\":", "\"Next\":"))
    })
    .await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap(), numbered(&[1]));
}

#[tokio::test]
async fn forgotten_tokens_begin_the_pages_anew() {
    let restarts = Arc::new(AtomicUsize::new(1));
    let bench = Bench::new({
        let restarts = Arc::clone(&restarts);
        move |seen: &Seen| {
            let once = seen.target.contains("&page=")
                && restarts
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                    .is_ok();
            if once { captured("a8-notification-bad-page") } else { pages(seen) }
        }
    })
    .await;
    let version = ring(&bench.store, NAME).await;
    assert_eq!(bench.keys(version).await.unwrap().len(), 8);
    let first = bench.asked("GET").iter().filter(|target| !target.contains("page=")).count();
    assert_eq!(first, 2);

    restarts.store(1000, Ordering::SeqCst);
    let again = ring(&bench.store, NAME).await;
    let before = bench.asked("GET").len();
    let error = bench.keys(again).await;
    assert_eq!(bench.asked("GET").len() - before, 2 * STARTS_MAX as usize, "the first page and the next");
    assert!(matches!(&error, Err(FeedError::Transient(why)) if why.contains("paginationkey")), "{error:?}");
}

#[tokio::test]
async fn trouble_is_transient() {
    for trouble in ["a6-notification-limit-minus2", "d1-api-timeout"] {
        let bench = Bench::new(move |_| captured(trouble)).await;
        let version = ring(&bench.store, NAME).await;
        assert!(matches!(bench.keys(version).await, Err(FeedError::Transient(_))), "{trouble}");
    }
    // A page that leads to itself, as with a limit of 0, is not followed for ever.
    let stuck = Bench::new(|_| Reply::ok(r#"{"Notification":{"NextPage":"same"}}"#)).await;
    let version = ring(&stuck.store, NAME).await;
    assert!(matches!(stuck.keys(version).await, Err(FeedError::Transient(_))));
    assert_eq!(stuck.asked("GET").len(), 2);
}

#[tokio::test]
async fn each_recorded_notification_is_a_change_of_its_own() {
    let bench = Bench::new(|_| captured("44-get-plain")).await;
    let first = ring(&bench.store, NAME).await;
    let second = ring(&bench.store, "add5f70c-f891-4f0d-8c79-b5994776c9a1").await;
    let at = |version: u64| Cursor(format!("ready:{version}"));
    for (from, to) in [(0, first), (first, second)] {
        let next = bench.feed.next(Some(at(from))).await.unwrap();
        assert_eq!(next, Next::Change { to: at(to), generation: Generation(to) });
    }
    assert_eq!(bench.feed.next(Some(at(second))).await.unwrap(), Next::UpToDate);
    let nothing = bench.feed.candidates(&at(second), &at(second + 1), None, 10).await;
    assert!(matches!(nothing, Err(FeedError::Forgotten(_))), "{nothing:?}");
}

#[tokio::test]
async fn what_was_followed_is_deleted_and_may_be_gone() {
    for answer in ["a9-notification-delete", "b1-notification-delete-again", "99-delete-unknown-notification"]
    {
        let bench = Bench::new(move |seen| match seen.method.as_str() {
            "DELETE" => captured(answer),
            _ => captured("44-get-plain"),
        })
        .await;
        let mut versions = vec![];
        for name in ["a", "b", "c"] {
            versions.push(ring(&bench.store, name).await);
        }
        let at = |version: u64| Cursor(format!("ready:{version}"));
        bench.feed.next(Some(at(0))).await.unwrap();
        assert_eq!(bench.asked("DELETE").len(), 0, "nothing is deleted before it was followed");
        bench.feed.followed(&at(versions[0])).await.unwrap();
        bench.feed.followed(&at(versions[0])).await.unwrap();
        bench.feed.followed(&at(versions[2])).await.unwrap();
        let deleted: Vec<String> = bench
            .asked("DELETE")
            .iter()
            .map(|target| target.rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(deleted, ["a", "b", "c"], "{answer}");
    }
}

#[tokio::test]
async fn what_could_not_be_deleted_is_deleted_with_the_next() {
    let failures = AtomicUsize::new(1);
    let bench = Bench::new(move |seen| {
        let fails = seen.method == "DELETE"
            && failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { captured("a6-notification-limit-minus2") } else { captured("44-get-plain") }
    })
    .await;
    let (first, second) = (ring(&bench.store, "a").await, ring(&bench.store, "b").await);
    let at = |version: u64| Cursor(format!("ready:{version}"));
    bench.feed.next(Some(at(0))).await.unwrap();
    assert!(matches!(bench.feed.followed(&at(first)).await, Err(FeedError::Transient(_))));
    bench.feed.followed(&at(second)).await.unwrap();
    assert_eq!(bench.asked("DELETE").len(), 3);
    // A process that has seen nothing before deletes what it has just followed; Clair sends the rest again.
    let other =
        ClairV2Feed::new(&settings(&bench.server), Proof::Word, Arc::clone(&bench.store) as _).unwrap();
    other.followed(&at(second)).await.unwrap();
    assert_eq!(bench.asked("DELETE").len(), 4);
}
