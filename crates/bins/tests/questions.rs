//! Questions to the lake: which reports decide, what is told of objects that cannot be read, and bounds. The rows themselves
//! are held against queries in the tests of the workspace.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use cve_monitor_bins::config::{Aws, Reports};
use cve_monitor_bins::lake::{Asked, Day, Question, Row, Told, answer};
use cve_monitor_bins::present::{Screen, answer_text, csv_row, json_row};
use cve_monitor_bins::wiring::Lake;

/// A report of one image with so many critical findings.
fn report(image: &str, at: &str, critical: usize, [id, previous]: [&str; 2]) -> Value {
    let found = json!({
        "Name": "CVE-2024-1", "NamespaceName": "debian:12", "Severity": "Critical", "FeatureName": "zlib1g",
        "FeatureVersion": "1", "FixedBy": null, "Layer": null, "Aliases": ["GHSA-1"], "Records": ["DEBIAN-CVE-2024-1"],
    });
    json!({
        "SchemaVersion": "1.0", "ReportId": id, "PreviousReportId": (!previous.is_empty()).then_some(previous),
        "AssessedAt": at, "AnalyzedImageName": image, "ECRMetadata": { "repositoryName": "app" },
        "Registry": { "Name": "r" }, "Tags": ["v1"], "ParentIndexes": [{ "Tags": ["all", "v1"] }],
        "Verdict": "vulnerable", "Completeness": { "Level": "partial", "Reasons": [{ "Code": "bound_reached" }] },
        "Knowledge": { "LastChanged": [{ "Ecosystem": "Debian:12", "At": "2026-02-28T00:00:00.000Z" }] },
        "Vulnerabilities": {
            "Critical": vec![found; critical], "High": [], "Medium": [], "Low": [], "Negligible": [], "Unknown": [],
        },
        "New": [{ "Name": "CVE-2024-1", "Severity": "Critical", "FeatureName": "zlib1g:amd64", "FeatureVersion": "1",
                  "FixedBy": null }],
    })
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn put(&self, key: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(key);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Each into an object of its own, in the folder of its day.
    fn reports(&self, reports: &[Value]) {
        for report in reports {
            let (at, id) = (report["AssessedAt"].as_str().unwrap(), report["ReportId"].as_str().unwrap());
            let day: Day = at[..10].parse().unwrap();
            self.put(&format!("{}/{id}.json", day.folder()), format!("{report}\n"));
        }
    }

    async fn ask(&self, asked: &Asked) -> (Vec<Row>, Told) {
        let nowhere = Aws { region: None, endpoint_url: None, profile: None };
        let lake = Lake::open(&Reports::Folder(self.folder.path().to_owned()), &nowhere).await.unwrap();
        let mut rows = vec![];
        let told = answer(&lake, asked, &mut |row| rows.push(row)).await.unwrap();
        (rows, told)
    }
}

fn asked(question: Question, until: &str) -> Asked {
    Asked { question, cve: None, since: None, until: until.parse().unwrap(), stale_days: 30 }
}

fn cells(rows: &[Row], column: usize) -> Vec<Value> {
    rows.iter().map(|row| row[column].clone()).collect()
}

#[tokio::test]
async fn of_each_image_its_newest_report_decides_as_of_the_day_that_is_asked_for() {
    let bench = Bench::new();
    bench.reports(&[
        report("r/app@a", "2026-01-01T10:00:00.000Z", 1, ["a1", ""]),
        report("r/app@a", "2026-03-01T10:00:00.000Z", 0, ["a2", "a1"]),
        report("r/app@b", "2026-01-01T11:00:00.000Z", 0, ["b1", ""]),
        report("r/app@b", "2026-01-01T10:00:00.000Z", 2, ["b0", ""]),
        report("r/app@c", "2026-02-01T10:00:00.000Z", 3, ["c1", ""]),
    ]);
    let images = async |until: &str| cells(&bench.ask(&asked(Question::Critical, until)).await.0, 0);
    assert_eq!(images("2026-03-01").await, ["r/app@c"]);
    assert_eq!(images("2026-02-28").await, ["r/app@c", "r/app@a"]);
    assert_eq!(images("2026-01-31").await, ["r/app@a"]);
    assert!(images("2025-12-31").await.is_empty());
}

#[tokio::test]
async fn under_a_clock_that_stands_the_report_that_follows_the_other_is_the_newest() {
    for ids in [["1", "2"], ["2", "1"]] {
        let bench = Bench::new();
        bench.reports(&[
            report("r/app@a", "2026-03-01T00:00:00.000Z", 1, [ids[0], ""]),
            report("r/app@a", "2026-03-01T00:00:00.000Z", 2, [ids[1], ids[0]]),
        ]);
        assert_eq!(cells(&bench.ask(&asked(Question::Critical, "2026-03-01")).await.0, 2), [2]);
        let trend = bench.ask(&asked(Question::Trend, "2026-03-01")).await.0;
        assert_eq!(cells(&trend, 4), [2]);
    }
}

#[tokio::test]
async fn days_without_reports_keep_what_was_known_in_the_trend_and_images_move_with_their_reports() {
    let bench = Bench::new();
    bench.reports(&[
        report("r/app@a", "2025-06-01T10:00:00.000Z", 1, ["a1", ""]),
        report("r/app@b", "2026-02-27T10:00:00.000Z", 2, ["b1", ""]),
        report("r/app@a", "2026-02-28T10:00:00.000Z", 0, ["a2", "a1"]),
        report("r/app@a", "2026-03-02T10:00:00.000Z", 9, ["a3", "a2"]),
    ]);
    let since = Some("2026-02-26".parse().unwrap());
    let rows = bench.ask(&Asked { since, ..asked(Question::Trend, "2026-03-01") }).await.0;
    let seen: Vec<_> =
        rows.iter().map(|row| (row[0].as_str().unwrap(), row[3].clone(), row[4].clone())).collect();
    let expected = [("2026-02-26", 1, 1), ("2026-02-27", 2, 3), ("2026-02-28", 2, 2), ("2026-03-01", 2, 2)];
    assert_eq!(seen, expected.map(|(day, images, critical)| (day, json!(images), json!(critical))));
    assert_eq!(bench.ask(&asked(Question::Trend, "2026-03-01")).await.0.len(), 30);
}

#[tokio::test]
async fn a_window_has_its_first_and_its_last_day() {
    let bench = Bench::new();
    let days = ["2026-01-30", "2026-01-31", "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"];
    let at = |day: &&str| report("r/app@a", &format!("{day}T23:59:59.999Z"), 1, [day, "before"]);
    bench.reports(&days.iter().map(at).collect::<Vec<_>>());
    let days = async |question, since: Option<&str>| {
        let since = since.map(|day| day.parse().unwrap());
        let rows = bench.ask(&Asked { since, ..asked(question, "2026-03-01") }).await.0;
        let last = question.columns().iter().position(|name| *name == "assessedat").unwrap();
        rows.iter().map(|row| row[last].as_str().unwrap()[..10].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(days(Question::New, None).await, ["2026-03-01", "2026-02-28"]);
    assert_eq!(days(Question::New, Some("2026-02-27")).await, ["2026-03-01", "2026-02-28", "2026-02-27"]);
    let times = days(Question::TimeToReport, None).await;
    assert_eq!(times, ["2026-03-01", "2026-02-28", "2026-02-27", "2026-01-31"]);
    assert_eq!(days(Question::Incomplete, Some("2026-03-01")).await, ["2026-03-01"]);
}

#[tokio::test]
async fn what_a_new_image_has_is_not_new_and_time_is_told_where_the_ecosystem_is_known() {
    let bench = Bench::new();
    let mut elsewhere = report("r/app@b", "2026-03-01T12:00:00.000Z", 1, ["b2", "b1"]);
    elsewhere["Knowledge"]["LastChanged"][0]["Ecosystem"] = json!("debian/updater");
    bench.reports(&[
        report("r/app@a", "2026-03-01T10:00:00.000Z", 1, ["a1", ""]),
        report("r/app@a", "2026-03-01T12:03:00.000Z", 1, ["a2", "a1"]),
        elsewhere,
    ]);
    assert_eq!(cells(&bench.ask(&asked(Question::New, "2026-03-01")).await.0, 0), ["r/app@a", "r/app@b"]);
    let rows = bench.ask(&asked(Question::TimeToReport, "2026-03-01")).await.0;
    assert_eq!(cells(&rows, 6), [json!(36.1), Value::Null]);
}

#[tokio::test]
async fn a_vulnerability_is_found_by_its_name_an_alias_and_the_id_of_an_advisory() {
    let bench = Bench::new();
    bench.reports(&[report("r/app@a", "2026-03-01T10:00:00.000Z", 1, ["a1", ""])]);
    for (name, found) in [("CVE-2024-1", 1), ("GHSA-1", 1), ("DEBIAN-CVE-2024-1", 1), ("CVE-2024-12", 0)] {
        let asked = Asked { cve: Some(name.to_owned()), ..asked(Question::Where, "2026-03-01") };
        let rows = bench.ask(&asked).await.0;
        assert_eq!(rows.len(), found, "{name}");
        assert!(rows.iter().all(|row| row[1] == json!(["all", "v1"])), "{rows:?}");
    }
}

#[tokio::test]
async fn a_report_is_stale_after_that_many_days_and_not_before() {
    let bench = Bench::new();
    bench.reports(&[
        report("r/app@a", "2026-01-29T23:59:59.999Z", 1, ["a", ""]),
        report("r/app@b", "2026-01-30T00:00:00.000Z", 1, ["b", ""]),
    ]);
    assert_eq!(cells(&bench.ask(&asked(Question::Stale, "2026-03-01")).await.0, 0), ["r/app@a"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_with_its_line_and_the_rest_is_answered() {
    let bench = Bench::new();
    let good = report("r/app@a", "2026-03-01T10:00:00.000Z", 1, ["a1", ""]);
    let mut newer = good.clone();
    newer["SchemaVersion"] = json!("2.0");
    bench.reports(std::slice::from_ref(&good));
    let day = "year=2026/month=03/day=01";
    bench.put(&format!("{day}/broken.json"), format!("{good}\n\n{{\"half\n{newer}\n{good}"));
    bench.put(&format!("{day}/packed.json.gz"), [0x1f, 0x8b]);
    bench.put(&format!("{day}/notes.txt"), "");
    bench.put(&format!("{day}/inner/a.json"), "");
    bench.put("year=2026/month=03/day=02/late.json", good.to_string());
    bench.put("year=2026/month=02/day=30/a.json", "");
    bench.put("year=2026/README", "");
    bench.put("old/a.json", "");
    for hidden in [".a.tmp", "_SUCCESS", &format!("{day}/.a1.x.tmp")] {
        bench.put(hidden, "half");
    }
    let (rows, told) = bench.ask(&asked(Question::Critical, "2026-03-02")).await;
    assert_eq!((rows.len(), told.reports, told.is_whole()), (1, 3, false));
    let mut problems: Vec<String> = told.problems.iter().map(ToString::to_string).collect();
    problems.sort();
    let expected = [
        ("old: ", "nothing else belongs"),
        ("year=2026/README: ", "nothing else belongs"),
        ("year=2026/month=02/day=30: ", "nothing else belongs"),
        ("day=01/broken.json, line 3: ", "this is no report"),
        ("day=01/broken.json, line 4: ", "newer program"),
        ("day=01/inner: ", "nothing else belongs"),
        ("day=01/notes.txt: ", "nothing else belongs"),
        ("day=01/packed.json.gz: ", "compressed (.gz)"),
        ("day=02/late.json, line 1: ", "is of 2026-03-01"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, (place, what)) in problems.iter().zip(expected) {
        assert!(problem.contains(place) && problem.contains(what), "{problem}");
    }
}

#[tokio::test]
async fn problems_beyond_a_hundred_are_counted() {
    let bench = Bench::new();
    for (lines, more) in [(100, 0), (101, 1)] {
        bench.put("year=2026/month=03/day=01/a.json", "no report\n".repeat(lines));
        let (_, told) = bench.ask(&asked(Question::Critical, "2026-03-01")).await;
        assert_eq!((told.problems.len(), told.more_problems), (100, more));
    }
}

#[tokio::test]
async fn a_lake_that_is_not_there_is_told_and_one_without_reports_is_not() {
    let bench = Bench::new();
    assert_eq!(bench.ask(&asked(Question::Critical, "2026-03-01")).await, (vec![], Told::default()));
    let nowhere = Aws { region: None, endpoint_url: None, profile: None };
    let absent = Lake::open(&Reports::Folder(bench.folder.path().join("absent")), &nowhere).await;
    assert!(absent.unwrap_err().to_string().contains("is not a folder"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_nowhere_is_named_and_the_rest_is_answered() {
    let bench = Bench::new();
    bench.reports(&[report("r/app@a", "2026-03-01T10:00:00.000Z", 1, ["a1", ""])]);
    let link = bench.folder.path().join("year=2026/month=03/day=01/gone.json");
    std::os::unix::fs::symlink("/nowhere/1.json", link).unwrap();
    let (rows, told) = bench.ask(&asked(Question::Critical, "2026-03-01")).await;
    assert_eq!(rows.len(), 1);
    assert!(told.problems.len() == 1 && told.problems[0].to_string().contains("gone.json: was listed"));
}

#[test]
fn a_query_is_about_the_vulnerability_that_is_asked_for() {
    let sql = Question::Where.sql(Some("GHSA-x'y"));
    assert!(sql.contains("SELECT 'GHSA-x''y' AS cve") && !sql.contains("CVE-2025-5278"), "{sql}");
    assert!(Question::ALL.iter().all(|question| question.sql(None).starts_with("-- ")));
}

#[test]
fn days_are_those_of_the_calendar() {
    for text in ["2026-02-30", "2026-2-03", "2026-03-01T00:00:00Z", "", "yesterday"] {
        assert!(text.parse::<Day>().unwrap_err().to_string().contains("YYYY-MM-DD"), "{text}");
    }
    let day: Day = "2028-03-01".parse().unwrap();
    assert_eq!(
        (day.minus(1).to_string(), day.folder()),
        ("2028-02-29".into(), "year=2028/month=03/day=01".into())
    );
    assert_eq!(day.minus(1).next(), day);
}

fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = vec![];
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn json_keeps_the_order_of_the_columns() {
    let row = [json!("a\"b"), json!(["x", "y"]), Value::Null, json!(1.5)];
    let text = written(|out| json_row(out, &["z", "y", "x", "w"], &row));
    assert_eq!(text, "{\"z\":\"a\\\"b\",\"y\":[\"x\",\"y\"],\"x\":null,\"w\":1.5}\n");
}

#[test]
fn csv_quotes_what_would_break_a_row() {
    let row = [json!("a,\"b\"\n"), json!(["x", "y"]), Value::Null, json!(3)];
    assert_eq!(written(|out| csv_row(out, &row)), "\"a,\"\"b\"\"\n\",x y,,3\n");
}

#[test]
fn a_table_says_how_many_rows_there_are_and_steers_no_terminal() {
    let screen = Screen { width: 80 };
    let text = answer_text(&["image", "detail"], &[vec![json!("a\u{1b}[31m"), Value::Null]], 0, screen);
    assert!(text.contains("a?[31m") && text.contains(" -") && text.ends_with("\n1 row\n"), "{text}");
    assert_eq!(answer_text(&["image"], &[], 0, screen), "0 rows\n");
    let cut = answer_text(&["image"], &[vec![json!("a")]], 2, screen);
    assert!(cut.ends_with("3 rows; 2 are not shown: --format csv or json has them\n"), "{cut}");
}
