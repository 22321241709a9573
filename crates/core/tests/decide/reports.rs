//! When there is a report, and what it is called.

use std::collections::BTreeSet;

use cve_monitor_core::scan::{
    Command, ContentHash, DeliveredReport, ImageEvent, MAX_PARENTS, ReportId, Step,
};
use cve_monitor_core::vocabulary::{
    Assessment, Cause, Completeness, Digest, Enrichments, Finding, FindingStatus, Knowledge, PackageKind,
    Reason, ReasonCode, Severity,
};

use crate::stage::{Stage, change, image, push};

fn last_id(stage: &Stage) -> ReportId {
    stage.state.last_report.as_ref().expect("a report").id.clone()
}

#[test]
fn a_b_a_is_three_reports() {
    let mut stage = Stage::reported("a");
    let mut ids = vec![last_id(&stage)];
    for text in ["b", "a", "b"] {
        stage.ask(change());
        stage.finish(text);
        ids.push(last_id(&stage));
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4, "{ids:?}");
}

#[test]
fn a_report_id_follows_from_image_scanner_previous_and_content() {
    let content = ContentHash("c".to_owned());
    let id = |previous: Option<&ReportId>, scanner: &str, content: &ContentHash| {
        ReportId::after(previous, &image(), scanner, content)
    };
    let first = id(None, "model", &content);
    assert_eq!(id(None, "model", &content), first);
    let others = [
        id(Some(&first), "model", &content),
        id(None, "clair", &content),
        id(None, "model", &ContentHash("d".to_owned())),
        ReportId::after(None, &image().sibling(Digest::of(b"other")), "model", &content),
    ];
    assert!(!others.contains(&first));
    assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
}

#[test]
fn the_same_content_is_verified_and_makes_no_report() {
    let mut stage = Stage::reported("a");
    let before = last_id(&stage);
    stage.ask(change());
    assert_eq!(stage.when(stage.assessed("a")).map_err(|r| r.command), Err("Assessed"));
    let events = stage.then(stage.verified("a"));
    assert!(matches!(events[..], [ImageEvent::Verified { .. }]), "{events:?}");
    assert_eq!((last_id(&stage), stage.next()), (before, Step::Done));
    assert_eq!(stage.state.assessed, Some(stage.now));
}

#[test]
fn another_content_cannot_be_verified() {
    let mut stage = Stage::reported("a");
    stage.ask(change());
    assert_eq!(stage.when(stage.verified("b")).map_err(|r| r.command), Err("Verified"));
    let never = Stage::indexed();
    assert_eq!(never.when(never.verified("a")).map_err(|r| r.command), Err("Verified"));
}

#[test]
fn an_answer_that_nobody_asked_for_is_rejected() {
    let stage = Stage::reported("a");
    assert_eq!(stage.when(stage.assessed("b")).map_err(|r| r.command), Err("Assessed"));
    assert_eq!(stage.when(stage.verified("a")).map_err(|r| r.command), Err("Verified"));
}

#[test]
fn an_assessment_that_follows_another_report_is_rejected() {
    let mut stage = Stage::reported("a");
    stage.ask(change());
    let late = stage.assessed("c");
    stage.finish("b");
    stage.ask(change());
    assert_eq!(stage.when(late).map_err(|r| r.command), Err("Assessed"));
}

#[test]
fn an_assessment_of_what_is_not_indexed_is_rejected() {
    let mut stage = Stage::pushed();
    assert_eq!(stage.when(stage.assessed("a")).map_err(|r| r.command), Err("Assessed"));
    stage.succeed();
    stage.succeed();
    assert_eq!(stage.next(), Step::Index);
    assert_eq!(stage.when(stage.assessed("a")).map_err(|r| r.command), Err("Assessed"));
}

#[test]
fn a_sink_is_remembered_once_and_only_for_the_last_report() {
    let mut stage = Stage::indexed();
    stage.then(stage.assessed("a"));
    let delivered = |stage: &Stage, sink: &str| {
        Command::Delivered(DeliveredReport { report: last_id(stage), sink: sink.to_owned() })
    };
    let old = delivered(&stage, "lake");
    assert_eq!(stage.then(old.clone()).len(), 1);
    assert_eq!(stage.then(old.clone()), vec![]);
    stage.ask(push());
    stage.then(stage.assessed("b"));
    assert_eq!(stage.when(old).map_err(|r| r.command), Err("Delivered"));
    assert!(matches!(stage.next(), Step::Deliver { .. }), "the new report goes to the same sink");
}

#[test]
fn a_new_parent_is_remembered_and_asks_for_a_look() {
    let mut stage = Stage::reported("a");
    let parents: Vec<_> = (0..=MAX_PARENTS).map(|n| Digest::of(&n.to_le_bytes())).collect();
    for parent in &parents[..MAX_PARENTS] {
        stage.ask(Cause::IndexChild { parent: parent.clone() });
        stage.ask(Cause::IndexChild { parent: parent.clone() });
        assert!(matches!(stage.next(), Step::Assess { .. }));
    }
    assert_eq!(stage.state.parents, parents[..MAX_PARENTS]);
    stage.ask(Cause::IndexChild { parent: parents[MAX_PARENTS].clone() });
    assert_eq!(stage.state.parents, parents[1..], "the oldest goes first");
}

fn finding() -> Finding {
    Finding {
        name: "CVE-2026-0001".to_owned(),
        records: vec!["DSA-1".to_owned()],
        aliases: vec![],
        namespace: "debian:12".to_owned(),
        severity: Severity::High,
        severity_source: None,
        status: FindingStatus::NoFix,
        kind: PackageKind("deb".to_owned()),
        package: "openssl".to_owned(),
        version: "3.0.1".to_owned(),
        architecture: Some("amd64".to_owned()),
        source: None,
        fixed_by: None,
        location: "var/lib/dpkg/status".to_owned(),
        layer: None,
        description: "a text".to_owned(),
        link: "https://example.com".to_owned(),
        enrichments: Enrichments::default(),
    }
}

fn assessment(findings: &[Finding], completeness: Completeness) -> Assessment {
    let knowledge = Knowledge { id: None, generation: None, last_changed: [].into() };
    Assessment { findings: findings.to_vec(), completeness, looked_at: vec![], sbom: None, knowledge }
}

fn hash(findings: &[Finding], parents: &[Digest]) -> ContentHash {
    ContentHash::of(&assessment(findings, Completeness::complete()), parents)
}

#[test]
fn content_is_what_a_report_says() {
    let same = hash(&[finding()], &[]);
    let changed = [
        Finding { name: "CVE-2026-0002".to_owned(), ..finding() },
        Finding { package: "libssl3".to_owned(), ..finding() },
        Finding { architecture: None, ..finding() },
        Finding { version: "3.0.2".to_owned(), ..finding() },
        Finding { location: "elsewhere".to_owned(), ..finding() },
        Finding { status: FindingStatus::WontFix, ..finding() },
        Finding { severity: Severity::Critical, ..finding() },
        Finding { fixed_by: Some("3.0.3".to_owned()), ..finding() },
    ];
    let mut hashes: BTreeSet<_> = changed.into_iter().map(|other| hash(&[other], &[])).collect();
    hashes.insert(hash(&[], &[]));
    hashes.insert(hash(&[finding()], &[Digest::of(b"index")]));
    for code in [ReasonCode::UnreadKind, ReasonCode::BoundReached] {
        let reason = Reason { code, detail: None };
        for look in [Completeness::partial([reason.clone()]), Completeness::unsupported([reason])] {
            hashes.insert(ContentHash::of(&assessment(&[finding()], look), &[]));
        }
    }
    let of_sbom = |text: &[u8]| {
        let assessment = assessment(&[finding()], Completeness::complete());
        ContentHash::of(&Assessment { sbom: Some(Digest::of(text)), ..assessment }, &[])
    };
    hashes.extend([of_sbom(b"a"), of_sbom(b"b")]);
    assert_eq!(hashes.len(), 8 + 2 + 4 + 2);
    assert!(!hashes.contains(&same));
}

#[test]
fn content_is_not_how_it_is_said() {
    let said = [
        Finding { description: "another text".to_owned(), ..finding() },
        Finding { link: String::new(), ..finding() },
        Finding { aliases: vec!["GHSA-1".to_owned()], ..finding() },
        Finding { records: vec![], ..finding() },
        Finding { severity_source: Some("CVSS:3.1".to_owned()), ..finding() },
    ];
    for other in said {
        assert_eq!(hash(std::slice::from_ref(&other), &[]), hash(&[finding()], &[]), "{other:?}");
    }
    let second = Finding { name: "CVE-2026-0002".to_owned(), ..finding() };
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    assert_eq!(
        hash(&[finding(), second.clone(), finding()], &[one.clone(), other.clone()]),
        hash(&[second, finding()], &[other, one]),
        "nor in which order"
    );
}
