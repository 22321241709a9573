//! The embedded scanner's findings and reasons in the words of the core.

use cve_monitor_core::vocabulary::{
    Completeness, Digest, Enrichments, Finding, FindingStatus, PackageKind, Probability, Reason, ReasonCode,
    Severity,
};
use cve_monitor_scanner::matching::{self, FixStatus, Matched, SeveritySource};
use cve_monitor_scanner::{LayerProblem, SbomProblem};

/// What was found, and how complete the look was. `layers` are those of the image, base first.
pub(super) fn answer(matched: Matched, layers: &[Digest]) -> (Vec<Finding>, Completeness) {
    let completeness = completeness(&matched.completeness, layers);
    (matched.findings.into_iter().map(|found| finding(found, layers)).collect(), completeness)
}

fn finding(found: matching::Finding, layers: &[Digest]) -> Finding {
    let severity_source = severity_source(found.severity_source, &found.cvss);
    Finding {
        name: found.name,
        records: found.records,
        aliases: found.aliases,
        namespace: found.namespace,
        severity: severity(found.severity),
        severity_source,
        status: status(found.status),
        kind: PackageKind(found.kind.as_str().to_owned()),
        package: found.package,
        version: found.version,
        architecture: Some(found.arch).filter(|architecture| !architecture.is_empty()),
        source: Some(found.source).filter(|source| !source.is_empty()),
        fixed_by: found.fixed_by,
        location: found.location,
        layer: layers.get(found.layer).cloned(),
        description: found.description,
        link: found.link,
        enrichments: Enrichments {
            cvss: found.cvss,
            epss: found.epss.and_then(|score| Probability::of(score.parse().ok()?)),
            known_exploited: found.known_exploited,
        },
    }
}

fn severity(severity: matching::Severity) -> Severity {
    match severity {
        matching::Severity::Unknown => Severity::Unknown,
        matching::Severity::Negligible => Severity::Negligible,
        matching::Severity::Low => Severity::Low,
        matching::Severity::Medium => Severity::Medium,
        matching::Severity::High => Severity::High,
        matching::Severity::Critical => Severity::Critical,
    }
}

fn status(status: FixStatus) -> FindingStatus {
    match status {
        FixStatus::FixAvailable => FindingStatus::FixAvailable,
        FixStatus::NoFix => FindingStatus::NoFix,
        FixStatus::WontFix => FindingStatus::WontFix,
        FixStatus::EndOfLife => FindingStatus::EndOfLife,
        FixStatus::Undetermined => FindingStatus::Undetermined,
    }
}

/// The vendor's name, or the vector; where several records have vectors of one version, that version alone.
fn severity_source(source: SeveritySource, vectors: &[String]) -> Option<String> {
    let of_version = |name: &str, belongs: fn(&str) -> bool| {
        let mut of_version = vectors.iter().filter(|vector| belongs(vector));
        match (of_version.next(), of_version.next()) {
            (Some(only), None) => only.clone(),
            _ => name.to_owned(),
        }
    };
    match source {
        SeveritySource::Nobody => None,
        SeveritySource::DebianUrgency => Some("debian".to_owned()),
        SeveritySource::UbuntuPriority => Some("ubuntu".to_owned()),
        SeveritySource::CvssV4 => Some(of_version("CVSS:4", |vector| vector.starts_with("CVSS:4"))),
        SeveritySource::CvssV3 => Some(of_version("CVSS:3", |vector| vector.starts_with("CVSS:3"))),
        SeveritySource::CvssV2 => Some(of_version("CVSS:2", |vector| !vector.starts_with("CVSS:"))),
        _ => Some("advisory".to_owned()),
    }
}

fn completeness(look: &matching::Completeness, layers: &[Digest]) -> Completeness {
    let reasons = look.reasons().iter().map(|why| reason(why, layers));
    match look {
        matching::Completeness::Complete => Completeness::complete(),
        matching::Completeness::Partial { .. } => Completeness::partial(reasons),
        matching::Completeness::Unsupported { .. } => Completeness::unsupported(reasons),
    }
}

/// A detail names what the code alone does not; counts and examples stay out of it, so that it is the same from one
/// assessment to the next.
fn reason(why: &matching::Reason, layers: &[Digest]) -> Reason {
    let (code, detail) = match why {
        matching::Reason::NoPackageDatabase => (ReasonCode::NoPackageDatabase, None),
        matching::Reason::EmptyPackageDatabase => {
            (ReasonCode::NoPackageDatabase, Some("the package database names no package".to_owned()))
        }
        matching::Reason::UnknownDistribution { id, version_id } => {
            let words: Vec<&str> = [id, version_id].into_iter().flatten().map(String::as_str).collect();
            (ReasonCode::UnknownDistribution, Some(words.join(" ")).filter(|detail| !detail.is_empty()))
        }
        matching::Reason::NoAdvisoriesForDistribution { ecosystem }
        | matching::Reason::NoAdvisoriesForEcosystem { ecosystem } => {
            (ReasonCode::NoAdvisoriesForDistribution, Some(ecosystem.clone()))
        }
        matching::Reason::EndOfLifeDistribution { ecosystem, .. } => {
            (ReasonCode::EndOfLifeDistribution, Some(ecosystem.clone()))
        }
        matching::Reason::UnreadKind { kind, .. } => (ReasonCode::UnreadKind, Some(kind.as_str().to_owned())),
        matching::Reason::LayerProblem { layer, problem } => {
            let layer = layers.get(*layer).map_or_else(|| layer.to_string(), Digest::to_string);
            (problem_code(problem), Some(format!("{layer}: {}", problem_words(problem))))
        }
        matching::Reason::SbomProblem { digest, problem } => {
            (sbom_code(problem), Some(sbom_words(digest.as_deref(), problem)))
        }
        // A reason of a later scanner: whatever it is, the look is not complete.
        other => (ReasonCode::LayerUnreadable, Some(other.code().to_owned())),
    };
    Reason { code, detail }
}

fn problem_code(problem: &LayerProblem) -> ReasonCode {
    match problem {
        LayerProblem::LayerTooLarge { .. }
        | LayerProblem::TooManyMembers { .. }
        | LayerProblem::NameTooLong { .. }
        | LayerProblem::RecordTooLarge { .. }
        | LayerProblem::DatabaseTooLarge { .. } => ReasonCode::BoundReached,
        _ => ReasonCode::LayerUnreadable,
    }
}

fn sbom_code(problem: &SbomProblem) -> ReasonCode {
    match problem {
        SbomProblem::NoneAttached => ReasonCode::NoPackageDatabase,
        SbomProblem::UnknownPackages { .. } => ReasonCode::UnreadKind,
        SbomProblem::TooLong { .. } | SbomProblem::TooManyPackages { .. } => ReasonCode::BoundReached,
        _ => ReasonCode::LayerUnreadable,
    }
}

fn sbom_words(digest: Option<&str>, problem: &SbomProblem) -> String {
    let sbom = digest.map_or_else(|| "the SBOM".to_owned(), |digest| format!("SBOM {digest}"));
    match problem {
        SbomProblem::NoneAttached => "no SBOM is attached to the image".to_owned(),
        SbomProblem::UnknownPackages { kind, .. } => kind.clone(),
        other => format!("{sbom}: {}", other.code()),
    }
}

fn problem_words(problem: &LayerProblem) -> String {
    let code = problem.code();
    match problem {
        LayerProblem::UnsupportedFormat { found } => format!("{code}: {found}"),
        LayerProblem::DatabaseTooLarge { path, .. }
        | LayerProblem::MalformedDatabase { path, .. }
        | LayerProblem::DatabaseUnreachable { path }
        | LayerProblem::SparseDatabase { path }
        | LayerProblem::NameLeavesRoot { path } => format!("{code}: {path}"),
        _ => code.to_owned(),
    }
}
