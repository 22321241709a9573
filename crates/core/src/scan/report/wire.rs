//! The report on the wire: field names are fixed for ever, and only added within a schema version.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::scan::ReportId;
use crate::vocabulary::{
    Digest, Finding, FindingKey, FindingStatus, Level, Probability, Reason, Severity, Tag, Timestamp, Verdict,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Wire<'a> {
    pub(super) schema_version: &'static str,
    pub(super) report_id: &'a ReportId,
    pub(super) previous_report_id: Option<&'a ReportId>,
    pub(super) assessed_at: Timestamp,
    pub(super) analyzed_image_name: String,
    pub(super) image_digest: &'a Digest,
    pub(super) layer_count: u32,
    #[serde(rename = "ECRMetadata")]
    pub(super) ecr_metadata: WireMetadata<'a>,
    pub(super) registry: WireRegistry<'a>,
    pub(super) platform: Option<String>,
    pub(super) tags: &'a [Tag],
    pub(super) parent_indexes: Vec<WireParent<'a>>,
    pub(super) verdict: Verdict,
    pub(super) completeness: WireCompleteness<'a>,
    pub(super) package_kinds: BTreeSet<&'a str>,
    pub(super) sbom_digest: Option<&'a Digest>,
    pub(super) scanner: WireScanner<'a>,
    pub(super) knowledge: WireKnowledge<'a>,
    pub(super) vulnerabilities: BTreeMap<&'static str, Vec<WireFinding<'a>>>,
    pub(super) new: Vec<WireChange<'a>>,
    pub(super) gone: Vec<WireChange<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMetadata<'a> {
    pub(super) image_id: WireImageId<'a>,
    pub(super) manifest: WireManifest<'a>,
    pub(super) repository_name: &'a str,
    pub(super) registry_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireImageId<'a> {
    pub(super) image_digest: &'a Digest,
}

#[derive(Serialize)]
pub(super) struct WireManifest<'a> {
    pub(super) config: WireConfig<'a>,
}

#[derive(Serialize)]
pub(super) struct WireConfig<'a> {
    pub(super) digest: &'a Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireRegistry<'a> {
    pub(super) name: &'a str,
    pub(super) region: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireParent<'a> {
    pub(super) digest: &'a Digest,
    pub(super) tags: &'a [Tag],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCompleteness<'a> {
    pub(super) level: Level,
    pub(super) reasons: Vec<&'a Reason>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireScanner<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireKnowledge<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) generation: Option<u64>,
    pub(super) last_changed: Vec<WireChanged<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireChanged<'a> {
    pub(super) ecosystem: &'a str,
    pub(super) at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireFinding<'a> {
    pub(super) name: &'a str,
    pub(super) namespace_name: &'a str,
    pub(super) description: &'a str,
    pub(super) link: &'a str,
    pub(super) severity: Severity,
    pub(super) severity_source: Option<&'a str>,
    pub(super) status: FindingStatus,
    pub(super) feature_name: &'a str,
    pub(super) feature_version: &'a str,
    pub(super) feature_architecture: Option<&'a str>,
    pub(super) feature_kind: &'a str,
    pub(super) source_name: Option<&'a str>,
    pub(super) fixed_by: Option<&'a str>,
    pub(super) location: &'a str,
    pub(super) layer: Option<&'a Digest>,
    pub(super) aliases: &'a [String],
    pub(super) records: &'a [String],
    pub(super) cvss: &'a [String],
    pub(super) epss: Option<f64>,
    pub(super) known_exploited: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireChange<'a> {
    pub(super) name: &'a str,
    pub(super) feature_name: &'a str,
    pub(super) feature_version: &'a str,
    pub(super) severity: Severity,
    pub(super) status: FindingStatus,
    pub(super) fixed_by: Option<&'a str>,
    pub(super) location: &'a str,
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
            cvss: &finding.enrichments.cvss,
            epss: finding.enrichments.epss.map(Probability::number),
            known_exploited: finding.enrichments.known_exploited,
        }
    }
}
