//! A finding: one vulnerability of one package instance, whatever records speak of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::assess::group::{Group, Hit};
use super::evaluate::Fix;
use super::severity::{Severity, SeveritySource, severity_of};
use crate::advisory::{Ecosystem, Rated, RecordText};
use crate::version::VersionOrder;
use crate::{PackageInstance, PackageKind};

/// One vulnerability of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The CVE, where there is one; else the GHSA; else the record's id.
    pub name: String,
    /// The ids of the records that say so, sorted.
    pub records: Vec<String>,
    /// Other names of the vulnerability, sorted.
    pub aliases: Vec<String>,
    /// The kind of package.
    pub kind: PackageKind,
    /// The package's name; of a distribution's, the binary package's.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The source package's name; empty for packages of languages.
    pub source: String,
    /// The source package's version; empty for packages of languages.
    pub source_version: String,
    /// The architecture; empty for packages of languages.
    pub arch: String,
    /// The path of the file that names the package.
    pub location: String,
    /// The layer that brought the package in, counted from the base.
    pub layer: usize,
    /// How bad it is.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: SeveritySource,
    /// The version that fixes it: the source's where advisories speak of source packages.
    pub fixed_by: Option<String>,
    /// What there is to do.
    pub status: FixStatus,
    /// The summary, or the beginning of the details.
    pub description: String,
    /// Where to read more.
    pub link: String,
    /// The distribution, as Clair writes it, such as `debian:12`; for packages of languages the ecosystem, such as
    /// `PyPI`.
    pub namespace: String,
    /// CVSS vectors, newest version first.
    pub cvss: Vec<String>,
    /// The probability that it is exploited within 30 days, as FIRST writes it (EPSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<String>,
    /// It is known to have been exploited (CISA's catalogue).
    #[serde(default)]
    pub known_exploited: bool,
}

/// What there is to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixStatus {
    /// A fixed version exists.
    FixAvailable,
    /// None exists yet.
    NoFix,
    /// The vendor will not make one. Of what is read, Chainguard's records alone say this (`fix-not-planned`).
    WontFix,
    /// The vendor does not look after the package any more.
    EndOfLife,
    /// The advisory does not say.
    Undetermined,
}

/// What a finding is about.
pub(super) struct Subject<'a> {
    pub(super) package: &'a PackageInstance,
    pub(super) ecosystem: &'a Ecosystem,
    pub(super) namespace: String,
    pub(super) order: VersionOrder,
}

impl Finding {
    /// Makes one finding of all that affects a package under one name. `texts` are those of the group's records.
    pub(super) fn of(group: &Group<'_>, subject: &Subject<'_>, texts: &[RecordText], rated: Rated) -> Self {
        let Subject { package, ecosystem, namespace, order } = subject;
        let rules = || group.hits.iter().map(|hit| hit.0);
        let records: BTreeSet<&str> = rules().map(|rule| rule.record.as_str()).collect();
        let is_alias = |name: &&str| *name != group.name && !records.contains(name);
        let aliases: BTreeSet<&str> = group.names.iter().copied().filter(is_alias).collect();
        // Who is more telling decides; of equals, the worse.
        let (severity_source, severity) = rules()
            .map(severity_of)
            .map(|(severity, source)| (source, severity))
            .max()
            .unwrap_or((SeveritySource::Nobody, Severity::Unknown));
        let fixed_by = group.hits.iter().filter_map(|hit| match &hit.1 {
            Fix::In(version) => Some(version),
            Fix::None | Fix::Unsaid => None,
        });
        // All records have to be satisfied: the latest of the fixes is the one to install.
        let fixed_by = fixed_by.max_by(|left, right| order.compare(left, right)).cloned();
        let mut vectors: BTreeSet<(&str, &str)> = BTreeSet::new();
        for entry in rules().flat_map(|rule| &rule.severity) {
            if entry.kind.starts_with("CVSS_") {
                vectors.insert((&entry.kind, &entry.score));
            }
        }
        let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
        let first = |pick: fn(&RecordText) -> &String| {
            texts.iter().map(pick).find(|text| !text.is_empty()).cloned().unwrap_or_default()
        };
        let of_system = |text: &String| if ecosystem.is_system() { text.clone() } else { String::new() };
        Self {
            name: group.name.to_owned(),
            records: owned(records),
            aliases: owned(aliases),
            kind: package.kind,
            package: package.name.clone(),
            version: package.version.clone(),
            source: of_system(&package.source),
            source_version: of_system(&package.source_version),
            arch: package.arch.clone(),
            location: package.location.clone(),
            layer: package.layer,
            severity,
            severity_source,
            status: status(&group.hits, fixed_by.is_some()),
            fixed_by,
            description: first(|text| &text.description),
            link: first(|text| &text.link),
            namespace: namespace.clone(),
            cvss: vectors.into_iter().rev().map(|(_, score)| score.to_owned()).collect(),
            epss: rated.epss,
            known_exploited: rated.known_exploited,
        }
    }

    /// What findings are sorted by.
    pub(super) fn place(&self) -> (&str, &str, &str, &str) {
        (&self.location, &self.package, &self.arch, &self.name)
    }
}

fn status(hits: &[&Hit<'_>], has_fix: bool) -> FixStatus {
    let is_end_of_life = |hit: &&Hit<'_>| hit.0.urgency.as_deref() == Some("end-of-life");
    if has_fix {
        FixStatus::FixAvailable
    } else if hits.iter().any(is_end_of_life) {
        FixStatus::EndOfLife
    } else if hits.iter().any(|hit| hit.0.wont_fix) {
        FixStatus::WontFix
    } else if hits.iter().any(|hit| hit.1 == Fix::None) {
        FixStatus::NoFix
    } else {
        FixStatus::Undetermined
    }
}
