//! Beyond the laws: whole releases, lines that began anew, pages.

use std::collections::BTreeSet;

use cve_monitor_core::ports::{ChangeFeed as _, Cursor, FeedError, Next};
use cve_monitor_core::vocabulary::{Generation, LayerKey, PageToken};

use crate::embedded::scanner::fixture::{Bench, layer};

async fn start(bench: &Bench) -> Cursor {
    bench.advise("CVE-2026-0", "base", "1");
    bench.refresh().await;
    match bench.feed().next(None).await {
        Ok(Next::Gap { to, scope, .. }) if scope == "everything" => to,
        other => panic!("{other:?}"),
    }
}

async fn step(bench: &Bench, from: &Cursor) -> Cursor {
    match bench.feed().next(Some(from.clone())).await {
        Ok(Next::Change { to, .. }) => to,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_release_that_comes_or_goes_is_a_gap_that_names_it_and_the_next_step_is_a_change_again() {
    let bench = Bench::new();
    assert_eq!(bench.feed().next(None).await, Ok(Next::UpToDate));
    let first = start(&bench).await;
    bench.advise_for("Debian:13", "CVE-2026-1", "openssl", "3");
    bench.refresh().await;
    bench.advise("CVE-2026-2", "openssl", "3");
    bench.refresh().await;
    let Ok(Next::Gap { to, scope, generation }) = bench.feed().next(Some(first)).await else {
        panic!("no gap")
    };
    assert_eq!((scope.as_str(), generation), ("Debian:13", Generation(2)));
    let end = step(&bench, &to).await;
    bench.retract("CVE-2026-1");
    bench.refresh().await;
    let gone = bench.feed().next(Some(end)).await;
    assert!(matches!(&gone, Ok(Next::Gap { scope, .. }) if scope == "Debian:13"), "{gone:?}");
}

#[tokio::test]
async fn a_line_that_began_anew_is_a_gap_and_so_is_a_cursor_that_nobody_knows() {
    let bench = Bench::new();
    let first = start(&bench).await;
    std::fs::remove_file(bench.store.status().await.unwrap().unwrap().path).unwrap();
    bench.refresh().await;
    for unknown in
        [first, Cursor(String::new()), Cursor("7".to_owned()), Cursor(format!("9-{}", "0a".repeat(32)))]
    {
        let next = bench.feed().next(Some(unknown.clone())).await;
        let Ok(Next::Gap { to, generation, .. }) = next else { panic!("{unknown:?}: {next:?}") };
        assert_eq!(generation, Generation(2));
        assert_eq!(bench.feed().next(Some(to)).await, Ok(Next::UpToDate));
    }
}

#[tokio::test]
async fn candidates_are_the_layers_with_a_changed_package_each_once_whatever_the_pages() {
    let bench = Bench::new();
    let from = start(&bench).await;
    let mut expected = BTreeSet::new();
    for n in 0..7 {
        let version = format!("1.{n}");
        let both = layer(&[("openssl", &version), ("zlib", &version)]);
        let other = layer(&[("bash", &version)]);
        let request = bench.indexed(&[both, other]).await;
        expected.insert(LayerKey(request.manifest.layers[0].digest.to_string()));
    }
    for package in ["openssl", "zlib", "held-by-no-layer"] {
        bench.advise(&format!("CVE-2026-{package}"), package, "2");
    }
    bench.refresh().await;
    let to = step(&bench, &from).await;
    for limit in [0, 1, 3, 7, 8, usize::MAX] {
        let (mut keys, mut after): (Vec<LayerKey>, Option<PageToken>) = (vec![], None);
        loop {
            // A new feed each time: tokens outlive the process.
            let page = bench.feed().candidates(&from, &to, after, limit).await.unwrap();
            assert!(page.items.len() <= limit.max(1));
            keys.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(keys.len(), expected.len(), "limit {limit}");
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), expected);
    }
    let foreign = bench.feed().candidates(&from, &to, Some(PageToken("x".to_owned())), 1).await;
    assert!(matches!(foreign, Err(FeedError::Permanent(_))), "{foreign:?}");
}

#[tokio::test]
async fn what_was_followed_is_thrown_away_and_no_longer_names_candidates() {
    let bench = Bench::new();
    let feed = bench.feed();
    let first = start(&bench).await;
    bench.indexed(&[layer(&[("openssl", "1")])]).await;
    bench.advise("CVE-2026-1", "openssl", "3");
    bench.refresh().await;
    let second = step(&bench, &first).await;
    assert_eq!(feed.candidates(&first, &second, None, 10).await.unwrap().items.len(), 1);
    // Of a cursor that nobody knows nothing follows.
    feed.followed(&Cursor("unknown".to_owned())).await.unwrap();
    assert_eq!(feed.candidates(&first, &second, None, 10).await.unwrap().items.len(), 1);
    feed.followed(&second).await.unwrap();
    let lost = feed.candidates(&first, &second, None, 10).await;
    assert_eq!(lost, Err(FeedError::Forgotten(first.0.clone())));
    assert_eq!(feed.next(Some(second)).await, Ok(Next::UpToDate));
}
