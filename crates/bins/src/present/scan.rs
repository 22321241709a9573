//! What `scan` says: a table of findings, a verdict in words, and how old the data behind it is.

use std::fmt::Write as _;

use cve_monitor_core::vocabulary::{FindingStatus, Level, Severity, Timestamp, Verdict};

use super::report::{FindingView, ReportView};
use super::table::{Screen, or_dash, table};
use super::words::{age, date, safe, short_digest};
use crate::cli::{EXIT_FAIL_ON, EXIT_INCOMPLETE, EXIT_OK, SeverityFilter};

/// Of how many ecosystems the date of the data is told one by one.
const ECOSYSTEMS_SHOWN: usize = 3;

/// What is shown. It changes neither verdict nor exit code.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// These severities only.
    pub severities: Option<SeverityFilter>,
    /// Only what a published version fixes.
    pub fixed_only: bool,
}

impl Filter {
    fn admits(&self, finding: &FindingView) -> bool {
        let severity = self.severities.as_ref().is_none_or(|severities| severities.admits(finding.severity));
        severity && (!self.fixed_only || finding.fixed_by.is_some())
    }
}

/// A block for each image; `now` is what ages are told from.
#[must_use]
pub fn scan_text(reports: &[ReportView], filter: &Filter, now: Timestamp, screen: Screen) -> String {
    reports.iter().map(|report| block(report, filter, now, screen)).collect::<Vec<_>>().join("\n")
}

fn block(report: &ReportView, filter: &Filter, now: Timestamp, screen: Screen) -> String {
    let mut title = safe(&report.image);
    for more in report.platform.iter().chain(&report.tags) {
        // Writing to a text cannot fail.
        let _ = write!(title, "  {}", safe(more));
    }
    let shown: Vec<&FindingView> = report.findings.iter().filter(|finding| filter.admits(finding)).collect();
    let mut text = format!("{title}\n");
    if !shown.is_empty() {
        let header = ["package", "installed", "fixed in", "severity", "advisory", "layer"];
        text += &table(header, shown.iter().map(|finding| row(finding)).collect(), screen);
    }
    let hidden = report.findings.len() - shown.len();
    if hidden > 0 {
        let _ = writeln!(text, "{hidden} more are not shown because of --severity or --fixed-only");
    }
    text += &verdict(report);
    text += &data(report, now);
    text
}

fn row(finding: &FindingView) -> [String; 6] {
    let fixed = match (&finding.fixed_by, finding.status) {
        (Some(version), _) => version.clone(),
        (None, FindingStatus::FixAvailable) => "-".to_owned(),
        (None, FindingStatus::NoFix) => "no fix".to_owned(),
        (None, FindingStatus::WontFix) => "won't fix".to_owned(),
        (None, FindingStatus::EndOfLife) => "end of life".to_owned(),
        (None, FindingStatus::Undetermined) => "undetermined".to_owned(),
    };
    let layer = finding.layer.as_deref().map(short_digest);
    let severity = finding.severity.to_string();
    [
        finding.package.clone(),
        finding.version.clone(),
        fixed,
        severity,
        finding.name.clone(),
        or_dash(layer.as_deref()),
    ]
}

/// The verdict with the numbers, and what the look missed.
fn verdict(report: &ReportView) -> String {
    let total = report.findings.len();
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, report.findings.iter().filter(|f| f.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.as_str().to_lowercase()))
        .collect();
    let fixable = report.findings.iter().filter(|finding| finding.fixed_by.is_some()).count();
    let mut text = match report.verdict {
        Verdict::Clean => "clean: nothing was found, and everything was looked at\n".to_owned(),
        Verdict::Vulnerable => {
            let noun = if total == 1 { "finding" } else { "findings" };
            format!("vulnerable: {total} {noun} ({}); {fixable} can be fixed\n", counts.join(", "))
        }
        Verdict::Unknown => "unknown: nothing was found, but the look was not complete\n".to_owned(),
    };
    if let Some(sbom) = &report.sbom {
        let _ = writeln!(text, "the packages are those that SBOM {} names: no layer was read", safe(sbom));
    }
    let missed = match report.level {
        Level::Complete => return text,
        Level::Partial => "the look was partial",
        Level::Unsupported => "nothing could be said",
    };
    let _ = writeln!(text, "{missed}:");
    for reason in &report.reasons {
        let detail = reason.detail.as_ref().map(|detail| format!(" ({})", safe(detail)));
        let _ = writeln!(text, "  - {}{}", reason.code.explain(), detail.unwrap_or_default());
    }
    text
}

fn data(report: &ReportView, now: Timestamp) -> String {
    let scanner = safe(&report.scanner);
    let mut data = report.data.clone();
    // The oldest first: it is the one to worry about.
    data.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    if data.is_empty() {
        return format!("data: {scanner}; the age of its advisories is not known\n");
    }
    let told: Vec<String> = data
        .iter()
        .take(ECOSYSTEMS_SHOWN)
        .map(|(ecosystem, at)| format!("{} {} ({})", safe(ecosystem), date(*at), age(*at, now)))
        .collect();
    let more = match data.len().saturating_sub(ECOSYSTEMS_SHOWN) {
        0 => String::new(),
        more => format!(", and {more} newer"),
    };
    format!("data: {scanner}; advisories last changed: {}{more}\n", told.join(", "))
}

/// The exit code of a scan: what is found counts before what was missed; filters do not count.
#[must_use]
pub fn scan_exit(reports: &[ReportView], fail_on: Option<Severity>, fail_on_incomplete: bool) -> u8 {
    let worst =
        reports.iter().flat_map(|report| report.findings.iter().map(|finding| finding.severity)).max();
    let incomplete = reports.iter().any(|report| report.level != Level::Complete);
    if fail_on.is_some_and(|least| worst.is_some_and(|worst| worst >= least)) {
        EXIT_FAIL_ON
    } else if incomplete && (fail_on.is_some() || fail_on_incomplete) {
        EXIT_INCOMPLETE
    } else {
        EXIT_OK
    }
}
