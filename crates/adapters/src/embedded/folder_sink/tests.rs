//! What the conformance suite does not ask: names, bounds, and what a crash leaves behind.

use std::fs;
use std::path::Path;

use cve_monitor_core::ports::{ReportObject, ReportSink, SinkError};
use cve_monitor_core::scan::ReportId;
use cve_monitor_core::vocabulary::Timestamp;
use futures::future::join_all;
use tempfile::TempDir;

use super::{FolderSink, MAX_ID_BYTES, MAX_NAME_BYTES};

fn sink() -> (TempDir, FolderSink) {
    let root = tempfile::tempdir().unwrap();
    let sink = FolderSink::open(root.path()).unwrap();
    (root, sink)
}

fn report(id: &str, body: &str) -> ReportObject {
    let assessed = "2026-03-01T23:59:59.999Z".parse::<Timestamp>().unwrap();
    ReportObject { id: ReportId(id.to_owned()), assessed, body: body.as_bytes().to_vec() }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_report_is_one_line_in_the_folder_of_its_day_and_nothing_else_is_left_there() {
    let (root, sink) = sink();
    sink.deliver(&report("r1", "{}")).await.unwrap();
    let day = root.path().join("year=2026/month=03/day=01");
    assert_eq!(names(&day), ["r1.json"]);
    assert_eq!(fs::read_to_string(day.join("r1.json")).unwrap(), "{}\n");
}

#[tokio::test]
async fn what_a_crash_left_behind_is_no_report_and_in_nobodys_way() {
    let (root, sink) = sink();
    let day = root.path().join("year=2026/month=03/day=01");
    fs::create_dir_all(&day).unwrap();
    fs::write(day.join(".r1.Xy12Zz.tmp"), "{\"half").unwrap();
    sink.deliver(&report("r1", "{}")).await.unwrap();
    let reports: Vec<_> = names(&day).into_iter().filter(|name| name.ends_with(".json")).collect();
    assert_eq!(reports, ["r1.json"]);
}

#[tokio::test]
async fn many_deliveries_of_one_report_at_once_leave_one_file() {
    let (root, sink) = sink();
    let report = report("r1", &"x".repeat(200_000));
    let delivered = join_all((0..8).map(|_| sink.deliver(&report))).await;
    assert!(delivered.iter().all(Result::is_ok), "{delivered:?}");
    assert_eq!(names(&root.path().join("year=2026/month=03/day=01")), ["r1.json"]);
}

#[tokio::test]
async fn a_body_that_differs_only_in_its_last_byte_is_another_body() {
    let (_root, sink) = sink();
    let (one, other) = ("x".repeat(150_000), format!("{}y", "x".repeat(149_999)));
    sink.deliver(&report("r1", &one)).await.unwrap();
    assert_eq!(sink.deliver(&report("r1", &other)).await, Err(SinkError::Occupied("r1".to_owned())));
    assert_eq!(sink.deliver(&report("r1", "x")).await, Err(SinkError::Occupied("r1".to_owned())));
    assert_eq!(sink.deliver(&report("r1", &one)).await, Ok(()));
}

#[tokio::test]
async fn an_id_that_leads_out_of_the_folder_or_is_too_long_is_refused() {
    let (root, sink) = sink();
    let longest = "r".repeat(MAX_ID_BYTES);
    assert_eq!(sink.deliver(&report(&longest, "{}")).await, Ok(()));
    for id in ["", "../r", "a/b", "a.b", "a\\b", &format!("{longest}r")] {
        let refused = sink.deliver(&report(id, "{}")).await;
        assert!(matches!(refused, Err(SinkError::Permanent(_))), "{id}: {refused:?}");
    }
    let two_lines = sink.deliver(&report("r2", "{}\n{}")).await;
    assert!(matches!(two_lines, Err(SinkError::Permanent(_))));
    assert_eq!(names(&root.path().join("year=2026/month=03/day=01")).len(), 1);
}

#[test]
fn a_sink_has_a_folder_and_a_name_within_the_bound() {
    let (root, sink) = sink();
    assert_eq!(sink.name(), "folder");
    let longest = "n".repeat(MAX_NAME_BYTES);
    assert_eq!(FolderSink::named(&longest, root.path()).unwrap().name(), longest);
    for name in ["", &format!("{longest}n")] {
        assert!(matches!(FolderSink::named(name, root.path()), Err(SinkError::Permanent(_))));
    }
    let absent = FolderSink::open(root.path().join("absent")).unwrap_err().to_string();
    assert!(absent.contains("absent") && absent.contains("make it first"), "{absent}");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_tried_again_and_one_that_is_a_file_is_not() {
    let (root, sink) = sink();
    fs::remove_dir(root.path()).unwrap();
    assert!(matches!(sink.deliver(&report("r1", "{}")).await, Err(SinkError::Transient(_))));
    fs::create_dir(root.path()).unwrap();
    fs::write(root.path().join("year=2026"), "").unwrap();
    assert!(matches!(sink.deliver(&report("r1", "{}")).await, Err(SinkError::Permanent(_))));
}
