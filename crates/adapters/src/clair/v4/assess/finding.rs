//! Findings out of a vulnerability report.

use std::collections::BTreeMap;

use cve_monitor_core::vocabulary::{Enrichments, Finding, FindingStatus, PackageKind, Severity};

use super::enrichments::{Enriched, join};
use super::installed::{Installed, namespace};
use super::names::Names;
use super::wire::{Report, Vulnerability};

/// The longest description that a finding carries, in characters.
pub(super) const MAX_DESCRIPTION: usize = 1000;
/// What is the same vulnerability in the same package, whichever advisories say so.
type Same = (String, String, Option<String>, String, String);

/// All findings. Advisories of one vulnerability become one finding.
pub(super) fn findings(report: &Report, installed: &[Installed<'_>]) -> Vec<Finding> {
    let enriched = Enriched::of(report);
    let mut places: BTreeMap<&str, Vec<&Installed<'_>>> = BTreeMap::new();
    for package in installed {
        places.entry(package.id).or_default().push(package);
    }
    let mut groups: BTreeMap<Same, Vec<Finding>> = BTreeMap::new();
    for (id, vulnerabilities) in &report.package_vulnerabilities {
        for number in &vulnerabilities.0 {
            let Some(vulnerability) = report.vulnerabilities.get(number) else { continue };
            for package in places.get(id.as_str()).into_iter().flatten() {
                let found = finding(vulnerability, enriched.get(number), package);
                let same = (
                    found.name.clone(),
                    found.package.clone(),
                    found.architecture.clone(),
                    found.version.clone(),
                    found.location.clone(),
                );
                groups.entry(same).or_default().push(found);
            }
        }
    }
    groups.into_values().filter_map(joined).collect()
}

/// Whether the report calls a package vulnerable without saying to what, or where it lies: that is no finding.
pub(super) fn leaves_out(report: &Report) -> bool {
    let is_placed = |id: &String| {
        report.packages.contains_key(id) && report.environments.get(id).is_some_and(|list| !list.0.is_empty())
    };
    report.package_vulnerabilities.iter().any(|(id, numbers)| {
        let mut numbers = numbers.0.iter();
        numbers.any(|number| !is_placed(id) || !report.vulnerabilities.contains_key(number))
    })
}

/// One finding out of those of several advisories: the worst of them, and a repair where one knows of any. The order
/// in which they came makes no difference.
fn joined(mut group: Vec<Finding>) -> Option<Finding> {
    group.sort_by(|one, other| {
        let rank = |found: &Finding| (std::cmp::Reverse(found.severity), found.fixed_by.is_none());
        let rest = |found: &Finding| (found.fixed_by.clone(), found.records.clone(), found.namespace.clone());
        rank(one).cmp(&rank(other)).then_with(|| rest(one).cmp(&rest(other)))
    });
    let mut group = group.into_iter();
    let mut first = group.next()?;
    for other in group {
        first.records.extend(other.records);
        first.aliases.extend(other.aliases);
        join(&mut first.enrichments, other.enrichments);
        if first.fixed_by.is_none() && other.fixed_by.is_some() {
            (first.fixed_by, first.status) = (other.fixed_by, other.status);
        }
    }
    first.records.sort();
    first.records.dedup();
    first.aliases.sort();
    first.aliases.dedup();
    Some(first)
}

fn finding(vulnerability: &Vulnerability, looked_up: Enrichments, installed: &Installed<'_>) -> Finding {
    let names = Names::of(vulnerability);
    let fixed_by = fixed_by(vulnerability, installed);
    let package = installed.package;
    let source = package.source.as_ref().map(|source| source.name.clone());
    let severity = severity(&vulnerability.normalized_severity);
    let mut enrichments = looked_up;
    join(&mut enrichments, Enrichments { cvss: vectors(vulnerability), ..Enrichments::default() });
    Finding {
        name: names.name,
        records: vec![names.record],
        aliases: names.aliases.into_iter().collect(),
        namespace: namespace_of(vulnerability, installed),
        severity,
        severity_source: severity_source(vulnerability, severity),
        status: if fixed_by.is_some() { FindingStatus::FixAvailable } else { FindingStatus::NoFix },
        kind: PackageKind::from(&installed.kind),
        package: package.name.clone(),
        version: package.version.clone(),
        architecture: Some(package.arch.clone()).filter(|text| !text.is_empty()),
        source: source.filter(|name| !name.is_empty()),
        fixed_by,
        location: installed.location.to_owned(),
        layer: installed.layer.clone(),
        description: vulnerability.description.trim().chars().take(MAX_DESCRIPTION).collect(),
        link: vulnerability.links.split_ascii_whitespace().next().unwrap_or_default().to_owned(),
        enrichments,
    }
}

/// What the advisory speaks about; where it does not say (Red Hat's speak about CPEs), what the package belongs to.
fn namespace_of(vulnerability: &Vulnerability, installed: &Installed<'_>) -> String {
    let told = vulnerability.distribution.as_ref().filter(|distribution| !distribution.did.is_empty());
    let of_language = || {
        let told = vulnerability.repository.as_ref().map(|repository| repository.name.as_str());
        installed.repository.and_then(|own| told.filter(|name| !name.is_empty()).or(Some(own)))
    };
    told.map(namespace)
        .or_else(|| of_language().map(str::to_owned))
        .or_else(|| installed.distribution.map(namespace))
        .unwrap_or_else(|| vulnerability.updater.clone())
}

fn fixed_by(vulnerability: &Vulnerability, installed: &Installed<'_>) -> Option<String> {
    let text = vulnerability.fixed_in_version.as_str();
    let version = if installed.kind.is_repaired_by_range() && text.contains('=') {
        let mut ends = url::form_urlencoded::parse(text.as_bytes());
        ends.find(|(key, _)| key == "fixed").map(|(_, version)| version.into_owned())
    } else {
        Some(text.to_owned())
    };
    version.filter(|version| !version.is_empty())
}

/// Clair's own words. `Defcon1` is one of Clair v2's, which no report of v4 has had; it is as bad as it gets.
fn severity(word: &str) -> Severity {
    if word == "Defcon1" { Severity::Critical } else { word.parse().unwrap_or(Severity::Unknown) }
}

/// Whose word the severity is, with that word: `debian:unimportant`. An advisory of OSV is rated by a CVSS vector.
fn severity_source(vulnerability: &Vulnerability, severity: Severity) -> Option<String> {
    let word = vulnerability.severity.trim();
    let vendor = vulnerability.updater.split(['/', '-']).next().unwrap_or_default();
    match (vendor, word) {
        _ if severity == Severity::Unknown => None,
        ("osv", vector) if is_vector(vector) => Some(vector.to_owned()),
        (vendor, "") => Some(vendor.to_owned()),
        (vendor, word) => Some(format!("{vendor}:{word}")),
    }
}

/// The vector that some updaters (OSV's, Red Hat's) write where others have the vendor's word.
fn vectors(vulnerability: &Vulnerability) -> Vec<String> {
    Some(vulnerability.severity.trim())
        .filter(|word| is_vector(word))
        .map(str::to_owned)
        .into_iter()
        .collect()
}

fn is_vector(word: &str) -> bool {
    word.starts_with("CVSS:")
}
