//! The report: one JSON object on one line. The fields that reports have always had keep their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ReportId, ResolvedImage};
use crate::vocabulary::{
    Assessment, Digest, Finding, FindingKey, FindingStatus, ImageId, Level, Reason, RegistryIdentity,
    ScannerIdentity, Severity, Tag, Timestamp, Verdict,
};

/// The version of the report's schema: `major.minor`; within a major version fields are only added.
pub const REPORT_SCHEMA_VERSION: &str = "1.0";

/// An index that names the image, with its tags at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentIndex {
    /// The index.
    pub digest: Digest,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct ReportFacts<'a> {
    /// The report's id.
    pub id: &'a ReportId,
    /// The report before it.
    pub previous: Option<&'a ReportId>,
    /// The image.
    pub image: &'a ImageId,
    /// What its manifest says.
    pub resolved: &'a ResolvedImage,
    /// How its registry is named.
    pub registry: &'a RegistryIdentity,
    /// The tags that lead to it at the time.
    pub tags: &'a [Tag],
    /// The indexes that name it.
    pub parents: &'a [ParentIndex],
    /// The scanner.
    pub scanner: &'a ScannerIdentity,
    /// When the assessment began.
    pub started: Timestamp,
    /// What it said.
    pub assessment: &'a Assessment,
    /// Findings that the previous report did not have.
    pub new: &'a [FindingKey],
    /// Findings of the previous report that are gone.
    pub gone: &'a [FindingKey],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire<'a> {
    schema_version: &'static str,
    report_id: &'a ReportId,
    previous_report_id: Option<&'a ReportId>,
    assessed_at: Timestamp,
    analyzed_image_name: String,
    image_digest: &'a Digest,
    layer_count: u32,
    #[serde(rename = "ECRMetadata")]
    ecr_metadata: WireMetadata<'a>,
    registry: WireRegistry<'a>,
    platform: Option<String>,
    tags: &'a [Tag],
    parent_indexes: Vec<WireParent<'a>>,
    verdict: Verdict,
    completeness: WireCompleteness<'a>,
    package_kinds: BTreeSet<&'a str>,
    scanner: WireScanner<'a>,
    knowledge: WireKnowledge<'a>,
    vulnerabilities: BTreeMap<&'static str, Vec<WireFinding<'a>>>,
    new: Vec<WireChange<'a>>,
    gone: Vec<WireChange<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireMetadata<'a> {
    image_id: WireImageId<'a>,
    manifest: WireManifest<'a>,
    repository_name: &'a str,
    registry_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireImageId<'a> {
    image_digest: &'a Digest,
}

#[derive(Serialize)]
struct WireManifest<'a> {
    config: WireConfig<'a>,
}

#[derive(Serialize)]
struct WireConfig<'a> {
    digest: &'a Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireRegistry<'a> {
    name: &'a str,
    region: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireParent<'a> {
    digest: &'a Digest,
    tags: &'a [Tag],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireCompleteness<'a> {
    level: Level,
    reasons: Vec<&'a Reason>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireScanner<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireKnowledge<'a> {
    id: Option<&'a str>,
    generation: Option<u64>,
    last_changed: Vec<WireChanged<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireChanged<'a> {
    ecosystem: &'a str,
    at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireFinding<'a> {
    name: &'a str,
    namespace_name: &'a str,
    description: &'a str,
    link: &'a str,
    severity: Severity,
    severity_source: Option<&'a str>,
    status: FindingStatus,
    feature_name: &'a str,
    feature_version: &'a str,
    feature_architecture: Option<&'a str>,
    feature_kind: &'a str,
    source_name: Option<&'a str>,
    fixed_by: Option<&'a str>,
    location: &'a str,
    layer: Option<&'a Digest>,
    aliases: &'a [String],
    records: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireChange<'a> {
    name: &'a str,
    feature_name: &'a str,
    feature_version: &'a str,
    severity: Severity,
    status: FindingStatus,
    fixed_by: Option<&'a str>,
    location: &'a str,
}

impl<'a> From<&'a FindingKey> for WireChange<'a> {
    fn from(key: &'a FindingKey) -> Self {
        Self {
            name: &key.name,
            feature_name: &key.package,
            feature_version: &key.version,
            severity: key.severity,
            status: key.status,
            fixed_by: key.fixed_by.as_deref(),
            location: &key.location,
        }
    }
}

impl<'a> From<&'a Finding> for WireFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            name: &finding.name,
            namespace_name: &finding.namespace,
            description: &finding.description,
            link: &finding.link,
            severity: finding.severity,
            severity_source: finding.severity_source.as_deref(),
            status: finding.status,
            feature_name: &finding.package,
            feature_version: &finding.version,
            feature_architecture: finding.architecture.as_deref(),
            feature_kind: &finding.kind.0,
            source_name: finding.source.as_deref(),
            fixed_by: finding.fixed_by.as_deref(),
            location: &finding.location,
            layer: finding.layer.as_ref(),
            aliases: &finding.aliases,
            records: &finding.records,
        }
    }
}

/// Writes a report: one line of JSON without a line end. The same facts give the same bytes.
#[must_use]
pub fn render_report(facts: &ReportFacts<'_>) -> Vec<u8> {
    let assessment = facts.assessment;
    let mut sorted: Vec<&Finding> = assessment.findings.iter().collect();
    sorted.sort_by_cached_key(|finding| finding.key());
    let mut vulnerabilities: BTreeMap<&'static str, Vec<WireFinding<'_>>> =
        Severity::ALL.into_iter().map(|severity| (severity.as_str(), vec![])).collect();
    for finding in sorted {
        vulnerabilities.entry(finding.severity.as_str()).or_default().push(finding.into());
    }
    let wire = Wire {
        schema_version: REPORT_SCHEMA_VERSION,
        report_id: facts.id,
        previous_report_id: facts.previous,
        assessed_at: facts.started,
        analyzed_image_name: facts.image.to_string(),
        image_digest: &facts.image.digest,
        layer_count: facts.resolved.layers,
        ecr_metadata: WireMetadata {
            image_id: WireImageId { image_digest: &facts.image.digest },
            manifest: WireManifest { config: WireConfig { digest: &facts.resolved.config } },
            repository_name: facts.image.repository.as_str(),
            registry_id: &facts.registry.registry_id,
        },
        registry: WireRegistry {
            name: facts.registry.name.as_str(),
            region: facts.registry.region.as_deref(),
        },
        platform: facts.resolved.platform.as_ref().map(ToString::to_string),
        tags: facts.tags,
        parent_indexes: facts
            .parents
            .iter()
            .map(|parent| WireParent { digest: &parent.digest, tags: &parent.tags })
            .collect(),
        verdict: Verdict::over(assessment.findings.len(), &assessment.completeness),
        completeness: WireCompleteness {
            level: assessment.completeness.level(),
            reasons: assessment.completeness.reasons().collect(),
        },
        package_kinds: assessment.looked_at.iter().map(|kind| kind.0.as_str()).collect(),
        scanner: WireScanner { name: &facts.scanner.name, version: &facts.scanner.version },
        knowledge: WireKnowledge {
            id: assessment.knowledge.id.as_ref().map(|id| id.0.as_str()),
            generation: assessment.knowledge.generation.map(|g| g.0),
            last_changed: assessment
                .knowledge
                .last_changed
                .iter()
                .map(|(ecosystem, at)| WireChanged { ecosystem, at: *at })
                .collect(),
        },
        vulnerabilities,
        new: facts.new.iter().map(WireChange::from).collect(),
        gone: facts.gone.iter().map(WireChange::from).collect(),
    };
    // A value of our own types always has a JSON form.
    serde_json::to_vec(&wire).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadBack {
    vulnerabilities: BTreeMap<String, Vec<ReadFinding>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadFinding {
    name: String,
    severity: Severity,
    status: FindingStatus,
    feature_name: String,
    feature_version: String,
    feature_architecture: Option<String>,
    fixed_by: Option<String>,
    location: String,
}

/// The findings of an archived report: what the next one's "new" and "gone" are computed from.
///
/// # Errors
/// Where the bytes are no report.
pub fn finding_keys(body: &[u8]) -> Result<BTreeSet<FindingKey>, String> {
    let report: ReadBack = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    Ok(report
        .vulnerabilities
        .into_values()
        .flatten()
        .map(|f| FindingKey {
            package: match f.feature_architecture {
                Some(architecture) => format!("{}:{architecture}", f.feature_name),
                None => f.feature_name,
            },
            name: f.name,
            version: f.feature_version,
            location: f.location,
            status: f.status,
            severity: f.severity,
            fixed_by: f.fixed_by,
        })
        .collect())
}
