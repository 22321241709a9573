//! The report: one JSON object on one line. The fields that reports have always had keep their names.

mod wire;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::wire::{
    Wire, WireChange, WireChanged, WireCompleteness, WireConfig, WireFinding, WireImageId, WireKnowledge,
    WireManifest, WireMetadata, WireParent, WireRegistry, WireScanner,
};
use super::{ReportId, ResolvedImage};
use crate::vocabulary::{
    Assessment, Digest, Finding, FindingKey, FindingStatus, ImageId, RegistryIdentity, ScannerIdentity,
    Severity, Tag, Timestamp, Verdict,
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
        sbom_digest: assessment.sbom.as_ref(),
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
