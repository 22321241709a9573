//! What operations.md says about losses, on one machine: each thing is lost, and made again by the commands that stand there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use cve_monitor_adapters::embedded::Database;
use cve_monitor_adapters::embedded::maintenance::{Pruned, Retention, prune};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::Clock as _;
use serde_json::Value;

use crate::bench::oracle::json_lines;
use crate::bench::{Bench, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");
const INGEST: &str = env!("CARGO_BIN_EXE_ingest");
const NOTIFIER: &str = env!("CARGO_BIN_EXE_notifier");
const RECONCILER: &str = env!("CARGO_BIN_EXE_reconciler");
const TAGS: [&str; 3] = ["debian-base", "distroless", "debian-node"];

/// Runs a program to its end, which must be a good one; what it printed.
fn done(bench: &Bench, program: &str, arguments: &[&str]) -> String {
    let output = bench.run(program, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Finds every image, and works until nothing is left.
fn work(bench: &Bench) {
    done(bench, NOTIFIER, &["--once"]);
    done(bench, RECONCILER, &["--once"]);
    let ingest = bench.start(INGEST, &[], "ingest.log");
    until("nothing is left", || {
        let coverage = done(bench, PROGRAM, &["coverage", "--format", "json"]);
        let row =
            coverage.lines().next().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let counts = row.map(|row| row["counts"].clone()).unwrap_or_default();
        let of = |name: &str| {
            let pair = counts.as_array().and_then(|all| all.iter().find(|pair| pair[0] == name));
            pair.and_then(|pair| pair[1].as_u64())
        };
        of("listed") == of("covered") && of("requests queued") == Some(0)
    });
    assert_eq!(ingest.stop(), Some(0));
}

fn bench() -> Bench {
    let bench = Bench::new(&format!("[watch]\nlisten = \"127.0.0.1:0\"\n{}", Bench::LAYOUT));
    bench.write_index(&TAGS.map(Bench::example));
    work(&bench);
    bench
}

/// The files of the lake by path, with their bytes.
fn lake(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.insert(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&bench.path("reports"), &mut found);
    found
}

fn lose_store(bench: &Bench) {
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let path = bench.path(name);
        assert!(!path.exists() || fs::remove_file(path).is_ok());
    }
}

#[test]
fn a_lost_lake_is_made_again_byte_for_byte() {
    let bench = bench();
    let before = lake(&bench);
    assert_eq!(before.len(), TAGS.len());
    fs::remove_dir_all(bench.path("reports")).unwrap();
    let said = done(&bench, PROGRAM, &["rebuild", "lake"]);
    assert!(said.contains("wrote 3"), "{said}");
    assert_eq!(lake(&bench), before);
    done(&bench, PROGRAM, &["rebuild", "lake"]);
    assert_eq!(lake(&bench), before, "a second time changes nothing");
}

#[test]
fn when_all_but_the_registry_is_lost_every_image_is_reported_again_with_the_same_findings() {
    let bench = bench();
    let before = done(&bench, PROGRAM, &["report", "trend", "--format", "csv"]);
    lose_store(&bench);
    fs::remove_dir_all(bench.path("reports")).unwrap();
    work(&bench);
    assert_eq!(lake(&bench).len(), TAGS.len());
    let after = done(&bench, PROGRAM, &["report", "trend", "--format", "csv"]);
    assert_eq!(after.lines().last(), before.lines().last());
    assert!(done(&bench, PROGRAM, &["queue", "dead"]).contains("nothing was given up"));
}

#[test]
fn when_the_store_alone_is_lost_reports_of_the_same_day_stand_in_the_way_until_they_are_put_aside() {
    let bench = bench();
    let before = lake(&bench);
    lose_store(&bench);
    done(&bench, NOTIFIER, &["--once"]);
    done(&bench, RECONCILER, &["--once"]);
    let ingest = bench.start(INGEST, &[], "ingest.log");
    let mut dead = String::new();
    until("all are given up", || {
        dead = done(&bench, PROGRAM, &["queue", "dead", "--format", "json"]);
        dead.lines().count() == TAGS.len() || lake(&bench).len() > TAGS.len()
    });
    if lake(&bench).len() > TAGS.len() {
        return; // Midnight has passed meanwhile: the new reports lie in another folder, and nothing stands in their way.
    }
    assert_eq!(dead.matches("already holds another body").count(), TAGS.len(), "{dead}");
    assert_eq!(lake(&bench), before, "nothing that was delivered is written over");
    fs::rename(bench.path("reports"), bench.path("reports-before")).unwrap();
    fs::create_dir(bench.path("reports")).unwrap();
    done(&bench, PROGRAM, &["queue", "redrive", "--all"]);
    until("all are delivered", || lake(&bench).len() == TAGS.len());
    assert_eq!(ingest.stop(), Some(0));
    assert!(done(&bench, PROGRAM, &["queue", "dead"]).contains("nothing was given up"));
}

/// What the programs would remove in a year from now.
fn prune_in_a_year(bench: &Bench) -> Pruned {
    let now = SystemClock.now().plus(Duration::from_secs(365 * 24 * 60 * 60));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(bench.path("state.db")).unwrap();
        prune(&database, Retention::default(), now).await.unwrap()
    })
}

/// What operations.md says under "How it grows": which answers retention changes, and that it changes no other.
#[test]
fn pruning_changes_no_answer_but_those_that_operations_names() {
    let bench = bench();
    bench.advisories("second");
    done(&bench, PROGRAM, &["advisories", "update"]);
    work(&bench);
    let image = format!("local/images@{}", Bench::example("debian-node")["digest"].as_str().unwrap());
    let mut questions: Vec<Vec<&str>> = ["critical", "new", "stale", "trend", "incomplete"]
        .map(|question| vec!["report", question, "--format", "csv"])
        .into();
    questions.push(vec!["affected", "CVE-2025-5278", "--format", "json"]);
    let answers = || questions.iter().map(|asked| done(&bench, PROGRAM, asked)).collect::<Vec<_>>();
    let history = || json_lines(done(&bench, PROGRAM, &["history", &image, "--format", "json"]).as_bytes());
    // Of coverage all but when it was asked.
    let counts = || {
        json_lines(done(&bench, PROGRAM, &["coverage", "--format", "json"]).as_bytes())[0]["counts"].clone()
    };
    let (before, covered, series, delivered) = (answers(), counts(), history(), lake(&bench));
    let pruned = prune_in_a_year(&bench);
    assert!(pruned.bodies > 0, "there was nothing to remove");
    for ((asked, before), after) in questions.iter().zip(&before).zip(answers()) {
        assert!(!before.is_empty(), "{asked:?} is no question here");
        assert_eq!(*before, after, "{asked:?}");
    }
    assert_eq!(counts(), covered);
    // An answer that is named: the series stands, and what a report had new and gone is no longer told.
    let untold = series.into_iter().map(|mut report| {
        (report["new"], report["gone"]) = (Value::Null, Value::Null);
        report
    });
    assert_eq!(history(), untold.collect::<Vec<_>>());
    // It goes on from there: the next report tells what is new since the last one, whose body is kept.
    bench.advisories("first");
    done(&bench, PROGRAM, &["advisories", "update"]);
    work(&bench);
    assert!(lake(&bench).len() > delivered.len());
    // The other one: the lake is not made again from bodies that are removed, and says so.
    fs::remove_dir_all(bench.path("reports")).unwrap();
    let rebuilt = bench.run(PROGRAM, &["rebuild", "lake"]);
    let said = String::from_utf8_lossy(&rebuilt.stderr).into_owned();
    assert!(said.contains(&format!("{} reports cannot be made again", pruned.bodies)), "{said}");
    assert_eq!(rebuilt.status.code(), Some(1));
}
