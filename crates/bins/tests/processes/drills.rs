//! What operations.md says about losses, on one machine: each thing is lost, and made again by the commands that stand there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
