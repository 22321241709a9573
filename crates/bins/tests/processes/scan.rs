//! `cve-monitor scan` on the example images.

use crate::bench::{Bench, examples};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");

fn scan(bench: &Bench, more: &[&str]) -> (Option<i32>, String, String) {
    let advisories = examples().join("advisories/first").display().to_string();
    let mut arguments = vec!["scan", "--advisories", &advisories, "--as-of", "2026-03-01"];
    arguments.extend(more);
    let output = bench.run(PROGRAM, &arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn image(tag: &str) -> String {
    format!("oci:{}:{tag}", examples().join("images").display())
}

#[test]
fn the_exit_code_says_what_was_asked_for() {
    let bench = Bench::new("");
    let (base, distroless) = (image("debian-base"), image("distroless"));
    assert_eq!(scan(&bench, &[&base]).0, Some(0), "whatever was found");
    assert_eq!(scan(&bench, &["--fail-on", "critical", &base]).0, Some(3));
    assert_eq!(scan(&bench, &["--fail-on-incomplete", &distroless]).0, Some(4), "its look is partial");
    assert_eq!(scan(&bench, &["--fail-on-incomplete", &base]).0, Some(0));
    let (code, printed, said) = scan(&bench, &[&image("absent")]);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
    let layout = examples().join("images").display().to_string();
    let expected = format!("{layout} has no image `absent`; it has: debian-base, debian-multiarch, ");
    assert!(said.contains(&expected), "{said}");
    assert_eq!(scan(&bench, &["--no-such-flag", &base]).0, Some(2));
}

#[test]
fn of_many_tags_that_are_there_only_so_many_are_named() {
    let bench = Bench::new("");
    let layout = bench.path("layout").display().to_string();
    for (count, more) in [(20, ""), (21, ", and 1 more")] {
        let entries: Vec<_> = (100..100 + count).map(|n| bench.variant("distroless", n)).collect();
        bench.write_index(&entries);
        let (code, _, said) = scan(&bench, &[&format!("oci:{layout}:absent")]);
        assert!(code == Some(1) && said.contains(&format!("distroless-119{more}\n")), "{said}");
        assert!(!said.contains("distroless-120"), "{said}");
    }
}

#[test]
fn where_no_registry_can_be_reached_its_host_and_what_can_be_done_are_named() {
    let bench = Bench::new("");
    // Names under `invalid` lead nowhere (RFC 6761).
    let (code, _, said) = scan(&bench, &["registry.invalid/team/app:v1"]);
    assert_eq!(code, Some(1), "{said}");
    for part in ["registry.invalid cannot be reached", "proxy", "oci:FOLDER"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn json_is_one_report_a_line_and_the_same_bytes_again() {
    let bench = Bench::new("");
    let all = format!("oci:{}", examples().join("images").display());
    let (code, first, said) = scan(&bench, &["--format", "json", &all]);
    assert_eq!(code, Some(0), "{said}");
    let reports: Vec<serde_json::Value> = first.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(reports.len(), 5, "five images by six names");
    assert!(reports.iter().all(|report| report["PreviousReportId"].is_null()));
    assert!(reports.iter().all(|report| report["AssessedAt"] == "2026-03-01T00:00:00.000Z"));
    assert_eq!(scan(&bench, &["--format", "json", &all]).1, first);
}

#[test]
fn a_platform_of_an_index_is_chosen_and_the_report_names_the_index() {
    let bench = Bench::new("");
    let index = image("debian-multiarch");
    let (code, printed, said) = scan(&bench, &["--format", "json", "--platform", "linux/arm64", &index]);
    assert_eq!(code, Some(0), "{said}");
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["Platform"], "linux/arm64");
    assert_eq!(report["ParentIndexes"].as_array().unwrap().len(), 1);
    let (code, _, said) = scan(&bench, &["--platform", "linux/s390x", &index]);
    assert_eq!(code, Some(1));
    assert!(said.contains("no image for linux/s390x; there are: linux/amd64, linux/arm64"), "{said}");
}

#[test]
fn without_advisories_there_is_an_error_with_a_remedy_and_no_report() {
    let bench = Bench::new("");
    let output = bench.run(PROGRAM, &["scan", "--set", "advisories.sources=", &image("debian-base")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)) && output.stdout.is_empty(), "{said}");
    assert!(said.contains("advisories.sources"), "{said}");
}
