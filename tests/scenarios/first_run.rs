//! The example run against what another program computed for the same images and advisories.

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the example is a program of its own; here only its steps are used"
)]
#[path = "../../examples/first_run.rs"]
mod example;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use example::FirstRun;
use serde_json::Value;

/// CVE, binary package, installed version, fixed version, severity.
type Row = (String, String, String, Option<String>, String);

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn expected() -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(root().join("examples/expected.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(all["images"].clone()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn optional(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn expected_rows(image: &Value, state: &str) -> BTreeSet<Row> {
    let rows = image[state].as_array().unwrap();
    rows.iter()
        .map(|row| (text(&row[0]), text(&row[2]), text(&row[3]), optional(&row[4]), text(&row[5])))
        .collect()
}

fn found_rows(report: &Value) -> BTreeSet<Row> {
    let by_severity = report["Vulnerabilities"].as_object().unwrap();
    by_severity
        .values()
        .flat_map(|findings| findings.as_array().unwrap())
        .map(|f| {
            let severity = text(&f["Severity"]);
            (
                text(&f["Name"]),
                text(&f["FeatureName"]),
                text(&f["FeatureVersion"]),
                optional(&f["FixedBy"]),
                severity,
            )
        })
        .collect()
}

async fn compare(run: &FirstRun, state: &str) {
    let images = run.images().await.unwrap();
    let expected = expected();
    assert_eq!(images.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, image) in &images {
        assert_eq!(image.digest.as_str(), expected[name]["manifest"].as_str().unwrap(), "{name}");
        let report = run.report(image).await.unwrap();
        let (found, wanted) = (found_rows(&report), expected_rows(&expected[name], state));
        let missed: Vec<_> = wanted.difference(&found).collect();
        let invented: Vec<_> = found.difference(&wanted).collect();
        assert!(missed.is_empty() && invented.is_empty(), "{name}, {state}: {missed:?} {invented:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_finds_exactly_what_was_computed_and_reports_exactly_the_affected_images_again() {
    let work = tempfile::tempdir().unwrap();
    let run = FirstRun::set_up(root(), &work.path().join("run")).await.unwrap();
    run.advisories("first").await.unwrap();
    run.reconcile().await.unwrap();
    run.ingest().await;
    compare(&run, "first").await;
    let read = run.system.layer_bytes_read().expect("the scanner inside");
    assert!(read > 0);

    let followed = run.advisories("second").await.unwrap();
    assert_eq!((followed.changes, followed.gaps), (1, 0));
    let outcomes = run.ingest().await;
    compare(&run, "second").await;
    for (name, image) in run.images().await.unwrap() {
        let changed = expected()[&name]["changed"].as_bool().unwrap();
        assert_eq!(example::is_reported(&outcomes, &image), changed, "{name}");
    }
    assert_eq!(run.system.layer_bytes_read().expect("the scanner inside"), read, "a layer was read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_run_again_leaves_the_same_last_reports() {
    let mut runs = vec![];
    for _ in 0..2 {
        let work = tempfile::tempdir().unwrap();
        let run = FirstRun::set_up(root(), &work.path().join("run")).await.unwrap();
        for state in ["first", "second"] {
            run.advisories(state).await.unwrap();
            run.reconcile().await.unwrap();
            run.ingest().await;
        }
        let mut findings = BTreeMap::new();
        for (name, image) in run.images().await.unwrap() {
            let report = run.report(&image).await.unwrap();
            findings.insert(name, (report["Vulnerabilities"].clone(), report["AssessedAt"].clone()));
        }
        runs.push(findings);
    }
    assert_eq!(runs[0], runs[1]);
}
