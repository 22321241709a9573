//! The first report of an image, held against that of the embedded scanner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cve_monitor_core::pipeline::Outcome;
use cve_monitor_core::scan::Due;
use serde_json::Value;

use super::data::State;
use super::running::Running;
use crate::root;
use crate::stage::{Row, names};

/// What Clair reads of the examples.
const READ: [&str; 3] = ["debian-node", "debian-python", "distroless"];
/// What it does not read: a package database without the folder beside its list.
const UNREAD: &str = "debian-base";

pub(super) async fn what_is_read_waits_for_the_advisories_and_then_gets_the_report_of_the_embedded_scanner(
    programs: PathBuf,
) {
    let images = [READ[0], READ[1], READ[2], UNREAD];
    let running = Running::empty(&programs, &images).await;
    running.stage.reconcile().await;
    let waiting = running.stage.ingest().await;
    for image in images {
        let is_waiting =
            matches!(waiting.outcomes[image][..], [Outcome::Waiting { until: Due::ScannerReady, .. }]);
        assert!(is_waiting, "{image}: {:?}", waiting.outcomes[image]);
        assert_eq!(
            running.reports(image).await,
            0,
            "{image}: nothing is said before the advisories are there"
        );
    }
    let (indexing, before) = running.requests(0);
    assert_eq!(indexing["POST /indexer/api/v1/index_report"], images.len(), "loading hinders no reading");

    running.import(&State::of("first"));
    let worked = running.stage.wake().await;
    assert_eq!(worked.reported, names(images));
    let (assessing, _) = running.requests(before);
    println!("requests of {} first scans: reading {indexing:?}, then judging {assessing:?}", images.len());
    assert!(!assessing.contains_key("POST /indexer/api/v1/index_report"), "nothing is read twice");

    for image in READ {
        compare(&running, image).await;
    }
    let unread = running.stage.report(&running.stage.image(UNREAD).await).await;
    assert_eq!(unread["Verdict"], "unknown", "no package read is not clean");
    println!("{UNREAD}: nothing found, verdict {}, because {}", unread["Verdict"], unread["Completeness"]);
}

/// The same vulnerabilities in the same packages, with the same fixes: both were given the same advisories.
async fn compare(running: &Running, image: &str) {
    let found = running.stage.rows(&running.stage.image(image).await).await;
    let wanted = embedded(image);
    assert_eq!(without_severity(&found), without_severity(&wanted), "{image}");
    let severity = |rows: &BTreeSet<Row>| -> BTreeMap<(String, String), String> {
        let keyed =
            rows.iter().map(|row| ((row.vulnerability.clone(), row.package.clone()), row.severity.clone()));
        keyed.collect()
    };
    let (clair, ours) = (severity(&found), severity(&wanted));
    let mut differences: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (key, severity) in &clair {
        *differences.entry((&ours[key], severity)).or_default() += 1;
    }
    println!("{image}: {} findings by both; severity (embedded, Clair): {differences:?}", found.len());
}

fn without_severity(rows: &BTreeSet<Row>) -> BTreeSet<Row> {
    rows.iter().map(|row| Row { severity: String::new(), ..row.clone() }).collect()
}

/// What the embedded scanner finds with the same advisories: `examples/expected.json`, to which it is held elsewhere.
fn embedded(image: &str) -> BTreeSet<Row> {
    let text = std::fs::read_to_string(root().join("examples/expected.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let rows = all["images"][image]["first"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| Row {
            vulnerability: text(&row[0]),
            package: text(&row[2]),
            version: text(&row[3]),
            fixed: row[4].as_str().map(str::to_owned),
            severity: text(&row[5]),
        })
        .collect()
}
