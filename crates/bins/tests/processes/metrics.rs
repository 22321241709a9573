//! The numbers that running programs serve and print, held against the catalogue; and whether they say that they are alive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cve_monitor_bins::runtime::metrics::catalogue::{CATALOGUE, Kind, Metric, Program, Unit};
use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

use crate::bench::{Bench, ask, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");
const INGEST: &str = env!("CARGO_BIN_EXE_ingest");
const NOTIFIER: &str = env!("CARGO_BIN_EXE_notifier");
const RECONCILER: &str = env!("CARGO_BIN_EXE_reconciler");

const TOLD: &str = "[metrics]\ncloudwatch = true\nnamespace = \"cve-monitor/test\"\n";
const ASKED: &str = "[watch]\nlisten = \"127.0.0.1:0\"\n[health]\nlisten = \"127.0.0.1:0\"\n";
/// A registry that nobody serves.
const AWAY: &str = "[[registry]]\nname = \"127.0.0.1:9\"\ninsecure = true\n";
/// The layout under another name.
const OTHER: &str =
    "[[registry]]\nname = \"other\"\nkind = \"oci-layout\"\npath = \"layout\"\nrepository = \"images\"\n";

/// A queue with a good image, one whose manifest is damaged, and one of a registry that is configured no more; and a registry
/// that does not answer.
fn bench() -> Bench {
    let bench = Bench::new(&format!("{}{OTHER}", Bench::LAYOUT));
    let damaged = Digest::of(b"what it should be");
    fs::write(bench.path("layout/blobs/sha256").join(damaged.hex()), b"what it is not").unwrap();
    let good = Bench::example("distroless");
    let damaged = json!({ "mediaType": good["mediaType"], "digest": damaged.to_string(), "size": 14 });
    bench.write_index(&[good, damaged]);
    let queued = bench.run(PROGRAM, &["reconcile"]);
    assert!(queued.status.success(), "{queued:?}");
    bench.configure(&format!("{ASKED}{TOLD}{}{AWAY}", Bench::LAYOUT));
    bench
}

fn of(programs: &[Program]) -> BTreeMap<&'static str, &'static Metric> {
    let told = CATALOGUE.iter().filter(|metric| metric.by.iter().any(|by| programs.contains(by)));
    told.map(|metric| (metric.name, *metric)).collect()
}

/// The families of an exposition with their samples, each a value by its labels; help and type must be the catalogue's.
fn served(text: &str) -> BTreeMap<String, Vec<(Vec<String>, f64)>> {
    let mut families = BTreeMap::<String, Vec<_>>::new();
    let (mut help, mut kind) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            rest.clone_into(&mut help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            rest.clone_into(&mut kind);
            let name = kind.split(' ').next().unwrap().to_owned();
            let metric =
                CATALOGUE.iter().find(|metric| metric.name == name).expect("a metric of the catalogue");
            let word = if metric.kind == Kind::Counter { "counter" } else { "gauge" };
            assert_eq!((&*kind, &*help), (&*format!("{name} {word}"), &*format!("{name} {}", metric.help)));
            assert!(families.insert(name, vec![]).is_none(), "twice: {kind}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty());
            let labels = labels.map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect();
            families.get_mut(name).expect("its type came before").push((labels, value.parse().unwrap()));
        }
    }
    families
}

/// The metrics of a line for CloudWatch with their values, the line held against the format's specification (October 2025).
fn printed(line: &str, program: &str) -> Vec<(String, Vec<String>, f64)> {
    assert!(line.len() <= 16 * 1024, "the log driver divides longer lines");
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(line["program"], program);
    assert!(line["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000, "milliseconds: {line}");
    let [directive] = line["_aws"]["CloudWatchMetrics"].as_array().unwrap().as_slice() else {
        panic!("{line}")
    };
    assert_eq!(directive["Namespace"], "cve-monitor/test");
    let sets = directive["Dimensions"].as_array().unwrap();
    let sets: Vec<Vec<&str>> = sets
        .iter()
        .map(|set| set.as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect())
        .collect();
    assert!(!sets.is_empty() && sets.iter().all(|set| set.len() <= 30), "{line}");
    for dimension in sets.iter().flatten() {
        let value = line[dimension].as_str().expect("a dimension is a text of the line");
        assert!((1..=1024).contains(&value.len()) && value.is_ascii(), "{line}");
    }
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!((1..=100).contains(&metrics.len()), "{line}");
    let told = metrics.iter().map(|metric| {
        let name = metric["Name"].as_str().unwrap();
        let unit = match CATALOGUE.iter().find(|known| known.name == name).expect("of the catalogue").unit {
            Unit::Count => "Count",
            Unit::Seconds => "Seconds",
            Unit::Bytes => "Bytes",
            Unit::Ratio => "None",
        };
        assert_eq!(metric["Unit"], unit);
        let dimensions = sets.last().unwrap().iter().skip(1).map(|d| (*d).to_owned()).collect();
        (name.to_owned(), dimensions, line[name].as_f64().expect("a number of the line"))
    });
    told.collect()
}

/// Runs a program until it serves all that is declared of it, and holds what it serves and prints against the catalogue.
fn hold(program: &str, arguments: &[&str], name: &str, does: &[Program]) {
    let (bench, declared) = (bench(), of(does));
    let running = bench.start(program, arguments, "log");
    let address = bench.address("log");
    let mut text = String::new();
    until("everything that is declared is served, and every kind of thing counted", || {
        let (status, answer) = ask(&address, "GET", "/metrics", "", "");
        assert!(status == 200 && answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        text = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        let families = served(&text);
        let counted = families.iter().all(|(name, series)| {
            // What has labels is printed only once it was counted.
            let labelled = name.ends_with("_total") && !declared[name.as_str()].labels.is_empty();
            !labelled || series.iter().any(|(_, value)| *value > 0.0)
        });
        counted && families.len() == declared.len()
    });
    for (name, series) in served(&text) {
        let metric = declared.get(name.as_str()).unwrap_or_else(|| panic!("{name} is another program's"));
        assert!(!series.is_empty() && series.iter().all(|(labels, _)| *labels == metric.labels), "{name}");
    }
    assert_eq!(running.stop(), Some(0), "{}", bench.log("log"));
    let output = bench.log("log.out");
    let mut told = BTreeSet::new();
    for (metric, labels, value) in output.lines().flat_map(|line| printed(line, name)) {
        assert_eq!(declared[metric.as_str()].labels, labels, "{metric}");
        assert!(value.is_finite() && value >= 0.0, "{metric}");
        told.insert(metric);
    }
    let declared: BTreeSet<String> = declared.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(told, declared, "{output}");
}

#[test]
fn ingest_serves_and_prints_what_is_declared_of_it() {
    hold(INGEST, &[], "ingest", &[Program::Ingest]);
}

#[test]
fn the_notifier_serves_and_prints_what_is_declared_of_it() {
    hold(NOTIFIER, &[], "notifier", &[Program::Notifier]);
}

#[test]
fn the_reconciler_serves_and_prints_what_is_declared_of_it() {
    hold(RECONCILER, &["--every", "1h"], "reconciler", &[Program::Reconciler]);
}

#[test]
fn watch_serves_and_prints_everything() {
    hold(PROGRAM, &["watch"], "watch", &[Program::Ingest, Program::Notifier, Program::Reconciler]);
}

#[test]
fn a_single_round_prints_its_numbers_at_its_end_and_only_when_they_are_wanted() {
    let bench = bench();
    let told = |output: &std::process::Output| {
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        let all =
            text.lines().flat_map(|line| printed(line, "reconciler")).map(|(name, _, value)| (name, value));
        all.collect::<Vec<_>>()
    };
    let round = bench.run(RECONCILER, &["--once"]);
    assert_eq!(round.status.code(), Some(1), "one registry does not answer");
    let numbers = told(&round);
    for expected in [
        ("cve_monitor_rounds_total", 1.0),
        ("cve_monitor_rounds_failed_total", 1.0),
        ("cve_monitor_images_listed", 2.0),
        ("cve_monitor_images_without_report", 2.0),
        ("cve_monitor_coverage_ratio", 0.0),
    ] {
        assert!(numbers.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} in {numbers:?}");
    }
    bench.configure(Bench::LAYOUT);
    let round = bench.run(RECONCILER, &["--once"]);
    assert!(round.status.success() && round.stdout.is_empty(), "{round:?}");
}

#[test]
fn a_program_is_asked_whether_it_is_alive_by_itself() {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = free();
    let bench = Bench::new(&format!("[health]\nlisten = \"{at}\"\n{}", Bench::LAYOUT));
    let code = |program: &str, asked: &str| bench.run(program, &[asked]).status.code();
    assert_eq!(code(INGEST, "--healthy"), Some(1), "nobody is there");
    let ingest = bench.start(INGEST, &[], "log");
    until("it is alive", || code(INGEST, "--healthy") == Some(0));
    assert_eq!(ingest.stop(), Some(0));
    assert_eq!(code(INGEST, "--healthy"), Some(1));
    bench.configure(Bench::LAYOUT);
    assert_eq!(code(INGEST, "--healthy"), Some(2), "where it is to be asked stands nowhere");

    bench.configure(&format!("[watch]\nlisten = \"{}\"\n{}", free(), Bench::LAYOUT));
    let watch = bench.start(PROGRAM, &["watch"], "log");
    until("it is alive", || code(PROGRAM, "healthy") == Some(0) && code(NOTIFIER, "--healthy") == Some(0));
    assert_eq!(watch.stop(), Some(0));
}
