//! What Clair says of an image, in the words of the core.

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::{
    Assessment, Completeness, Enrichments, Finding, FindingStatus, Knowledge, PackageKind, Reason,
    ReasonCode, Severity,
};

use super::chain::{Note, Unread, blob_in_name};
use super::wire::{Feature, Layer, Vulnerability};

/// Clair v2's data has no version, and does not tell when it changed.
pub(super) fn unversioned() -> Knowledge {
    Knowledge { id: None, generation: None, last_changed: std::collections::BTreeMap::new() }
}

/// What one answer shows, before it is known how much Clair knew when it gave it.
#[derive(Debug)]
pub(super) struct Look {
    findings: Vec<Finding>,
    kinds: BTreeSet<PackageKind>,
    reasons: BTreeSet<Reason>,
    /// Distributions of which packages are there and nothing was found.
    pub(super) quiet: BTreeSet<String>,
    /// Whether any package was read: where none was, what Clair knows does not matter.
    pub(super) has_packages: bool,
}

impl Look {
    /// What is in the answer. `notes` are about layers that Clair could not read.
    pub(super) fn at(layer: &Layer, notes: &[Note]) -> Self {
        let mut look = Self {
            findings: layer.features.iter().flat_map(findings).collect(),
            kinds: layer.features.iter().map(kind).collect(),
            reasons: notes.iter().map(unread).collect(),
            quiet: BTreeSet::new(),
            has_packages: !layer.features.is_empty(),
        };
        if !look.has_packages {
            look.reasons.insert(no_packages(&layer.namespace_name));
        }
        for feature in &layer.features {
            if feature.namespace_name.is_empty() {
                look.reasons.insert(Reason { code: ReasonCode::UnknownDistribution, detail: None });
            } else {
                look.quiet.insert(feature.namespace_name.clone());
            }
        }
        // Clair that says something of a distribution has data about it.
        look.quiet.retain(|quiet| !look.findings.iter().any(|finding| finding.namespace == *quiet));
        look
    }

    /// Whether anything was found.
    pub(super) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Says another reason why the look is not complete.
    pub(super) fn because(&mut self, code: ReasonCode, detail: Option<String>) {
        self.reasons.insert(Reason { code, detail });
    }

    pub(super) fn into_assessment(self) -> Assessment {
        let completeness = if self.has_packages { Completeness::partial } else { Completeness::unsupported };
        Assessment {
            findings: self.findings,
            completeness: completeness(self.reasons.into_iter().collect::<Vec<_>>()),
            looked_at: self.kinds.into_iter().collect(),
            sbom: None,
            knowledge: unversioned(),
        }
    }
}

/// Clair answers 201 for an image in which it recognises nothing; that is no clean image.
fn no_packages(namespace: &str) -> Reason {
    let detail = (!namespace.is_empty()).then(|| namespace.to_owned());
    Reason { code: ReasonCode::NoPackageDatabase, detail }
}

fn unread(note: &Note) -> Reason {
    let (code, detail) = match note {
        Note::Unread(blob, Unread::Zstd) => {
            (ReasonCode::LayerUnreadable, format!("{blob}: compressed with zstd, which Clair v2 cannot read"))
        }
        Note::Unread(blob, Unread::Archive) => {
            (ReasonCode::LayerUnreadable, format!("{blob}: not an archive that Clair v2 can read"))
        }
        Note::Unread(blob, Unread::Absent) => {
            (ReasonCode::LayerUnreadable, format!("{blob}: the registry does not hold it"))
        }
        Note::Unread(blob, Unread::TooLarge) => {
            (ReasonCode::BoundReached, format!("{blob}: a package database is larger than Clair v2 reads"))
        }
        Note::Unread(blob, Unread::System) => (ReasonCode::UnknownDistribution, format!("layer {blob}")),
        Note::More(count) => (ReasonCode::LayerUnreadable, format!("{count} more layers")),
    };
    Reason { code, detail: Some(detail) }
}

fn kind(feature: &Feature) -> PackageKind {
    let kind = match feature.version_format.as_str() {
        "rpm" => "rpm",
        // Clair compares the versions of Alpine like those of Debian.
        _ if feature.namespace_name.starts_with("alpine:") => "apk",
        "dpkg" => "deb",
        other => other,
    };
    PackageKind(kind.to_owned())
}

/// The file that says that a package of this kind is installed (`RequiredFilenames` of its readers).
fn database(kind: &PackageKind) -> &'static str {
    match kind.0.as_str() {
        "rpm" => "var/lib/rpm/Packages",
        "apk" => "lib/apk/db/installed",
        "deb" => "var/lib/dpkg/status",
        _ => "",
    }
}

fn findings(feature: &Feature) -> impl Iterator<Item = Finding> {
    let kind = kind(feature);
    feature.vulnerabilities.iter().map(move |vulnerability| finding(feature, vulnerability, &kind))
}

fn finding(feature: &Feature, vulnerability: &Vulnerability, kind: &PackageKind) -> Finding {
    let (severity, severity_source) = severity(&vulnerability.severity);
    let fixed_by = Some(vulnerability.fixed_by.clone()).filter(|version| !version.is_empty());
    Finding {
        name: vulnerability.name.clone(),
        records: vec![vulnerability.name.clone()],
        aliases: vec![],
        namespace: vulnerability.namespace_name.clone(),
        severity,
        severity_source,
        status: if fixed_by.is_some() { FindingStatus::FixAvailable } else { FindingStatus::NoFix },
        location: database(kind).to_owned(),
        // Of Debian's packages Clair keeps the source alone.
        source: (kind.0 == "deb").then(|| feature.name.clone()),
        kind: kind.clone(),
        package: feature.name.clone(),
        version: feature.version.clone(),
        architecture: None,
        fixed_by,
        layer: blob_in_name(&feature.added_by),
        description: vulnerability.description.clone(),
        link: vulnerability.link.clone(),
        enrichments: Enrichments { cvss: vectors(vulnerability), ..Enrichments::default() },
    }
}

/// The vectors that the national vulnerability database gives, the later version of CVSS first.
fn vectors(vulnerability: &Vulnerability) -> Vec<String> {
    let nvd = &vulnerability.metadata["NVD"];
    let vectors = ["CVSSv3", "CVSSv2"].map(|version| nvd[version]["Vectors"].as_str());
    vectors.into_iter().flatten().filter(|vector| !vector.is_empty()).map(str::to_owned).collect()
}

/// Clair has a word above critical, which is kept as the source. It does not tell whose the others are.
fn severity(word: &str) -> (Severity, Option<String>) {
    if word.eq_ignore_ascii_case("Defcon1") {
        return (Severity::Critical, Some("Defcon1".to_owned()));
    }
    (word.parse().unwrap_or(Severity::Unknown), None)
}

#[cfg(test)]
mod tests;
