//! `ingest` and `notifier`, killed at random moments while images arrive and advisories change.
//!
//! `CVE_MONITOR_TEST_KILLS` says how often (20 if not given), `CVE_MONITOR_TEST_SEED` which moments.

use std::time::Duration;

use crate::bench::chance::{Chance, number};
use crate::bench::oracle::{Contents, json_lines, latest, repeated, scanned};
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
        let tag = TAGS[chance.index(TAGS.len())];
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
    until("every image has its last report", || latest(bench.reports()) == wanted);
    until("every lane is empty", || {
        let lanes = json_lines(&bench.run(PROGRAM, &["queue", "stats", "--format", "json"]).stdout);
        lanes.iter().all(|lane| lane["ready"] == 0 && lane["leased"] == 0)
    });
    assert_eq!(latest(bench.reports()), wanted, "what came after the last reports changed nothing");
    assert_eq!((ingest.stop(), notifier.stop()), (Some(0), Some(0)));
    assert_eq!(repeated(bench.reports()), [""; 0], "two reports in a row say the same");
    assert!(
        bench.run(PROGRAM, &["queue", "dead", "--format", "json"]).stdout.is_empty(),
        "nothing was given up"
    );
}

/// What a scan by itself says of the same images and advisories.
fn expected(bench: &Bench) -> Contents {
    let layout = format!("oci:{}", bench.path("layout").display());
    let source = bench.path("source").display().to_string();
    scanned(&bench.run(PROGRAM, &["scan", "--format", "json", "--advisories", &source, &layout]).stdout)
}
