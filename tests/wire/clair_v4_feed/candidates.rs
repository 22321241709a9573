//! Which images a change may concern: what Clair's indexer is asked, and what it answers.

use cve_monitor_adapters::clair::v4::bounds::MAX_ATTEMPTS;
use cve_monitor_core::vocabulary::PageToken;
use cve_monitor_tests::fakes::clair_v4::{Fault, language_vulnerability};

use super::*;

/// A change of which Clair has to be asked what it concerns; with the image that it concerns.
async fn a_change(bench: &Bench) -> (Cursor, Cursor, String) {
    let image = bench.index("debian:openssl:3.0").await;
    bench.index("debian:zlib:1.2").await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let to = bench.change(&start).await;
    (start, to, image)
}

#[tokio::test]
async fn a_change_names_the_manifests_that_hold_the_package_and_no_others() {
    let bench = Bench::new().await;
    let (start, to, image) = a_change(&bench).await;
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([&image])));
    assert!(!bench.clair.requests().contains(&"POST /indexer/api/v1/internal/affected_manifest".to_owned()));
}

#[tokio::test]
async fn a_distribution_is_asked_for_as_the_scanners_write_it() {
    let bench = Bench::new().await;
    let image = bench.index("debian:openssl:3.0").await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    let mut sparse = debian("CVE-2026-1", "openssl");
    // Reports match it; the indexer looks for every member.
    for member in ["pretty_name", "version_code_name"] {
        sparse["distribution"][member] = json!("");
    }
    bench.update(DEBIAN, vec![sparse]);
    let to = bench.change(&start).await;
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([&image])));
}

#[tokio::test]
async fn a_package_of_python_is_asked_for_at_the_address_that_the_scanner_writes() {
    let bench = Bench::new().await;
    let image = bench.index("pypi:flask:1.0").await;
    bench.update("osv/pypi", vec![]);
    let start = bench.followed().await;
    let mut advisory = language_vulnerability("pypi", "CVE-2026-1", "flask", "");
    advisory["repository"]["uri"] = json!("https://pypi.org/");
    bench.update("osv/pypi", vec![advisory]);
    let to = bench.change(&start).await;
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([&image])));
}

#[tokio::test]
async fn what_clair_cannot_look_up_is_named_by_package_and_by_ecosystem() {
    let bench = Bench::new().await;
    bench.index("go:golang.org/x/text:v0.3.6").await;
    bench.update("osv/go", vec![]);
    let start = bench.followed().await;
    bench.update("osv/go", vec![language_vulnerability("go", "GO-2026-1", "golang.org/x/text", "")]);
    let to = bench.change(&start).await;
    let expected = keys(["package:go:*", "package:go:golang.org/x/text"]);
    assert_eq!(bench.candidates(&start, &to).await, Ok(expected));
    assert_eq!(bench.requests("affected_manifest"), 0);
}

#[tokio::test]
async fn a_change_of_no_known_ecosystem_concerns_everything() {
    let bench = Bench::new().await;
    bench.update("somebodys-own", vec![]);
    let start = bench.followed().await;
    let mut advisory = language_vulnerability("go", "X-1", "a-package", "");
    advisory["repository"] = json!({"name": "somebodys-own", "cpe": ""});
    bench.update("somebodys-own", vec![advisory]);
    let to = bench.change(&start).await;
    let forgotten = FeedError::Forgotten("somebodys-own".to_owned());
    assert_eq!(bench.candidates(&start, &to).await, Err(forgotten));
}

#[tokio::test]
async fn pages_come_from_one_answer_and_resume_in_another_process() {
    let bench = Bench::new().await;
    let mut images = BTreeSet::new();
    for version in 0..5 {
        images.insert(bench.index(&format!("debian:openssl:{version}")).await);
    }
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian("CVE-2026-1", "openssl")]);
    let to = bench.change(&start).await;
    let (mut found, mut after): (Vec<String>, Option<PageToken>) = (vec![], None);
    loop {
        let page = bench.feed.candidates(&start, &to, after.clone(), 2).await.unwrap();
        assert_eq!(bench.restarted().candidates(&start, &to, after, 2).await, Ok(page.clone()));
        found.extend(page.items.into_iter().map(|key| key.0));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, images.into_iter().collect::<Vec<_>>());
    // Once here for three pages, and once in each of three other processes.
    assert_eq!(bench.requests("update_diff"), 4);
}

/// Lets time pass whenever somebody waits for it.
async fn while_time_passes<T>(bench: &Bench, work: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if let Some(wake) = bench.clock.next_wake() {
                bench.clock.set(wake);
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = passing => unreachable!("time does not end"),
    }
}

#[tokio::test]
async fn a_clair_without_room_is_asked_again_later_and_not_for_ever() {
    let bench = Bench::new().await;
    let (start, to, image) = a_change(&bench).await;
    let before = bench.clock.now();
    bench.clair.fail("affected_manifest", MAX_ATTEMPTS as usize - 1, Fault::Status(429));
    let answer = while_time_passes(&bench, bench.candidates(&start, &to)).await;
    assert_eq!(answer, Ok(keys([&image])));
    assert_eq!(bench.clock.now().since(before), Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32));

    let bench = Bench::new().await;
    let (start, to, _) = a_change(&bench).await;
    bench.clair.fail("affected_manifest", usize::MAX, Fault::Status(429));
    let error = while_time_passes(&bench, bench.candidates(&start, &to)).await.unwrap_err();
    assert!(matches!(error, FeedError::Transient(_)), "{error}");
    assert_eq!(bench.requests("affected_manifest"), MAX_ATTEMPTS as usize);
}

#[tokio::test]
async fn a_question_that_clair_cannot_answer_is_asked_about_any_version() {
    let bench = Bench::new().await;
    bench.index("debian:openssl:3.0").await;
    let fixed = bench.index("debian:openssl:3.1").await;
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    bench.update(DEBIAN, vec![debian_vulnerability("CVE-2026-1", "openssl", "3.1")]);
    let to = bench.change(&start).await;
    // As for a version that is none: "upstream_version must start with digit".
    bench.clair.fail("affected_manifest", 1, Fault::Status(500));
    let found = bench.candidates(&start, &to).await.unwrap();
    assert!(found.len() == 2 && found.contains(&fixed), "wider than needed: {found:?}");
}

#[tokio::test]
async fn what_clair_cannot_answer_at_all_concerns_everything_unless_it_is_in_trouble() {
    let bench = Bench::new().await;
    let (start, to, image) = a_change(&bench).await;
    // Neither the questions nor the wider ones, but one that nothing is wrong with.
    bench.clair.fail("affected_manifest", 2, Fault::Status(500));
    assert_eq!(bench.candidates(&start, &to).await, Err(FeedError::Forgotten(DEBIAN.to_owned())));
    // Not that one either.
    bench.clair.fail("affected_manifest", 3, Fault::Status(500));
    let error = bench.candidates(&start, &to).await.unwrap_err();
    assert!(matches!(error, FeedError::Transient(_)), "{error}");
    bench.clair.fail("affected_manifest", 1, Fault::CutAfter(10));
    let error = bench.candidates(&start, &to).await.unwrap_err();
    assert!(matches!(error, FeedError::Transient(_)), "{error}");
    assert_eq!(bench.candidates(&start, &to).await, Ok(keys([&image])));
}

#[tokio::test]
async fn a_request_that_is_too_long_for_a_proxy_is_asked_in_parts() {
    let bench = Bench::new().await;
    let mut images = BTreeSet::new();
    for package in ["openssl", "zlib", "glibc"] {
        images.insert(bench.index(&format!("debian:{package}:1")).await);
    }
    bench.update(DEBIAN, vec![]);
    let start = bench.followed().await;
    let advisories = ["openssl", "zlib", "glibc"].map(|package| debian("CVE-2026-1", package));
    bench.update(DEBIAN, advisories.to_vec());
    let to = bench.change(&start).await;
    bench.clair.fail("affected_manifest", 1, Fault::Status(413));
    assert_eq!(bench.candidates(&start, &to).await, Ok(images));
    assert_eq!(bench.requests("affected_manifest"), 3, "all three, then one and two");
    // One question alone cannot be split.
    let fresh = bench.restarted();
    bench.clair.fail("affected_manifest", 2, Fault::Status(413));
    let error = fresh.candidates(&start, &to, None, 10).await.unwrap_err();
    assert_eq!(error, FeedError::Forgotten(DEBIAN.to_owned()));
}
