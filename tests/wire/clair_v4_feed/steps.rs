//! From one place to the next: what is listed, what is gone, what comes late.

use cve_monitor_core::ports::ChangeFeed as _;
use cve_monitor_core::vocabulary::Generation;
use cve_monitor_tests::fakes::clair_v4::Fault;

use super::*;

#[tokio::test]
async fn two_operations_between_two_polls_are_both_passed_through() {
    let bench = Bench::new().await;
    let image = bench.index("debian:openssl:3.0").await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    // Brought and taken back before anybody looks: an image that was assessed in between has seen it.
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    bench.update(DEBIAN, vec![]);
    let first = bench.change(&start).await;
    assert_eq!(bench.candidates(&start, &first).await, Ok(keys([&image])));
    bench.feed.followed(&first).await.unwrap();
    let second = bench.change(&first).await;
    assert_eq!(bench.candidates(&first, &second).await, Ok(keys([&image])));
    assert_eq!(bench.next(Some(&second)).await, Ok(Next::UpToDate));
}

#[tokio::test]
async fn a_place_that_clair_has_collected_is_a_gap_of_that_updater() {
    let bench = Bench::new().await;
    let old = bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    bench.update("osv/go", vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-2", "openssl")]);
    let middle = bench.change(&start).await;
    bench.update(DEBIAN, vec![]);
    bench.clair.collect(&[&old]);
    assert_eq!(bench.candidates(&start, &middle).await, Err(FeedError::Forgotten(DEBIAN.to_owned())));
    // The diff was not even asked for: Clair would have answered 500, as it does for a database that is away.
    assert_eq!(bench.requests("update_diff"), 0);
    let (to, scope) = bench.gap(&start).await;
    assert_eq!(scope, DEBIAN);
    assert_eq!(bench.next(Some(&to)).await, Ok(Next::UpToDate));
}

#[tokio::test]
async fn an_operation_that_began_earlier_and_ended_late_is_not_hidden() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    bench.update("osv/go", vec![]);
    let start = bench.followed().await;
    bench.update("osv/go", vec![debian("CVE-2026-1", "openssl")]);
    let first = bench.change(&start).await;
    // Its number is below the newest: the validator of the list stays the same.
    bench.clair.update_late(DEBIAN, "2026-03-01T12:00:03Z", vec![debian("CVE-2026-2", "openssl")]);
    let second = bench.change(&first).await;
    assert_eq!(bench.next(Some(&second)).await, Ok(Next::UpToDate));
}

#[tokio::test]
async fn an_updater_that_vanishes_keeps_its_place_and_hinders_nobody() {
    let bench = Bench::new().await;
    bench.update("osv/go", vec![]);
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.clair.remove_updater("osv/go");
    assert_eq!(bench.next(Some(&start)).await, Ok(Next::UpToDate));
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let first = bench.change(&start).await;
    bench.update("osv/go", vec![]);
    let (to, scope) = bench.gap(&first).await;
    assert_eq!(scope, "osv/go", "it came back with nothing that we know");
    assert_eq!(bench.next(Some(&to)).await, Ok(Next::UpToDate));
}

#[tokio::test]
async fn what_was_followed_is_never_ahead_of_what_clair_knows_although_its_newest_updater_vanished() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let known = Generation(u64::try_from(bench.clock.now().as_millis()).unwrap());
    bench.update("osv/go", vec![]);
    let start = bench.followed().await;
    bench.clair.remove_updater("osv/go");
    let Ok(Next::Change { to, generation }) = bench.next(Some(&start)).await else { panic!("no change") };
    assert_eq!(generation, known);
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([])));
    assert_eq!(bench.next(Some(&to)).await, Ok(Next::UpToDate));
}

#[tokio::test]
async fn updaters_that_are_new_join_in_one_gap() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update("osv/go", vec![]);
    bench.update("osv/npm", vec![]);
    assert_eq!(bench.gap(&start).await.1, "osv/go, osv/npm");
}

#[tokio::test]
async fn a_clair_that_was_emptied_is_no_change_and_then_a_gap() {
    let bench = Bench::new().await;
    assert_eq!(bench.next(None).await, Ok(Next::UpToDate), "nothing is known yet");
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let start = bench.followed().await;
    bench.clair.empty();
    assert_eq!(bench.next(Some(&start)).await, Ok(Next::UpToDate));
    bench.update(DEBIAN, vec![]);
    assert_eq!(bench.gap(&start).await.1, DEBIAN);
}

#[tokio::test]
async fn a_restart_goes_on_from_the_cursor_and_waits_again_until_what_it_sees_has_settled() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    bench.feed.next(Some(start.clone())).await.unwrap();
    bench.clock.advance(SETTLE);
    let again = bench.restarted();
    assert_eq!(again.next(Some(start.clone())).await, Ok(Next::UpToDate));
    bench.clock.advance(SETTLE);
    let expected = bench.feed.next(Some(start.clone())).await.unwrap();
    assert!(matches!(expected, Next::Change { .. }), "{expected:?}");
    assert_eq!(again.next(Some(start)).await, Ok(expected));
}

#[tokio::test]
async fn a_cursor_whose_document_is_lost_or_damaged_is_a_gap_of_everything() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    let lost = Cursor(Digest::of(b"never put").to_string());
    assert_eq!(bench.gap(&lost).await.1, "everything");
    assert!(bench.archive.damage(&start.0.parse().unwrap()));
    assert_eq!(bench.gap(&start).await.1, "everything");
    assert_eq!(bench.gap(&Cursor("of another feed".to_owned())).await.1, "everything");
}

#[tokio::test]
async fn documents_that_are_left_behind_do_not_pile_up() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let mut cursor = bench.followed().await;
    for number in 0..5 {
        bench.update(DEBIAN, vec![debian(&format!("CVE-2026-{number}"), "openssl")]);
        cursor = bench.change(&cursor).await;
        bench.feed.followed(&cursor).await.unwrap();
        assert_eq!(bench.archive.len(), 1);
    }
}

#[tokio::test]
async fn a_generation_is_what_an_assessment_after_the_change_knows_at_least() {
    let bench = Bench::new().await;
    bench.update("osv/go", vec![]);
    let start = bench.followed().await;
    bench.clair.update(DEBIAN, "2026-02-01T00:00:00Z", vec![]);
    let Ok(Next::Gap { to, generation: before, .. }) = bench.next(Some(&start)).await else {
        panic!("no gap")
    };
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let at = Generation(u64::try_from(bench.clock.now().as_millis()).unwrap());
    let Ok(Next::Change { generation, .. }) = bench.next(Some(&to)).await else { panic!("no change") };
    assert_eq!(generation, at);
    assert!(before < generation && before > Generation(1_769_900_400_000), "the other updater's is newer");
}

#[tokio::test]
async fn a_list_that_is_cut_or_refused_is_no_list() {
    let bench = Bench::new().await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    for (fault, is_transient) in [
        (Fault::CutAfter(20), true),
        (Fault::Status(500), true),
        (Fault::Status(429), true),
        (Fault::Status(503), true),
        (Fault::Status(401), false),
        (Fault::Status(404), false),
    ] {
        bench.clair.fail("update_operation", 1, fault.clone());
        let error = bench.feed.next(Some(start.clone())).await.unwrap_err();
        assert_eq!(matches!(error, FeedError::Transient(_)), is_transient, "{fault:?}: {error}");
        assert_eq!(matches!(error, FeedError::Permanent(_)), !is_transient, "{fault:?}: {error}");
    }
    assert_eq!(bench.next(Some(&start)).await, Ok(Next::UpToDate));
}
