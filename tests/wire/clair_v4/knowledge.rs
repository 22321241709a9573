//! What Clair knows: when that is enough, and when it changes under a report.

use std::time::Duration;

use cve_monitor_core::ports::{Readiness, Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::Generation;
use serde_json::{Map, Value, json};

use super::{Clair, OPERATIONS, REPORT, captured};
use crate::fake_server::Reply;

/// Operations of updaters: updater, number of the operation, minute of 07:00.
fn operations(list: &[(&str, u32, u32)]) -> Reply {
    let mut updaters: Map<String, Value> = Map::new();
    for (updater, number, minute) in list {
        let operation = json!({"ref": format!("00000000-0000-4000-8000-{number:012}"), "updater": updater,
                               "date": format!("2026-11-23T07:{minute:02}:00Z"), "kind": ""});
        let list = updaters.entry(*updater).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(operation);
    }
    Reply::ok(Value::Object(updaters).to_string())
}

const DEBIAN: (&str, u32, u32) = ("debian/updater", 1, 10);

#[tokio::test]
async fn no_operation_is_loading() {
    let clair = Clair::start().await;
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    for reply in [captured("operations-none"), Reply::ok("null"), Reply::ok(r#"{"debian/updater":null}"#)] {
        clair.on(OPERATIONS, [reply]);
        assert!(matches!(scanner.readiness().await, Ok(Readiness::Loading(_))));
        assert!(matches!(scanner.assess(&image, None).await, Err(ScannerError::Loading(_))));
    }
    clair.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert!(matches!(scanner.readiness().await, Ok(Readiness::Loading(_))), "not after a week either");
}

#[tokio::test]
async fn no_vulnerability_at_all_is_loading() {
    let clair = Clair::start().await;
    clair.on(REPORT, [captured("report-202")]);
    let answer = clair.scanner().await.assess(&clair.image().await.image, None).await;
    assert!(matches!(answer, Err(ScannerError::Loading(_))), "{answer:?}");
}

#[tokio::test]
async fn an_expected_updater_that_has_not_completed_is_loading_and_indexing_goes_on() {
    let clair = Clair::start().await;
    clair.on(OPERATIONS, [operations(&[("osv/go", 1, 50)])]);
    let (scanner, request) = (clair.scanner().await, clair.image().await);
    let Ok(Readiness::Loading(why)) = scanner.readiness().await else { panic!("ready") };
    assert!(why.contains("debian/updater"), "{why}");
    assert!(matches!(scanner.assess(&request.image, None).await, Err(ScannerError::Loading(_))));
    assert!(scanner.index(&request).await.is_ok());
    // From the deadline on it is not waited for, but the look is not complete without it.
    clair.clock.advance(Duration::from_secs(6 * 3600));
    let found = scanner.assess(&request.image, None).await.unwrap();
    let reasons: Vec<_> = found.completeness.reasons().map(ToString::to_string).collect();
    assert!(reasons.iter().any(|reason| reason.contains("debian:12")), "{reasons:?}");
}

#[tokio::test]
async fn a_second_look_at_an_image_costs_two_requests() {
    let clair = Clair::start().await;
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    scanner.assess(&image, None).await.unwrap();
    let before = clair.server.seen().len();
    scanner.assess(&image, None).await.unwrap();
    let asked: Vec<String> = clair.server.seen().into_iter().skip(before).map(|seen| seen.target).collect();
    let report = format!("/matcher/api/v1/vulnerability_report/{}", image.digest);
    let latest = "/matcher/api/v1/internal/update_operation?latest=true&kind=vulnerability".to_owned();
    assert_eq!(asked, [report, latest]);
}

#[tokio::test]
async fn a_report_is_made_again_where_an_operation_came_meanwhile() {
    let clair = Clair::start().await;
    let newer = operations(&[("debian/updater", 2, 20), DEBIAN]);
    clair.on(OPERATIONS, [operations(&[DEBIAN]), newer.clone(), newer]);
    let found = clair.scanner().await.assess(&clair.image().await.image, None).await.unwrap();
    assert_eq!(clair.asked(REPORT), 2);
    let changed = found.knowledge.last_changed.get("debian/updater").map(ToString::to_string);
    assert_eq!(changed.as_deref(), Some("2026-11-23T07:20:00.000Z"));
}

#[tokio::test]
async fn what_changes_under_every_report_is_left_for_later() {
    let clair = Clair::start().await;
    let ever_newer: Vec<Reply> =
        (1..40).map(|n| operations(&[("debian/updater", n, n), ("osv/go", 99, 1)])).collect();
    clair.on(OPERATIONS, ever_newer);
    let error = clair.scanner().await.assess(&clair.image().await.image, None).await.unwrap_err();
    assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
    assert_eq!(clair.asked(REPORT), 4);
}

#[tokio::test]
async fn a_change_that_clair_does_not_list_yet_is_behind() {
    let clair = Clair::start().await;
    clair.on(OPERATIONS, [operations(&[DEBIAN])]);
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    let Ok(Readiness::Ready(knowledge)) = scanner.readiness().await else { panic!("not ready") };
    let Some(Generation(known)) = knowledge.generation else { panic!("no generation") };
    assert!(scanner.assess(&image, Some(Generation(known))).await.is_ok());
    let later = Some(Generation(known + 60_000));
    assert_eq!(scanner.assess(&image, later).await.unwrap_err(), ScannerError::Behind);
    clair.on(OPERATIONS, [operations(&[("debian/updater", 2, 11), DEBIAN])]);
    assert!(scanner.assess(&image, later).await.is_ok());
}

#[tokio::test]
async fn a_database_that_was_emptied_is_loading_again() {
    let clair = Clair::start().await;
    clair.on(OPERATIONS, [operations(&[DEBIAN, ("osv/go", 2, 11)])]);
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    scanner.assess(&image, None).await.unwrap();
    clair.on(OPERATIONS, [captured("operations-none")]);
    assert!(matches!(scanner.assess(&image, None).await, Err(ScannerError::Loading(_))));
    assert!(matches!(scanner.readiness().await, Ok(Readiness::Loading(_))));
    // It fills again: the first updater of many makes nobody ready.
    clair.on(OPERATIONS, [operations(&[("osv/go", 3, 58)])]);
    assert!(matches!(scanner.assess(&image, None).await, Err(ScannerError::Loading(_))));
    clair.on(OPERATIONS, [operations(&[("osv/go", 3, 58), ("debian/updater", 4, 59)])]);
    assert!(scanner.assess(&image, None).await.is_ok());
}

#[tokio::test]
async fn a_list_in_which_every_latest_operation_is_new_is_still_the_same_database() {
    let clair = Clair::start().await;
    clair.on(OPERATIONS, [operations(&[DEBIAN])]);
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    scanner.assess(&image, None).await.unwrap();
    // An expected updater lost its operations: that alone is no new first load.
    let latest = operations(&[("osv/go", 7, 50)]);
    let all = operations(&[("osv/go", 7, 50), ("debian/updater", 1, 10)]);
    clair.on(OPERATIONS, [latest, all]);
    assert!(matches!(scanner.readiness().await, Ok(Readiness::Ready(_))));
}

#[tokio::test]
async fn an_endless_list_is_refused_and_the_image_waits_until_it_is_shorter() {
    const BOUND: usize = 64 * 1024 * 1024;
    let clair = Clair::start().await;
    let (scanner, image) = (clair.scanner().await, clair.image().await.image);
    let padded = |length: usize| {
        let list = r#"{"debian/updater":[{"ref":"00000000-0000-4000-8000-000000000001","date":"2026-11-23T07:10:00Z"}]}"#;
        Reply::ok(format!("{list}{}", " ".repeat(length - list.len())))
    };
    clair.on(OPERATIONS, [padded(BOUND)]);
    assert!(scanner.assess(&image, None).await.is_ok());
    clair.on(OPERATIONS, [padded(BOUND + 1)]);
    let error = scanner.assess(&image, None).await.unwrap_err();
    assert!(matches!(&error, ScannerError::Transient { .. }), "{error}");
    for words in ["longer than 67108864 bytes", "matcher.update_retention"] {
        assert!(error.to_string().contains(words), "{error}");
    }
}
