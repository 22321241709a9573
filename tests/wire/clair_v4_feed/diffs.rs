//! What an operation changed: texts, cuts, errors, and what Clair collects while it compares.

use std::sync::atomic::{AtomicUsize, Ordering};

use cve_monitor_adapters::clair::v4::bounds::MAX_DIFF_FAILURES;
use cve_monitor_tests::fakes::clair_v4::Fault;

use super::*;
use crate::fake_server::{FakeServer, Reply, Seen};

#[tokio::test]
async fn an_edited_text_names_nothing_and_anything_else_does() {
    let bench = Bench::new().await;
    let image = bench.index("debian:openssl:3.0").await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let mut cursor = bench.followed().await;
    for (member, value, named) in [
        ("description", "other words", false),
        ("links", "https://example.test/", false),
        ("severity", "low", true),
        ("fixed_in_version", "9", true),
    ] {
        let mut edited = debian("CVE-2026-1", "openssl");
        edited[member] = json!(value);
        bench.update(DEBIAN, vec![edited]);
        let to = bench.change(&cursor).await;
        let expected = if named { keys([&image]) } else { keys([]) };
        assert_eq!(bench.candidates(&cursor, &to).await, Ok(expected), "{member}");
        bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
        cursor = bench.change(&to).await;
    }
}

#[tokio::test]
async fn two_equal_operations_have_null_for_a_diff() {
    let bench = Bench::new().await;
    bench.index("debian:openssl:3.0").await;
    let all = || vec![debian("CVE-2026-1", "openssl")];
    bench.update(DEBIAN, all());
    let start = bench.followed().await;
    bench.update(DEBIAN, all());
    let to = bench.change(&start).await;
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([])));
    assert_eq!(bench.requests("affected_manifest"), 0, "there is nothing to ask");
}

#[tokio::test]
async fn a_diff_that_is_cut_anywhere_is_asked_for_again() {
    let bench = Bench::new().await;
    let image = bench.index("debian:openssl:3.0").await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl"), debian("CVE-2026-2", "openssl")]);
    let to = bench.change(&start).await;
    for bytes in [0, 1, 200, 500, 1000] {
        bench.clair.fail("update_diff", 1, Fault::CutAfter(bytes));
        let error = bench.candidates(&start, &to).await.unwrap_err();
        assert!(matches!(error, FeedError::Transient(_)), "after {bytes} bytes: {error}");
    }
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([&image])));
}

#[tokio::test]
async fn an_error_for_a_diff_of_what_is_listed_is_trouble_of_clair() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let to = bench.change(&start).await;
    for status in [500, 502, 503] {
        bench.clair.fail("update_diff", 1, Fault::Status(status));
        let error = bench.candidates(&start, &to).await.unwrap_err();
        assert!(matches!(error, FeedError::Transient(_)), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_diff_that_fails_time_and_again_holds_nothing_up_for_ever() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let first = bench.change(&start).await;
    bench.update(DEBIAN, vec![debian("CVE-2026-2", "openssl")]);
    let second = bench.change(&first).await;
    for (from, to) in [(&start, &first), (&first, &second)] {
        bench.clair.fail("update_diff", 3, Fault::Status(500));
        for _ in 0..3 {
            let error = bench.candidates(from, to).await.unwrap_err();
            assert!(matches!(error, FeedError::Transient(_)), "each change for itself: {error}");
        }
    }
    // Not one after the other: what can be read after all has not failed.
    assert!(bench.candidates(&first, &second).await.is_ok());
    let feed = bench.restarted();
    bench.clair.fail("update_diff", MAX_DIFF_FAILURES as usize, Fault::Status(500));
    for _ in 1..MAX_DIFF_FAILURES {
        let error = feed.candidates(&start, &first, None, 10).await.unwrap_err();
        assert!(matches!(error, FeedError::Transient(_)), "{error}");
    }
    let error = feed.candidates(&start, &first, None, 10).await.unwrap_err();
    assert_eq!(error, FeedError::Forgotten(DEBIAN.to_owned()));
}

const OLD: &str = "00000000-0000-4000-8000-000000000001";
const NEW: &str = "00000000-0000-4000-8000-000000000002";

/// A Clair with two operations of which the older is collected once the diff was asked for; and what it answers then.
async fn collecting(diff: Reply) -> FakeServer {
    let diffs = AtomicUsize::new(0);
    FakeServer::start(move |seen: &Seen| {
        let listed = |name: &str| json!({"ref": name, "date": "2026-03-01T12:00:00Z"});
        match seen.path().rsplit('/').next() {
            Some("update_diff") => {
                diffs.fetch_add(1, Ordering::SeqCst);
                diff.clone()
            }
            Some("update_operation") if diffs.load(Ordering::SeqCst) > 0 => {
                Reply::ok(json!({DEBIAN: [listed(NEW)]}).to_string())
            }
            Some("update_operation") => Reply::ok(json!({DEBIAN: [listed(NEW), listed(OLD)]}).to_string()),
            _ => Reply::ok(r#"{"vulnerable_manifests":{}}"#),
        }
    })
    .await
}

/// A cursor at the older of two operations, without that a Clair was ever asked.
fn place(name: &str) -> Vec<u8> {
    let place = json!({"ref": name, "date": "2026-03-01T12:00:00.000Z"});
    let document = json!({"version": 1, "previous": null, "places": {DEBIAN: place}});
    document.to_string().into_bytes()
}

#[tokio::test]
async fn a_diff_counts_only_where_both_operations_are_still_listed_after_it() {
    // All that was removed is lost, and all that the newer operation has looks as if it were added.
    let halved = json!({"added": [debian("CVE-2026-1", "openssl")], "removed": null}).to_string();
    let gone = r#"{"code":"internal-error","message":"could not get update operations: no rows"}"#;
    for diff in [Reply::ok(halved), Reply::ok(gone).with_status(500)] {
        let server = collecting(diff).await;
        let (archive, clock) = (Arc::new(MemoryArchive::default()), Arc::new(ManualClock::default()));
        let feed = feed(&server.url(""), &archive, &clock);
        let mut cursors = vec![];
        for name in [OLD, NEW] {
            use cve_monitor_core::ports::ReportArchive as _;
            cursors.push(Cursor(archive.put(&place(name)).await.unwrap().to_string()));
        }
        let answer = feed.candidates(&cursors[0], &cursors[1], None, 10).await;
        assert_eq!(answer, Err(FeedError::Forgotten(DEBIAN.to_owned())));
        assert_eq!(server.seen_at("update_diff").len(), 1);
    }
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again_when_the_rest_failed() {
    const FIRST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    const SECOND: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    let added: Vec<Value> =
        (0..150).map(|number| debian("CVE-2026-1", &format!("package-{number}"))).collect();
    let diff = json!({"added": added, "removed": null}).to_string();
    let asked = AtomicUsize::new(0);
    let server = FakeServer::start(move |seen: &Seen| {
        let listed = |name: &str| json!({"ref": name, "date": "2026-03-01T12:00:00Z"});
        match seen.path().trim_end_matches('/').rsplit('/').next() {
            Some("update_diff") => Reply::ok(diff.clone()),
            Some("update_operation") => Reply::ok(json!({DEBIAN: [listed(NEW), listed(OLD)]}).to_string()),
            _ => match asked.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::ok(json!({"vulnerable_manifests": {FIRST: []}}).to_string()),
                1 => Reply::status(503),
                _ => Reply::ok(json!({"vulnerable_manifests": {SECOND: []}}).to_string()),
            },
        }
    })
    .await;
    let (archive, clock) = (Arc::new(MemoryArchive::default()), Arc::new(ManualClock::default()));
    let feed = feed(&server.url(""), &archive, &clock);
    let mut cursors = vec![];
    for name in [OLD, NEW] {
        use cve_monitor_core::ports::ReportArchive as _;
        cursors.push(Cursor(archive.put(&place(name)).await.unwrap().to_string()));
    }
    let error = feed.candidates(&cursors[0], &cursors[1], None, 10).await.unwrap_err();
    assert!(matches!(error, FeedError::Transient(_)), "{error}");
    let page = feed.candidates(&cursors[0], &cursors[1], None, 10).await.unwrap();
    let found: BTreeSet<String> = page.items.into_iter().map(|key| key.0).collect();
    assert_eq!(found, keys([FIRST, SECOND]));
    assert_eq!(server.seen_at("affected_manifest/").len(), 3, "the first hundred once, the rest twice");
    assert_eq!(server.seen_at("update_diff").len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_diff_is_not_taken_for_one() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let to = bench.change(&start).await;
    let list = json!({DEBIAN: [
        {"ref": NEW, "date": "2026-03-01T12:00:00Z"}, {"ref": OLD, "date": "2026-03-01T12:00:00Z"},
    ]});
    let server = FakeServer::start(move |seen: &Seen| match seen.path().rsplit('/').next() {
        Some("update_operation") => Reply::ok(list.to_string()),
        _ => Reply::ok("<html>Please log in</html>").header("content-type", "text/html"),
    })
    .await;
    let feed = feed(&server.url(""), &bench.archive, &bench.clock);
    let error = feed.candidates(&start, &to, None, 10).await.unwrap_err();
    assert!(matches!(&error, FeedError::Transient(why) if why.contains("update_diff")), "{error}");
}
