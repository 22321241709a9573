//! `cve-monitor report` as people call it.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::bench::Bench;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cve-monitor");

/// Exit code, standard output, standard error.
fn report(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = bench.run(PROGRAM, &[&["report"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A report that is as short as one may be, in the folder of its day.
fn put(bench: &Bench, folder: &str, image: &str) {
    let found = json!({
        "Name": "CVE-2024-1", "NamespaceName": "debian:12", "Severity": "Critical", "FeatureName": "zlib1g",
        "FeatureVersion": "1:1,2", "FixedBy": null, "Layer": null, "Aliases": [], "Records": [],
    });
    let report = json!({
        "SchemaVersion": "1.0", "ReportId": "1", "PreviousReportId": null, "AssessedAt": "2026-03-01T10:00:00.000Z",
        "AnalyzedImageName": image, "ECRMetadata": { "repositoryName": "app" }, "Registry": { "Name": "r" },
        "Tags": ["v1", "latest"], "ParentIndexes": [], "Verdict": "vulnerable",
        "Completeness": { "Level": "complete", "Reasons": [] }, "Knowledge": { "LastChanged": [] },
        "Vulnerabilities": {
            "Critical": [found], "High": [], "Medium": [], "Low": [], "Negligible": [], "Unknown": [],
        },
        "New": [],
    });
    let day = bench.path(folder).join("year=2026/month=03/day=01");
    std::fs::create_dir_all(&day).unwrap();
    std::fs::write(day.join("1.json"), report.to_string()).unwrap();
}

#[test]
fn rows_are_printed_as_a_table_as_json_and_as_csv() {
    let bench = Bench::new("");
    put(&bench, "reports", "r/app@sha256:1");
    let (code, table, said) = report(&bench, &["critical"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    for part in ["image ", "r/app@sha256:1", "latest, v1", "2026-03-01T10:00:00.000Z", "1 row\n"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let (_, lines, _) = report(&bench, &["critical", "--format", "json"]);
    let expected = "{\"image\":\"r/app@sha256:1\",\"tags\":[\"latest\",\"v1\"],\"critical\":1,\"assessedat\":\"2026-03-01T10:00:00.000Z\"}\n";
    assert_eq!(lines, expected);
    let (_, csv, _) = report(&bench, &["--format", "csv", "where", "CVE-2024-1"]);
    let expected = "image,tags,name,severity,package,version,fixedby,layer,assessedat\n\
                    r/app@sha256:1,latest v1,CVE-2024-1,Critical,zlib1g,\"1:1,2\",,,2026-03-01T10:00:00.000Z\n";
    assert_eq!(csv, expected);
    let (code, none, _) = report(&bench, &["critical", "--until", "2026-02-28"]);
    assert_eq!((code, none.as_str()), (Some(0), "0 rows\n"));
}

#[test]
fn another_folder_can_be_named_and_the_question_be_had_in_sql() {
    let bench = Bench::new("");
    put(&bench, "elsewhere", "r/other@sha256:2");
    let folder = bench.path("elsewhere").display().to_string();
    let (code, lines, _) = report(&bench, &["critical", "--folder", &folder, "--format", "json"]);
    let row: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((code, row["image"].as_str()), (Some(0), Some("r/other@sha256:2")));
    let (code, sql, _) = report(&bench, &["where", "GHSA-1", "--sql"]);
    assert!(code == Some(0) && sql.contains("'GHSA-1' AS cve") && sql.contains("FROM reports"), "{sql}");
}

#[test]
fn what_cannot_be_answered_wholly_or_at_all_is_told() {
    let bench = Bench::new("");
    put(&bench, "reports", "r/app@sha256:1");
    std::fs::write(bench.path("reports/year=2026/month=03/day=01/2.json"), "{}\n{\"half").unwrap();
    let (code, lines, said) = report(&bench, &["critical", "--format", "json"]);
    assert_eq!((code, lines.lines().count()), (Some(1), 1), "{said}");
    for part in ["day=01/2.json, line 1: this is no report", "day=01/2.json, line 2: this is no report"] {
        assert!(said.contains(part), "{said}");
    }
    for (arguments, code, part) in [
        (&["critical", "--folder", "/absent"][..], 1, "/absent is not a folder"),
        (&["critical", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "nothing lies between"),
        (&["critical", "--since", "soon"], 2, "YYYY-MM-DD"),
        (&["critical", "--folder", "a", "--bucket", "b"], 2, "cannot be used with"),
        (&["stale", "--days", "0"], 2, "--days"),
        (&["where"], 2, "<CVE>"),
        (&["critical", "--bucket", "reports"], 1, "aws.region"),
    ] {
        let (found, _, said) = report(&bench, arguments);
        assert!(found == Some(code) && said.contains(part), "{arguments:?}: {found:?} {said}");
    }
}

#[test]
fn where_no_report_lies_it_is_told_and_what_brings_them() {
    let bench = Bench::new("");
    let (code, rows, said) = report(&bench, &["critical"]);
    assert!(code == Some(1) && rows.is_empty() && said.contains("cve-monitor watch"), "{said}");
    std::fs::create_dir(bench.path("reports")).unwrap();
    let (code, rows, said) = report(&bench, &["critical"]);
    assert_eq!((code, rows.as_str()), (Some(0), "0 rows\n"));
    assert!(said.contains("there is no report in") && said.contains("cve-monitor watch"), "{said}");
    put(&bench, "reports", "r/app@sha256:1");
    let (_, rows, said) = report(&bench, &["critical", "--until", "2026-02-28"]);
    assert_eq!((rows.as_str(), said.as_str()), ("0 rows\n", ""), "there are some, of another day");
}

#[test]
fn who_has_read_enough_is_not_read_for_and_ends_nothing_badly() {
    let bench = Bench::new("");
    put(&bench, "reports", "r/app@sha256:1");
    // What follows is broken: whoever reads on says so.
    for month in 1..=2 {
        let day = bench.path(&format!("reports/year=2026/month={month:02}/day=01"));
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("1.json"), "{}").unwrap();
    }
    let wide = std::fs::read_to_string(bench.path("reports/year=2026/month=03/day=01/1.json")).unwrap();
    // More than any buffer on the way holds, so that the end of the reader is noticed.
    for number in 2..100 {
        let text = wide.replace("r/app@sha256:1", &format!("r/{}@sha256:{number}", "x".repeat(100)));
        std::fs::write(bench.path(&format!("reports/year=2026/month=03/day=01/{number}.json")), text)
            .unwrap();
    }
    for arguments in
        [&["report", "critical", "--format", "csv", "--since", "2026-01-01"][..], &["config", "show"]]
    {
        let mut running = bench.start_piped(PROGRAM, arguments);
        drop(running.0.stdout.take());
        let mut said = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((running.0.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
