//! Reports of Clair v4: what is in an image, what was found, and how complete the look was.

mod coverage;
mod enrichments;
mod finding;
mod installed;
mod names;
#[cfg(feature = "testkit")]
pub(super) mod testkit;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::{Assessment, Completeness, Finding, LayerKey, Reason, ReasonCode};

use self::installed::{Installed, Kind};
use super::keys::further_keys;
use super::operations::{Operations, matches};

pub(super) use wire::Report;

/// What a report says, made while these were the latest operations. `missing` are the updaters that were expected and
/// have been given up waiting for.
pub(super) fn assessment(report: &Report, known: &Operations, missing: &[String]) -> Assessment {
    let installed = Installed::all(report);
    let findings = finding::findings(report, &installed);
    let look = Look::at(report, &installed, known, missing);
    Assessment {
        completeness: look.completeness(&findings),
        findings,
        looked_at: look.looked_at.iter().map(|kind| kind.into()).collect(),
        sbom: None,
        knowledge: known.knowledge(),
    }
}

/// The layer keys that an image has by its packages: a package is known by its own name and its source's.
pub(super) fn package_keys(report: &Report) -> Vec<LayerKey> {
    let installed = Installed::all(report);
    let packages = installed.iter().filter_map(|found| Some((found.ecosystem()?, found.package)));
    further_keys(packages.flat_map(|(ecosystem, package)| {
        let source = package.source.as_ref().map(|source| (ecosystem, source.name.as_str()));
        [Some((ecosystem, package.name.as_str())), source].into_iter().flatten()
    }))
}

/// An image that Clair cannot read at all: nothing can be said, whatever is known.
pub(super) fn unreadable(known: &Operations, detail: &str) -> Assessment {
    Assessment {
        findings: vec![],
        completeness: Completeness::unsupported([reason(ReasonCode::LayerUnreadable, detail)]),
        looked_at: vec![],
        sbom: None,
        knowledge: known.knowledge(),
    }
}

/// What could be looked at, and what could not.
#[derive(Default)]
struct Look {
    looked_at: BTreeSet<Kind>,
    reasons: BTreeSet<Reason>,
    /// The updaters that the image needs, as patterns.
    wanted: BTreeSet<String>,
}

impl Look {
    fn at(report: &Report, installed: &[Installed<'_>], known: &Operations, missing: &[String]) -> Self {
        let mut look = Self::default();
        look.at_distribution(report, installed, known);
        let kinds: BTreeSet<Kind> = installed.iter().map(|package| package.kind).collect();
        for kind in kinds {
            if let Some(updater) = coverage::language_updater(kind.as_str()) {
                look.need(updater.to_owned(), known, kind);
            } else if kind == Kind::Unknown {
                look.because(ReasonCode::UnreadKind, "packages of a kind that is not known");
            }
        }
        if finding::leaves_out(report) {
            look.because(ReasonCode::KnowledgeNotReady, "the report names what it does not describe");
        }
        for updater in missing.iter().filter(|name| coverage::may_concern(name, &look.wanted)) {
            look.reasons.insert(reason(ReasonCode::SourceMissing, updater));
        }
        look
    }

    fn at_distribution(&mut self, report: &Report, installed: &[Installed<'_>], known: &Operations) {
        let of_system: Vec<&Installed<'_>> =
            installed.iter().filter(|package| package.kind.is_of_distribution()).collect();
        if of_system.is_empty() {
            self.reasons.insert(Reason { code: ReasonCode::NoPackageDatabase, detail: None });
        }
        if report.distributions.is_empty() || of_system.iter().any(|package| package.distribution.is_none()) {
            self.reasons.insert(Reason { code: ReasonCode::UnknownDistribution, detail: None });
        }
        let told_of: BTreeSet<(&str, String)> = report
            .vulnerabilities
            .values()
            .filter_map(|told| {
                Some((told.updater.as_str(), installed::namespace(told.distribution.as_ref()?)))
            })
            .collect();
        for package in of_system {
            let Some(distribution) = package.distribution else { continue };
            let namespace = installed::namespace(distribution);
            let Some(updaters) = coverage::updaters(distribution) else {
                self.because(ReasonCode::NoAdvisoriesForDistribution, &namespace);
                continue;
            };
            let has_advisories = completed(&updaters.own, known)
                && (coverage::is_certain(distribution)
                    || told_of.contains(&(updaters.own.as_str(), namespace.clone())));
            if !has_advisories {
                self.because(ReasonCode::NoAdvisoriesForDistribution, &namespace);
            } else if distribution.did == "rhel" && !package.of_red_hat {
                // Red Hat's advisories go by the repository alone (claircore, rhel/matcher.go).
                let detail = format!("{namespace}: packages from none of Red Hat's repositories");
                self.because(ReasonCode::NoAdvisoriesForDistribution, &detail);
            } else {
                self.looked_at.insert(package.kind);
            }
            if distribution.did == "ol" {
                for year in coverage::missing_years(known) {
                    self.because(ReasonCode::SourceMissing, &year);
                }
            }
            if let Some(besides) = updaters.besides {
                self.need(besides, known, package.kind);
            }
            self.wanted.insert(updaters.own);
        }
    }

    /// Looks at a kind of package where this updater has completed; says so where it has not.
    fn need(&mut self, updater: String, known: &Operations, kind: Kind) {
        if completed(&updater, known) {
            self.looked_at.insert(kind);
        } else {
            self.because(ReasonCode::SourceMissing, &updater);
        }
        self.wanted.insert(updater);
    }

    fn because(&mut self, code: ReasonCode, detail: &str) {
        self.reasons.insert(reason(code, detail));
    }

    fn completeness(&self, findings: &[Finding]) -> Completeness {
        let reasons = self.reasons.iter().cloned();
        if self.looked_at.is_empty() && findings.is_empty() {
            Completeness::unsupported(reasons)
        } else {
            Completeness::partial(reasons)
        }
    }
}

fn completed(pattern: &str, known: &Operations) -> bool {
    known.latest().any(|(updater, _)| matches(pattern, updater))
}

fn reason(code: ReasonCode, detail: &str) -> Reason {
    Reason { code, detail: Some(detail.to_owned()) }
}
