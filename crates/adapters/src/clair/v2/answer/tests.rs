//! Captured answers, as assessments.

use cve_monitor_core::vocabulary::{Digest, Level, Verdict};

use super::*;
use crate::clair::v2::captured::captured;
use crate::clair::v2::chain::{Edition, chain, layer_name};
use crate::clair::v2::wire::LayerEnvelope;

fn layer((status, body): (u16, &str)) -> Layer {
    assert_eq!(status, 200);
    serde_json::from_str::<LayerEnvelope>(body).expect("a layer").layer
}

fn reasons(assessment: &Assessment) -> Vec<(ReasonCode, Option<&str>)> {
    assessment.completeness.reasons().map(|reason| (reason.code, reason.detail.as_deref())).collect()
}

#[test]
fn packages_with_vulnerabilities_become_findings() {
    let layer = layer(captured!("94-get-layer-with-vulns"));
    let look = Look::at(&layer, &[]);
    assert!(look.has_findings() && look.quiet.is_empty());
    let assessment = look.into_assessment();
    assert_eq!(assessment.completeness.level(), Level::Complete);
    assert_eq!(assessment.looked_at, [PackageKind("deb".to_owned())]);
    assert_eq!(assessment.knowledge, unversioned());
    let mut findings = assessment.findings;
    findings.sort_by(|one, other| one.name.cmp(&other.name));
    let [openssl, curl, bash] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((openssl.name.as_str(), openssl.namespace.as_str()), ("CVE-2099-0001", "debian:12"));
    assert_eq!((openssl.severity, &openssl.severity_source), (Severity::Critical, &None));
    assert_eq!(openssl.fixed_by.as_deref(), Some("3.1.0-1"));
    assert_eq!((openssl.status, curl.status), (FindingStatus::FixAvailable, FindingStatus::NoFix));
    assert_eq!((openssl.package.as_str(), openssl.version.as_str()), ("openssl", "3.0.19-1~deb12u2"));
    assert_eq!(openssl.location, "var/lib/dpkg/status");
    assert_eq!(openssl.link, "https://example.invalid/ignored");
    assert_eq!(openssl.enrichments.cvss, ["AV:N/AC:L/Au:N/C:P/I:P"]);
    assert_eq!(curl.fixed_by, None);
    assert_eq!(bash.severity, Severity::Medium);
}

#[test]
fn defcon1_is_critical_and_keeps_its_word() {
    let assessment = Look::at(&layer(captured!("94-get-layer-with-vulns")), &[]).into_assessment();
    let curl = assessment.findings.iter().find(|finding| finding.package == "curl").expect("of curl");
    assert_eq!((curl.severity, curl.severity_source.as_deref()), (Severity::Critical, Some("Defcon1")));
    for (word, severity_) in
        [("Negligible", Severity::Negligible), ("unknown", Severity::Unknown), ("?", Severity::Unknown)]
    {
        assert_eq!(severity(word), (severity_, None), "{word}");
    }
}

#[test]
fn metadata_of_any_form_is_taken_for_what_it_is() {
    let told = |metadata: &str| {
        let json = format!(r#"{{"Name":"CVE-1","Metadata":{metadata}}}"#);
        vectors(&serde_json::from_str(&json).expect("a vulnerability"))
    };
    // As 2.1.x writes it.
    let both =
        r#"{"NVD":{"CVSSv2":{"Vectors":"AV:N","Score":1},"CVSSv3":{"Vectors":"CVSS:3.0/AV:N","Score":2}}}"#;
    assert_eq!(told(both), ["CVSS:3.0/AV:N", "AV:N"]);
    for other in ["null", "{}", "[]", r#"{"NVD":17}"#, r#"{"NVD":{"CVSSv2":{"Vectors":""}}}"#] {
        assert_eq!(told(other), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn nothing_recognised_is_unsupported_and_never_clean() {
    let assessment = Look::at(&layer(captured!("50-get-scratch")), &[]).into_assessment();
    assert_eq!(assessment.completeness.level(), Level::Unsupported);
    assert_eq!(reasons(&assessment), [(ReasonCode::NoPackageDatabase, None)]);
    assert_eq!(Verdict::over(0, &assessment.completeness), Verdict::Unknown);
}

#[test]
fn a_distribution_without_packages_is_unsupported_and_named() {
    // An image of packages in a form that this Clair cannot read: distroless, a newer rpm.
    let assessment = Look::at(&layer(captured!("44-get-plain")), &[]).into_assessment();
    assert_eq!(assessment.completeness.level(), Level::Unsupported);
    assert_eq!(reasons(&assessment), [(ReasonCode::NoPackageDatabase, Some("debian:12"))]);
}

#[test]
fn packages_without_findings_leave_their_distribution_in_question() {
    let look = Look::at(&layer(captured!("48-get-removed-layer-chain")), &[]);
    assert_eq!(look.quiet, BTreeSet::from(["debian:12".to_owned()]));
    assert_eq!(look.into_assessment().completeness.level(), Level::Complete);
}

#[test]
fn unread_layers_are_named_and_make_the_look_partial() {
    let blob = Digest::of(b"layer");
    let notes = [Note::Unread(blob.clone(), Unread::Zstd), Note::More(2)];
    let assessment = Look::at(&layer(captured!("45-get-features")), &notes).into_assessment();
    assert_eq!(assessment.completeness.level(), Level::Partial);
    let details: Vec<String> = assessment.completeness.reasons().map(ToString::to_string).collect();
    assert!(
        details.iter().any(|detail| detail.contains(blob.as_str()) && detail.contains("zstd")),
        "{details:?}"
    );
    assert!(details.iter().any(|detail| detail.contains("2 more layers")), "{details:?}");
    let nothing = Look::at(&Layer::default(), &notes).into_assessment();
    assert_eq!(nothing.completeness.level(), Level::Unsupported);
    assert!(reasons(&nothing).len() == 3, "{nothing:?}");
}

#[test]
fn the_layer_that_brought_a_package_in_is_told_by_its_blob() {
    let blob = Digest::of(b"layer");
    let edition = Edition { engine: 3, generation: 1 };
    let name = layer_name(chain(edition, [&blob].into_iter())[0], &blob, &[]);
    let feature = |added_by: &str| Feature {
        version_format: "dpkg".to_owned(),
        added_by: added_by.to_owned(),
        vulnerabilities: vec![Vulnerability::default()],
        ..Feature::default()
    };
    let of = |added_by: &str| findings(&feature(added_by)).next().and_then(|finding| finding.layer);
    assert_eq!(of(&name), Some(blob));
    assert_eq!(of("x7"), None);
}

#[test]
fn kinds_follow_from_format_and_distribution() {
    for (format, namespace, expected, location) in [
        ("dpkg", "debian:12", "deb", "var/lib/dpkg/status"),
        ("dpkg", "ubuntu:22.04", "deb", "var/lib/dpkg/status"),
        ("dpkg", "alpine:v3.18", "apk", "lib/apk/db/installed"),
        ("rpm", "centos:7", "rpm", "var/lib/rpm/Packages"),
        ("other", "new:1", "other", ""),
    ] {
        let feature = Feature {
            version_format: format.to_owned(),
            namespace_name: namespace.to_owned(),
            ..Feature::default()
        };
        let kind = kind(&feature);
        assert_eq!((kind.0.as_str(), database(&kind)), (expected, location), "{namespace}");
    }
    let homeless = Layer {
        features: vec![Feature { version_format: "dpkg".to_owned(), ..Feature::default() }],
        ..Layer::default()
    };
    let assessment = Look::at(&homeless, &[]).into_assessment();
    assert_eq!(reasons(&assessment), [(ReasonCode::UnknownDistribution, None)]);
}
