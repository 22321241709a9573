//! `ingest` and `notifier`, killed at random moments while images arrive and advisories change.
//!
//! `CVE_MONITOR_TEST_KILLS` says how often (20 if not given), `CVE_MONITOR_TEST_SEED` which moments.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Bench, Running, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");
const INGEST: &str = env!("CARGO_BIN_EXE_ingest");
const NOTIFIER: &str = env!("CARGO_BIN_EXE_notifier");
const RECONCILER: &str = env!("CARGO_BIN_EXE_reconciler");

const KILLS: u64 = 20;
const SEED: u64 = 7;
/// The longest that a process lives, in milliseconds.
const LONGEST_LIFE: u64 = 700;
const TAGS: [&str; 3] = ["debian-base", "distroless", "debian-node"];

/// Numbers that follow from a seed (Knuth's MMIX constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().unwrap())
}

fn json_lines(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a report says, apart from when and by which state of the advisories.
fn content(report: &Value) -> (Value, Value) {
    let by_severity = report["Vulnerabilities"].as_object().unwrap();
    let said = |f: &Value| {
        json!([f["Name"], f["FeatureName"], f["FeatureVersion"], f["FixedBy"], f["Severity"], f["Status"]])
    };
    let mut findings: Vec<String> =
        by_severity.values().flat_map(|all| all.as_array().unwrap()).map(|f| said(f).to_string()).collect();
    findings.sort();
    (json!(findings), report["Completeness"].clone())
}

fn start(bench: &Bench, program: &str) -> Running {
    bench.start(program, &[], "processes.log")
}

#[test]
fn whatever_is_killed_every_image_ends_with_its_reports_and_none_says_the_same_twice() {
    let bench = Bench::new(&format!("[watch]\nlisten = \"127.0.0.1:0\"\n{}", Bench::LAYOUT));
    let mut chance = Chance(number("CVE_MONITOR_TEST_SEED", SEED));
    let (mut ingest, mut notifier) = (start(&bench, INGEST), start(&bench, NOTIFIER));
    let mut entries = vec![];
    for kill in 0..number("CVE_MONITOR_TEST_KILLS", KILLS) {
        let tag = TAGS[usize::try_from(chance.below(3)).unwrap()];
        entries.push(bench.variant(tag, kill));
        bench.write_index(&entries);
        let reconciled = bench.run(RECONCILER, &["--once"]);
        assert!(reconciled.status.success(), "{}", String::from_utf8_lossy(&reconciled.stderr));
        if chance.below(3) == 0 {
            bench.advisories(if chance.below(2) == 0 { "first" } else { "second" });
        }
        std::thread::sleep(Duration::from_millis(chance.below(LONGEST_LIFE)));
        // Dropping kills with SIGKILL.
        if chance.below(2) == 0 {
            drop(ingest);
            ingest = start(&bench, INGEST);
        } else {
            drop(notifier);
            notifier = start(&bench, NOTIFIER);
        }
    }
    bench.advisories("second");
    drop(notifier);
    notifier = start(&bench, NOTIFIER);
    let wanted = expected(&bench);
    assert_eq!(wanted.len(), entries.len());
    until("every image has its last report", || latest(&bench) == wanted);
    until("every lane is empty", || {
        let lanes = json_lines(&bench.run(PROGRAM, &["queue", "stats", "--format", "json"]).stdout);
        lanes.iter().all(|lane| lane["ready"] == 0 && lane["leased"] == 0)
    });
    assert_eq!(latest(&bench), wanted, "what came after the last reports changed nothing");
    assert_eq!((ingest.stop(), notifier.stop()), (Some(0), Some(0)));
    assert_series(&bench);
    assert!(
        bench.run(PROGRAM, &["queue", "dead", "--format", "json"]).stdout.is_empty(),
        "nothing was given up"
    );
}

type Contents = BTreeMap<String, (Value, Value)>;

/// What a scan by itself says of the same images and advisories.
fn expected(bench: &Bench) -> Contents {
    let layout = format!("oci:{}", bench.path("layout").display());
    let source = bench.path("source").display().to_string();
    let scanned = bench.run(PROGRAM, &["scan", "--format", "json", "--advisories", &source, &layout]);
    let digest = |report: &Value| report["ImageDigest"].as_str().unwrap().to_owned();
    json_lines(&scanned.stdout).iter().map(|report| (digest(report), content(report))).collect()
}

/// The reports of each image in their order: each names the one before it.
fn series(bench: &Bench) -> BTreeMap<String, Vec<Value>> {
    let mut after: BTreeMap<(String, Option<String>), Vec<Value>> = BTreeMap::new();
    for report in bench.reports() {
        let key = (
            report["ImageDigest"].as_str().unwrap().to_owned(),
            report["PreviousReportId"].as_str().map(str::to_owned),
        );
        after.entry(key).or_default().push(report);
    }
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let images: Vec<String> = after.keys().map(|(image, _)| image.clone()).collect();
    for image in images {
        let mut previous = None;
        while let Some(mut next) = after.remove(&(image.clone(), previous.clone())) {
            assert_eq!(next.len(), 1, "two reports of {image} follow the same one");
            let next = next.remove(0);
            previous = next["ReportId"].as_str().map(str::to_owned);
            all.entry(image.clone()).or_default().push(next);
        }
    }
    // A report whose predecessor is still on its way is no series yet.
    if !after.is_empty() {
        all.clear();
    }
    all
}

fn latest(bench: &Bench) -> Contents {
    series(bench).into_iter().filter_map(|(image, all)| Some((image, content(all.last()?)))).collect()
}

fn assert_series(bench: &Bench) {
    for (image, all) in series(bench) {
        for pair in all.windows(2) {
            assert_ne!(content(&pair[0]), content(&pair[1]), "two reports of {image} in a row say the same");
        }
    }
}
