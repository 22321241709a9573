//! A finding: one vulnerability of one package instance, whatever records speak of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::evaluate::Fix;
use super::severity::{Severity, SeveritySource, severity_of};
use crate::PackageInstance;
use crate::advisory::{RecordText, Rule};
use crate::version::dpkg;

/// One vulnerability of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The CVE, where the records are about one; else the record's id.
    pub name: String,
    /// The ids of the records that say so, sorted.
    pub records: Vec<String>,
    /// Other names of the vulnerability, sorted.
    pub aliases: Vec<String>,
    /// The binary package's name.
    pub package: String,
    /// The binary package's version.
    pub version: String,
    /// The source package's name.
    pub source: String,
    /// The source package's version, which is what was compared.
    pub source_version: String,
    /// The architecture.
    pub arch: String,
    /// The path of the database that names the package.
    pub location: String,
    /// The layer that brought the package in, counted from the base.
    pub layer: usize,
    /// How bad it is.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: SeveritySource,
    /// The source version that fixes it.
    pub fixed_by: Option<String>,
    /// What there is to do.
    pub status: FixStatus,
    /// The summary, or the beginning of the details.
    pub description: String,
    /// Where to read more.
    pub link: String,
    /// The distribution, as Clair writes it: `debian:12`.
    pub namespace: String,
    /// CVSS vectors, newest version first.
    pub cvss: Vec<String>,
}

/// What there is to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixStatus {
    /// A fixed version exists.
    FixAvailable,
    /// None exists yet.
    NoFix,
    /// The vendor will not make one. No source that is read so far says this.
    WontFix,
    /// The vendor does not look after the package any more.
    EndOfLife,
    /// The advisory does not say.
    Undetermined,
}

/// A rule that affects the package, and what it says about a fix.
pub(super) type Hit<'a> = (&'a Rule, Fix);

impl Finding {
    /// Makes one finding of all that affects a package under one name. `hits` is not empty.
    pub(super) fn of(
        name: &str,
        hits: &[Hit<'_>],
        package: &PackageInstance,
        namespace: &str,
        texts: &[RecordText],
    ) -> Self {
        let rules = || hits.iter().map(|(rule, _)| *rule);
        let records: BTreeSet<&str> = rules().map(|rule| rule.record.as_str()).collect();
        let aliases: BTreeSet<&str> = rules()
            .flat_map(|rule| rule.aliases.iter().chain(&rule.upstream))
            .map(String::as_str)
            .filter(|alias| *alias != name && !records.contains(alias))
            .collect();
        // Who is more telling decides; of equals, the worse.
        let (severity_source, severity) = rules()
            .map(severity_of)
            .map(|(severity, source)| (source, severity))
            .max()
            .unwrap_or((SeveritySource::Nobody, Severity::Unknown));
        let fixed_by = hits.iter().filter_map(|(_, fix)| match fix {
            Fix::In(version) => Some(version),
            Fix::None | Fix::Unsaid => None,
        });
        // All records have to be satisfied: the latest of the fixes is the one to install.
        let fixed_by = fixed_by.max_by(|left, right| dpkg::compare(left, right)).cloned();
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
        Self {
            name: name.to_owned(),
            records: owned(records),
            aliases: owned(aliases),
            package: package.name.clone(),
            version: package.version.clone(),
            source: package.source.clone(),
            source_version: package.source_version.clone(),
            arch: package.arch.clone(),
            location: package.location.clone(),
            layer: package.layer,
            severity,
            severity_source,
            status: status(hits, fixed_by.is_some()),
            fixed_by,
            description: first(|text| &text.description),
            link: first(|text| &text.link),
            namespace: namespace.to_owned(),
            cvss: vectors.into_iter().rev().map(|(_, score)| score.to_owned()).collect(),
        }
    }
}

fn status(hits: &[Hit<'_>], has_fix: bool) -> FixStatus {
    let is_end_of_life = |(rule, _): &Hit<'_>| rule.urgency.as_deref() == Some("end-of-life");
    if has_fix {
        FixStatus::FixAvailable
    } else if hits.iter().any(is_end_of_life) {
        FixStatus::EndOfLife
    } else if hits.iter().any(|(_, fix)| *fix == Fix::None) {
        FixStatus::NoFix
    } else {
        FixStatus::Undetermined
    }
}
