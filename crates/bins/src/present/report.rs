//! A report as its reader sees it.

use std::collections::BTreeMap;

use cve_monitor_core::vocabulary::{FindingStatus, Level, ReasonCode, Severity, Timestamp, Verdict};
use serde::Deserialize;

/// The parts of a report that people are shown; fields that are not known are passed over.
#[derive(Debug, Clone)]
pub struct ReportView {
    /// The image, by digest.
    pub image: String,
    /// The tags at the time.
    pub tags: Vec<String>,
    /// The platform, where known.
    pub platform: Option<String>,
    /// When it was assessed.
    pub assessed_at: Timestamp,
    /// The one word.
    pub verdict: Verdict,
    /// How complete the look was.
    pub level: Level,
    /// Why it was not.
    pub reasons: Vec<ReasonView>,
    /// The SBOM that the packages were taken from, where it was one.
    pub sbom: Option<String>,
    /// The scanner's name and version.
    pub scanner: String,
    /// When the advisories of each ecosystem last changed.
    pub data: Vec<(String, Timestamp)>,
    /// The findings, worst first.
    pub findings: Vec<FindingView>,
}

/// Why a look was not complete.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReasonView {
    /// Out of the closed list.
    pub code: ReasonCode,
    /// What it is about.
    pub detail: Option<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FindingView {
    /// The CVE, or the advisory's own id.
    pub name: String,
    /// How bad.
    pub severity: Severity,
    /// Whether something can be done.
    pub status: FindingStatus,
    /// The package.
    #[serde(rename = "FeatureName")]
    pub package: String,
    /// Its version.
    #[serde(rename = "FeatureVersion")]
    pub version: String,
    /// The version that repairs it.
    pub fixed_by: Option<String>,
    /// The layer that brought it in.
    pub layer: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    schema_version: String,
    assessed_at: Timestamp,
    analyzed_image_name: String,
    platform: Option<String>,
    tags: Vec<String>,
    verdict: Verdict,
    completeness: WireCompleteness,
    #[serde(default)]
    sbom_digest: Option<String>,
    scanner: WireScanner,
    knowledge: WireKnowledge,
    vulnerabilities: BTreeMap<String, Vec<FindingView>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCompleteness {
    level: Level,
    reasons: Vec<ReasonView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireScanner {
    name: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireKnowledge {
    last_changed: Vec<WireChanged>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireChanged {
    ecosystem: String,
    at: Timestamp,
}

/// The major version of reports that is read here; within it fields are only added.
const MAJOR_VERSION: &str = "1.";

impl ReportView {
    /// Reads a report.
    ///
    /// # Errors
    /// Where the bytes are no report, or one of another major version.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(body).map_err(|e| format!("this is no report: {e}"))?;
        if !wire.schema_version.starts_with(MAJOR_VERSION) {
            return Err(format!(
                "a report of schema {} cannot be read: use a newer program",
                wire.schema_version
            ));
        }
        let mut findings: Vec<FindingView> = wire.vulnerabilities.into_values().flatten().collect();
        findings.sort_by(|a, b| {
            let place = |f: &FindingView| (f.package.clone(), f.name.clone(), f.version.clone());
            b.severity.cmp(&a.severity).then_with(|| place(a).cmp(&place(b)))
        });
        Ok(Self {
            image: wire.analyzed_image_name,
            tags: wire.tags,
            platform: wire.platform,
            assessed_at: wire.assessed_at,
            verdict: wire.verdict,
            level: wire.completeness.level,
            reasons: wire.completeness.reasons,
            sbom: wire.sbom_digest,
            scanner: format!("{} {}", wire.scanner.name, wire.scanner.version),
            data: wire.knowledge.last_changed.into_iter().map(|c| (c.ecosystem, c.at)).collect(),
            findings,
        })
    }
}
