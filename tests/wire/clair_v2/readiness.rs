//! Whether Clair's data is complete, as the feed finds out and remembers.

use std::sync::{Arc, Mutex};

use cve_monitor_adapters::clair::v2::bounds::NAMESPACES_MAX;
use cve_monitor_adapters::clair::v2::{ClairV2Feed, Proof};
use cve_monitor_core::ports::{ChangeFeed as _, Cursor, FeedError, Next};
use cve_monitor_core::testkit::model::MemoryEventStore;

use super::{NOT_THERE, captured, posted, ring, settings, stored};
use crate::fake_server::{FakeServer, Reply, Seen};

/// What a server shows of itself.
#[derive(Debug, Clone, Copy)]
struct Shown {
    advisories: bool,
    /// The layer that bears witness is there.
    witness: bool,
    duration: f64,
    errors: u32,
}

const EMPTY: Shown = Shown { advisories: false, witness: false, duration: 0.0, errors: 0 };

struct Bench {
    server: FakeServer,
    store: Arc<MemoryEventStore>,
    shown: Arc<Mutex<Shown>>,
    feed: ClairV2Feed,
}

impl Bench {
    async fn new(proof: Proof, shown: Shown) -> Self {
        let shown = Arc::new(Mutex::new(shown));
        let server = FakeServer::start({
            let shown = Arc::clone(&shown);
            move |seen: &Seen| answer(seen, &mut shown.lock().unwrap())
        })
        .await;
        let store = Arc::new(MemoryEventStore::default());
        let feed = ClairV2Feed::new(&settings(&server), proof, Arc::clone(&store) as _).unwrap();
        Self { server, store, shown, feed }
    }

    fn show(&self, shown: Shown) {
        *self.shown.lock().unwrap() = shown;
    }

    /// The cursor of the gap after this one; none where there is none.
    async fn gap(&self, cursor: Option<&str>) -> Option<String> {
        match self.feed.next(cursor.map(|text| Cursor(text.to_owned()))).await.unwrap() {
            Next::Gap { to, .. } => Some(to.0),
            _ => None,
        }
    }
}

fn answer(seen: &Seen, shown: &mut Shown) -> Reply {
    if let Some(layer) = posted(seen) {
        assert_eq!((&layer["Name"], &layer["Path"]), (&"cve-monitor.ready".into(), &"/dev/null".into()));
        shown.witness = true;
        return stored();
    }
    match seen.path() {
        "/v1/metrics" => Reply::ok(format!(
            "clair_updater_duration_seconds {}\nclair_updater_errors_total {}\n",
            shown.duration, shown.errors
        )),
        "/v1/namespaces" => captured("52-get-namespaces"),
        path if path.ends_with("/vulnerabilities") && shown.advisories => captured("79-list-limit-2"),
        path if path.ends_with("/vulnerabilities") => captured("84-list-unknown-ns"),
        "/v1/layers/cve-monitor.ready" if shown.witness => captured("44-get-plain"),
        _ => captured(NOT_THERE),
    }
}

#[tokio::test]
async fn a_word_is_believed_once_there_is_anything() {
    let bench = Bench::new(Proof::Word, EMPTY).await;
    assert_eq!(bench.gap(None).await.as_deref(), Some("loading:0"));
    assert_eq!(bench.gap(Some("loading:0")).await, None);
    bench.show(Shown { advisories: true, ..EMPTY });
    assert_eq!(bench.gap(Some("loading:0")).await.as_deref(), Some("ready:0"));
    assert_eq!(bench.gap(Some("ready:0")).await, None, "and the witness stands");
}

#[tokio::test]
async fn the_first_look_covers_what_has_arrived_before_it() {
    let bench = Bench::new(Proof::Word, Shown { advisories: true, ..EMPTY }).await;
    for name in ["a", "b"] {
        ring(&bench.store, name).await;
    }
    assert_eq!(bench.gap(None).await.as_deref(), Some("ready:2"));
    assert_eq!(bench.gap(Some("ready:2")).await, None);
    bench.feed.followed(&Cursor("ready:2".to_owned())).await.unwrap();
    let deleted = bench.server.seen().iter().filter(|seen| seen.method == "DELETE").count();
    assert_eq!(deleted, 2);
}

#[tokio::test]
async fn metrics_prove_a_whole_round_and_nothing_less() {
    let bench = Bench::new(Proof::Metrics, Shown { advisories: true, ..EMPTY }).await;
    assert_eq!(bench.gap(None).await.as_deref(), Some("loading:0"), "the first round is under way");
    // As captured with every source unreachable: finished, with errors, and called "update finished" in the log.
    for (duration, errors) in [(0.07, 31), (0.07, 31), (0.08, 62)] {
        bench.show(Shown { advisories: true, duration, errors, ..EMPTY });
        assert_eq!(bench.gap(Some("loading:0")).await, None, "{duration} {errors}");
    }
    for (duration, errors, proven) in [(5.0, 62, false), (6.0, 62, true)] {
        bench.show(Shown { advisories: true, duration, errors, ..EMPTY });
        assert_eq!(bench.gap(Some("loading:0")).await.is_some(), proven, "{duration}");
    }
}

#[tokio::test]
async fn a_whole_round_without_any_advisory_proves_nothing() {
    let bench = Bench::new(Proof::Metrics, Shown { duration: 12.0, ..EMPTY }).await;
    assert_eq!(bench.gap(None).await.as_deref(), Some("loading:0"));
    assert_eq!(bench.gap(Some("loading:0")).await, None);
}

#[tokio::test]
async fn an_emptied_database_is_noticed_and_the_word_given_for_it_is_spent() {
    let full = Shown { advisories: true, ..EMPTY };
    let bench = Bench::new(Proof::Word, full).await;
    assert_eq!(bench.gap(None).await.as_deref(), Some("ready:0"));
    bench.show(EMPTY);
    assert_eq!(bench.gap(Some("ready:0")).await.as_deref(), Some("lost:0"));
    // It loads again: nothing says that this is all.
    bench.show(full);
    assert_eq!(bench.gap(Some("lost:0")).await, None);
    // A whole round of its updater does.
    bench.show(Shown { duration: 700.0, ..full });
    assert_eq!(bench.gap(Some("lost:0")).await.as_deref(), Some("ready:0"));
}

#[tokio::test]
async fn notifications_are_followed_while_the_data_is_not_complete() {
    let bench = Bench::new(Proof::Metrics, Shown { advisories: true, ..EMPTY }).await;
    let version = ring(&bench.store, "a").await;
    let next = bench.feed.next(Some(Cursor("loading:0".to_owned()))).await.unwrap();
    assert!(matches!(next, Next::Change { to, .. } if to.0 == format!("loading:{version}")));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_taken_for_an_empty_one() {
    let server = FakeServer::start(|_| captured("34-post-name-129-chars")).await;
    let store = Arc::new(MemoryEventStore::default());
    let feed = ClairV2Feed::new(&settings(&server), Proof::Word, store).unwrap();
    for cursor in [None, Some("loading:0"), Some("ready:0")] {
        let next = feed.next(cursor.map(|text| Cursor(text.to_owned()))).await;
        assert!(matches!(next, Err(FeedError::Transient(_))), "{cursor:?}: {next:?}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_feed_is_a_gap_of_everything() {
    let bench = Bench::new(Proof::Word, Shown { advisories: true, ..EMPTY }).await;
    assert_eq!(bench.gap(Some("12-abcdef")).await.as_deref(), Some("ready:0"));
}

#[tokio::test]
async fn so_many_distributions_are_asked_about_and_no_more() {
    for (last, expected) in [(NAMESPACES_MAX, "ready:0"), (NAMESPACES_MAX + 1, "loading:0")] {
        // Only the last one has advisories.
        let known = format!("/debian:{last}/");
        let server = FakeServer::start(move |seen: &Seen| match seen.path() {
            "/v1/namespaces" => {
                let all: Vec<_> = (1..=last).map(|n| format!(r#"{{"Name":"debian:{n}"}}"#)).collect();
                Reply::ok(format!(r#"{{"Namespaces":[{}]}}"#, all.join(",")))
            }
            path if path.replace("%3A", ":").contains(&known) => captured("79-list-limit-2"),
            path if path.ends_with("/vulnerabilities") => captured("84-list-unknown-ns"),
            _ if posted(seen).is_some() => stored(),
            _ => captured(NOT_THERE),
        })
        .await;
        let store = Arc::new(MemoryEventStore::default());
        let feed = ClairV2Feed::new(&settings(&server), Proof::Word, store as _).unwrap();
        let Next::Gap { to, .. } = feed.next(None).await.unwrap() else { panic!("no gap") };
        assert_eq!(to.0, expected);
        assert_eq!(server.seen_at("/vulnerabilities").len(), NAMESPACES_MAX);
    }
}
