//! Reports as they are rendered keep to the published schema, and the schema notices what no report may say.

use cve_monitor_bins::present::ReportView;
use cve_monitor_core::scan::{ParentIndex, ReportFacts, ReportId, ResolvedImage, render_report};
use cve_monitor_core::vocabulary::{
    Assessment, Completeness, Digest, Enrichments, Finding, FindingStatus, Generation, Knowledge,
    KnowledgeId, Level, PackageKind, Platform, Probability, Reason, ReasonCode, RegistryIdentity,
    ScannerIdentity, Severity, Timestamp, Verdict,
};
use serde_json::{Value, json};

fn schema() -> jsonschema::Validator {
    let text = include_str!("../../docs/report-schema/report-1.0.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

fn finding(severity: Severity, status: FindingStatus) -> Finding {
    let fixed = status == FindingStatus::FixAvailable;
    Finding {
        name: "CVE-2024-1".to_owned(),
        records: vec!["DEBIAN-CVE-2024-1".to_owned()],
        aliases: vec![],
        namespace: "debian:12".to_owned(),
        severity,
        severity_source: fixed.then(|| "debian".to_owned()),
        status,
        kind: PackageKind("deb".to_owned()),
        package: "libssl3".to_owned(),
        version: "3.0.1".to_owned(),
        architecture: fixed.then(|| "amd64".to_owned()),
        source: fixed.then(|| "openssl".to_owned()),
        fixed_by: fixed.then(|| "3.0.2".to_owned()),
        location: "var/lib/dpkg/status".to_owned(),
        layer: fixed.then(|| Digest::of(b"layer")),
        description: "text".to_owned(),
        link: "https://example.org/1".to_owned(),
        enrichments: Enrichments {
            cvss: fixed
                .then(|| "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned())
                .into_iter()
                .collect(),
            epss: fixed.then(|| Probability::of(0.94357)).flatten(),
            known_exploited: fixed,
        },
    }
}

/// What the core renders; `full` fills in what may be absent.
fn report(findings: Vec<Finding>, completeness: Completeness, full: bool) -> Vec<u8> {
    let assessment = Assessment {
        findings,
        completeness,
        looked_at: vec![PackageKind("deb".to_owned()), PackageKind("deb".to_owned())],
        sbom: full.then(|| Digest::of(b"sbom")),
        knowledge: Knowledge {
            id: full.then(|| KnowledgeId("k1".to_owned())),
            generation: full.then_some(Generation(7)),
            last_changed: full
                .then(|| ("Debian:12".to_owned(), Timestamp::from_millis(0)))
                .into_iter()
                .collect(),
        },
    };
    let changes: Vec<_> = assessment.findings.iter().map(Finding::key).collect();
    let id = |text: &str| serde_json::from_value::<ReportId>(json!(text)).unwrap();
    let parent = ParentIndex { digest: Digest::of(b"index"), tags: vec!["v1".parse().unwrap()] };
    let platform = Platform { os: "linux".into(), architecture: "arm64".into(), variant: Some("v8".into()) };
    render_report(&ReportFacts {
        id: &id("0123456789abcdef0123456789abcdef"),
        previous: full.then(|| id("fedcba9876543210fedcba9876543210")).as_ref(),
        image: &format!("r.example:5000/team/app@{}", Digest::of(b"manifest")).parse().unwrap(),
        resolved: &ResolvedImage {
            config: Digest::of(b"config"),
            layers: 3,
            platform: full.then_some(platform),
        },
        registry: &RegistryIdentity {
            name: "r.example:5000".parse().unwrap(),
            registry_id: "r.example:5000".to_owned(),
            region: full.then(|| "eu-central-1".to_owned()),
        },
        tags: &["v1".parse().unwrap()],
        parents: if full { std::slice::from_ref(&parent) } else { &[] },
        scanner: &ScannerIdentity { name: "embedded".to_owned(), version: "1".to_owned() },
        started: Timestamp::from_millis(1_772_323_200_000),
        assessment: &assessment,
        new: &changes,
        gone: &changes,
    })
}

fn reason(code: ReasonCode, detail: Option<&str>) -> Reason {
    Reason { code, detail: detail.map(str::to_owned) }
}

const STATUSES: [FindingStatus; 5] = [
    FindingStatus::FixAvailable,
    FindingStatus::NoFix,
    FindingStatus::WontFix,
    FindingStatus::EndOfLife,
    FindingStatus::Undetermined,
];
const REASONS: [ReasonCode; 9] = [
    ReasonCode::UnreadKind,
    ReasonCode::LayerUnreadable,
    ReasonCode::NoPackageDatabase,
    ReasonCode::UnknownDistribution,
    ReasonCode::NoAdvisoriesForDistribution,
    ReasonCode::EndOfLifeDistribution,
    ReasonCode::SourceMissing,
    ReasonCode::KnowledgeNotReady,
    ReasonCode::BoundReached,
];

/// A report with every severity and status, and every reason.
fn fullest() -> Vec<u8> {
    let findings =
        Severity::ALL.into_iter().flat_map(|severity| STATUSES.map(|status| finding(severity, status)));
    let reasons = REASONS.into_iter().flat_map(|code| [reason(code, None), reason(code, Some("detail"))]);
    report(findings.collect(), Completeness::partial(reasons), true)
}

#[test]
fn reports_of_every_shape_keep_to_the_schema() {
    let schema = schema();
    let nothing = reason(ReasonCode::NoPackageDatabase, None);
    for body in [
        fullest(),
        report(vec![], Completeness::complete(), false),
        report(vec![], Completeness::unsupported([nothing]), false),
        report(vec![finding(Severity::Low, FindingStatus::NoFix)], Completeness::complete(), true),
    ] {
        let value: Value = serde_json::from_slice(&body).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_notices_what_no_report_may_say() {
    let schema = schema();
    let good: Value = serde_json::from_slice(&fullest()).unwrap();
    assert!(schema.is_valid(&good));
    for (pointer, wrong) in [
        ("/SchemaVersion", json!("2.0")),
        ("/Verdict", json!("fine")),
        ("/Completeness/Level", json!("mostly")),
        ("/Completeness/Level", json!("complete")),
        ("/Completeness/Reasons", json!([])),
        ("/Completeness/Reasons/0/Code", json!("bad_luck")),
        ("/ImageDigest", json!("sha256:12")),
        ("/AssessedAt", json!("yesterday")),
        ("/LayerCount", json!(-1)),
        ("/ECRMetadata/manifest/config/digest", json!(null)),
        ("/Vulnerabilities/Critical/0/Severity", json!("Defcon1")),
        ("/Vulnerabilities/Critical/0/Severity", json!("Low")),
        ("/Vulnerabilities/Critical/0/Status", json!("fixed")),
        ("/Vulnerabilities/Low/0/Name", json!("")),
        ("/New/0/Severity", json!("critical")),
        ("/Gone/0/Status", json!("fixed")),
        ("/Knowledge/LastChanged/0/At", json!(0)),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not there")) = wrong.clone();
        assert!(!schema.is_valid(&changed), "{pointer} = {wrong}");
    }
    let mut extra = good.clone();
    extra["Vulnerabilities"]["Defcon1"] = json!([]);
    assert!(!schema.is_valid(&extra), "a severity that is not in the list");
    for field in good.as_object().unwrap().keys() {
        let mut short = good.clone();
        short.as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&short), "{field} is required");
    }
    let mut later = good;
    later["Added"] = json!(1);
    later["SchemaVersion"] = json!("1.1");
    assert!(schema.is_valid(&later), "within a major version fields are added");
}

#[test]
fn what_is_rendered_is_read_for_people() {
    let view = ReportView::parse(&fullest()).unwrap();
    assert_eq!((view.verdict, view.level), (Verdict::Vulnerable, Level::Partial));
    assert_eq!(view.findings.len(), Severity::ALL.len() * STATUSES.len());
    assert!(view.findings.is_sorted_by(|a, b| a.severity >= b.severity), "worst first");
    assert_eq!(view.reasons.len(), 2 * REASONS.len());
    assert_eq!(view.platform.as_deref(), Some("linux/arm64/v8"));
    assert!(ReportView::parse(b"{}").unwrap_err().contains("no report"));
    let text = String::from_utf8(fullest())
        .unwrap()
        .replace("\"SchemaVersion\":\"1.0\"", "\"SchemaVersion\":\"2.0\"");
    assert!(ReportView::parse(text.as_bytes()).unwrap_err().contains("newer program"));
}
