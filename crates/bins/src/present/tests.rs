//! What people see, letter by letter.

use std::time::Duration;

use cve_monitor_core::vocabulary::{Severity, Timestamp};
use serde_json::json;

use super::{
    AffectedRow, CoverageRow, CoverageSummary, DeadRow, Filter, HistoryRow, QueueRow, ReportView, Screen,
    TagsRow, WantedRow, affected_text, coverage_text, dead_text, history_text, json_lines, queue_text,
    scan_exit, scan_text, stats_text, tags_text, wanted_text,
};

const WIDE: Screen = Screen { width: 160 };
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn now() -> Timestamp {
    "2026-03-04".parse().unwrap()
}

fn finding(severity: &str, package: &str, fixed: Option<&str>) -> serde_json::Value {
    json!({
        "Name": "CVE-2024-1", "Severity": severity, "FeatureName": package, "FeatureVersion": "1.0", "FixedBy": fixed,
        "Status": if fixed.is_some() { "fix_available" } else { "wont_fix" }, "Layer": DIGEST,
    })
}

fn report(verdict: &str, level: &str, findings: &serde_json::Value) -> ReportView {
    let reasons = json!([{ "Code": "unread_kind", "Detail": "java, as in app.jar" }]);
    let body = json!({
        "SchemaVersion": "1.0", "AssessedAt": "2026-03-04T00:00:00.000Z", "AnalyzedImageName": "r.example/app@sha256:1",
        "Platform": "linux/amd64", "Tags": ["v1"], "Verdict": verdict,
        "Completeness": { "Level": level, "Reasons": if level == "complete" { json!([]) } else { reasons } },
        "Scanner": { "Name": "embedded", "Version": "1" },
        "Knowledge": { "LastChanged": [{ "Ecosystem": "Debian:12", "At": "2026-03-01T00:00:00.000Z" }] },
        "Vulnerabilities": findings,
    });
    ReportView::parse(&serde_json::to_vec(&body).unwrap()).unwrap()
}

fn vulnerable() -> ReportView {
    let findings = json!({
        "Low": [finding("Low", "zlib", None)],
        "Critical": [finding("Critical", "openssl", Some("1.1"))],
    });
    report("vulnerable", "partial", &findings)
}

#[test]
fn a_scan_lists_the_worst_first_and_says_what_was_missed_and_how_old_the_data_is() {
    let text = scan_text(&[vulnerable()], &Filter::default(), now(), WIDE);
    let expected = "\
r.example/app@sha256:1  linux/amd64  v1
────────────────────────────────────────────────────────────────────────
 package   installed   fixed in    severity   advisory     layer
════════════════════════════════════════════════════════════════════════
 openssl   1.0         1.1         Critical   CVE-2024-1   e3b0c44298fc
 zlib      1.0         won't fix   Low        CVE-2024-1   e3b0c44298fc
────────────────────────────────────────────────────────────────────────
vulnerable: 2 findings (1 critical, 1 low); 1 can be fixed
the look was partial:
  - packages of a kind that cannot be read yet (java, as in app.jar)
data: embedded 1; advisories last changed: Debian:12 2026-03-01 (3 days ago)
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn filters_hide_rows_and_nothing_else() {
    for filter in [
        Filter { severities: Some("high+".parse().unwrap()), fixed_only: false },
        Filter { severities: None, fixed_only: true },
    ] {
        let text = scan_text(&[vulnerable()], &filter, now(), WIDE);
        assert!(text.contains("openssl") && !text.contains("zlib"), "{text}");
        assert!(text.contains("1 more are not shown") && text.contains("2 findings"), "{text}");
    }
}

#[test]
fn the_other_verdicts_are_told_in_words() {
    let clean = scan_text(&[report("clean", "complete", &json!({}))], &Filter::default(), now(), WIDE);
    assert!(clean.contains("clean: nothing was found, and everything was looked at\ndata:"), "{clean}");
    let unknown = scan_text(&[report("unknown", "unsupported", &json!({}))], &Filter::default(), now(), WIDE);
    assert!(
        unknown.contains("unknown: nothing was found, but the look was not complete\nnothing could be said:")
    );
}

#[test]
fn the_exit_code_follows_from_all_findings_and_the_look() {
    let clean = report("clean", "complete", &json!({}));
    let unknown = report("unknown", "partial", &json!({}));
    for (reports, fail_on, on_incomplete, expected) in [
        (vec![vulnerable()], None, false, 0),
        (vec![vulnerable()], Some(Severity::Critical), false, 3),
        (vec![clean.clone(), vulnerable()], Some(Severity::Low), true, 3),
        (vec![clean.clone()], Some(Severity::Low), true, 0),
        (vec![clean, unknown.clone()], Some(Severity::Low), false, 4),
        (vec![unknown.clone()], None, true, 4),
        (vec![unknown], None, false, 0),
    ] {
        assert_eq!(scan_exit(&reports, fail_on, on_incomplete), expected, "{reports:?} {fail_on:?}");
    }
}

#[test]
fn no_line_is_wider_than_the_screen_and_nothing_steers_it() {
    let long = "very-long-package-name-".repeat(6);
    let findings = json!({ "High": [finding("High", &format!("{long}\u{1b}[31m"), Some(&"9".repeat(90)))] });
    for width in [60, 80, 120] {
        let text = scan_text(
            &[report("vulnerable", "complete", &findings)],
            &Filter::default(),
            now(),
            Screen { width },
        );
        let table = text.lines().skip(1).take_while(|line| !line.starts_with("vulnerable"));
        let widest = table.map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(widest <= usize::from(width) && widest > 40, "{width}: {widest}\n{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn coverage_tells_the_numbers_the_images_and_a_registry_that_cannot_be_listed() {
    let mut summary = CoverageSummary {
        registry: "r.example".to_owned(),
        listed_at: now(),
        unknown: None,
        counts: vec![("current".to_owned(), 7), ("waiting".to_owned(), 1)],
        feed_position: Some(now().minus(Duration::from_secs(120))),
    };
    let row = CoverageRow {
        image: "r.example/app@sha256:1".to_owned(),
        tags: vec!["v1".to_owned(), "latest".to_owned()],
        standing: "waiting".to_owned(),
        verdict: None,
        detail: Some("until 2026-03-05".to_owned()),
        verified_up_to: None,
    };
    let text = coverage_text(&summary, &[row], now(), WIDE);
    let expected = "\
r.example, listed 2026-03-04 00:00Z
─────────────────
 images    count
═════════════════
 current   7
 waiting   1
─────────────────
advisories followed up to: 2026-03-03 23:58Z (2 minutes ago)
──────────────────────────────────────────────────────────────────────────────────────────────
 image                    tags         standing   verdict   verified up to   detail
══════════════════════════════════════════════════════════════════════════════════════════════
 r.example/app@sha256:1   v1, latest   waiting    -         -                until 2026-03-05
──────────────────────────────────────────────────────────────────────────────────────────────
";
    assert_eq!(text, expected, "\n{text}");
    summary.unknown = Some("denied".to_owned());
    let text = coverage_text(&summary, &[], now(), WIDE);
    assert!(text.contains("unknown: the registry could not be listed: denied"), "{text}");
}

#[test]
fn history_and_affected_images_are_told() {
    let row = HistoryRow {
        at: now(),
        what: "report".to_owned(),
        verdict: Some("vulnerable".to_owned()),
        findings: 2,
        new: Some(vec!["CVE-1".to_owned()]),
        gone: Some(vec![]),
        delivered: vec!["folder".to_owned()],
        report: Some("id".to_owned()),
    };
    let pruned = HistoryRow { new: None, gone: None, ..row.clone() };
    let text = history_text("r.example/app", &[pruned], WIDE);
    assert!(text.contains("2          no longer kept   no longer kept   folder"), "\n{text}");
    let text = history_text("r.example/app", &[row], WIDE);
    assert!(
        text.contains(" 2026-03-04 00:00Z   report   vulnerable   2          CVE-1   -      folder"),
        "\n{text}"
    );
    assert_eq!(history_text("a", &[], WIDE), "a: nothing is known\n");
    let row = AffectedRow {
        image: "r.example/app@sha256:1".to_owned(),
        tags: vec!["v1".to_owned()],
        package: "zlib".to_owned(),
        version: "1.0".to_owned(),
        severity: "High".to_owned(),
        fixed_by: None,
        layer: None,
        location: "var/lib/dpkg/status".to_owned(),
        status: "wont_fix".to_owned(),
        report: "id".to_owned(),
        parents: vec![],
    };
    let text = affected_text("CVE-1", &[row.clone(), row], WIDE);
    assert!(
        text.contains(" r.example/app@sha256:1   v1     zlib      1.0         wont fix   High       -"),
        "\n{text}"
    );
    assert!(text.ends_with("CVE-1: 1 image\n"), "{text}");
    assert_eq!(affected_text("CVE-2", &[], WIDE), "CVE-2: 0 images\n");
}

#[test]
fn the_small_tables_are_told_and_are_json_where_asked() {
    let tags = TagsRow { image: "a@sha256:1".to_owned(), tags: vec![] };
    assert!(tags_text(std::slice::from_ref(&tags), WIDE).contains(" a@sha256:1   -"));
    assert_eq!(json_lines(&[tags]).unwrap(), "{\"image\":\"a@sha256:1\",\"tags\":[]}\n");
    let oldest = Some(now().minus(Duration::from_secs(7200)));
    let lane = QueueRow { lane: "push".to_owned(), ready: 3, leased: 1, oldest };
    assert!(queue_text(&[lane], now(), WIDE).contains(" push   3       1        2h"));
    let dead = DeadRow {
        id: "17".to_owned(),
        image: "a@sha256:1".to_owned(),
        reason: "denied".to_owned(),
        at: now(),
        detail: "401".to_owned(),
    };
    assert!(dead_text(&[dead], WIDE).contains(" 17   a@sha256:1   denied   2026-03-04 00:00Z   401"));
    assert_eq!(dead_text(&[], WIDE), "nothing was given up\n");
    let wanted =
        WantedRow { image: "a@sha256:1".to_owned(), tags: vec!["v1".to_owned()], why: "missing".to_owned() };
    assert!(wanted_text(&[wanted], WIDE).contains(" a@sha256:1   v1     missing"));
    assert!(stats_text(&[("events".to_owned(), "9".to_owned())], WIDE).contains(" events   9"));
}
