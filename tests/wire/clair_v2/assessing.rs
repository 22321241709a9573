//! Clair is asked what it knows of an image.

use cve_monitor_core::ports::{Readiness, Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::{Assessment, Level, ReasonCode, Severity, Verdict};

use super::{Bench, NOT_THERE, captured, follow, transient, willing};
use crate::fake_server::{Reply, Seen};

/// What a server that was found complete answers about an image: `layer`, and `advisories` of its distribution.
fn knowing(layer: &'static str, advisories: &'static str) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| match seen.target.as_str() {
        target if target.ends_with(".image?features&vulnerabilities") => captured(layer),
        "/v1/layers/cve-monitor.ready" => captured("44-get-plain"),
        "/v1/namespaces" => captured("52-get-namespaces"),
        "/v1/namespaces/debian%3A12/vulnerabilities?limit=1" => captured(advisories),
        _ => willing(seen),
    }
}

const SOME: &str = "79-list-limit-2";
const NONE: &str = "84-list-unknown-ns";

impl Bench {
    async fn ready(layer: &'static str, advisories: &'static str) -> Self {
        let bench = Self::new(knowing(layer, advisories)).await;
        follow(&bench.store, "ready:0").await;
        bench
    }

    async fn assess(&self) -> Result<Assessment, ScannerError> {
        let request = self.image(&["base"]).await;
        self.scanner.assess(&request.image, None).await
    }

    /// What was asked since the engine was asked for.
    fn asked(&self) -> Vec<String> {
        self.server.seen().iter().skip(1).map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }
}

fn codes(assessment: &Assessment) -> Vec<ReasonCode> {
    assessment.completeness.reasons().map(|reason| reason.code).collect()
}

#[tokio::test]
async fn what_clair_knows_becomes_findings() {
    let bench = Bench::ready("94-get-layer-with-vulns", SOME).await;
    let assessment = bench.assess().await.unwrap();
    assert_eq!((assessment.findings.len(), assessment.completeness.level()), (3, Level::Complete));
    let curl = assessment.findings.iter().find(|finding| finding.package == "curl").unwrap();
    assert_eq!((curl.severity, curl.severity_source.as_deref()), (Severity::Critical, Some("Defcon1")));
    let asked = bench.asked();
    assert_eq!(asked.len(), 2, "the image and the witness: {asked:?}");
    assert_eq!(bench.registry.blob_bytes_served(), 0);
}

#[tokio::test]
async fn nothing_found_is_clean_only_where_there_are_advisories() {
    let clean = Bench::ready("48-get-removed-layer-chain", SOME).await.assess().await.unwrap();
    assert_eq!(Verdict::over(clean.findings.len(), &clean.completeness), Verdict::Clean);
    let blind = Bench::ready("48-get-removed-layer-chain", NONE).await.assess().await.unwrap();
    assert_eq!(codes(&blind), [ReasonCode::NoAdvisoriesForDistribution]);
    let reason = blind.completeness.reasons().next().unwrap();
    assert_eq!(reason.detail.as_deref(), Some("debian:12"));
}

#[tokio::test]
async fn data_that_was_not_found_complete_is_told() {
    for cursor in [None, Some("loading:0"), Some("lost:4")] {
        let bench = Bench::new(knowing("48-get-removed-layer-chain", SOME)).await;
        if let Some(cursor) = cursor {
            follow(&bench.store, cursor).await;
        }
        let assessment = bench.assess().await.unwrap();
        assert_eq!(codes(&assessment), [ReasonCode::KnowledgeNotReady], "{cursor:?}");
        assert_eq!(assessment.completeness.level(), Level::Partial);
    }
    // With findings, that they are not all is told as well, and nothing else is asked.
    let bench = Bench::new(knowing("94-get-layer-with-vulns", SOME)).await;
    assert_eq!(codes(&bench.assess().await.unwrap()), [ReasonCode::KnowledgeNotReady]);
    assert_eq!(bench.asked().len(), 1);
}

#[tokio::test]
async fn a_database_that_was_emptied_since_is_not_believed() {
    let known = knowing("48-get-removed-layer-chain", SOME);
    let bench = Bench::new(move |seen| match seen.target.as_str() {
        "/v1/layers/cve-monitor.ready" => captured(NOT_THERE),
        _ => known(seen),
    })
    .await;
    follow(&bench.store, "ready:0").await;
    assert_eq!(codes(&bench.assess().await.unwrap()), [ReasonCode::KnowledgeNotReady]);
}

#[tokio::test]
async fn without_any_advisory_it_is_loading() {
    let bench = Bench::new(knowing("48-get-removed-layer-chain", NONE)).await;
    let answer = bench.assess().await;
    assert!(matches!(answer, Err(ScannerError::Loading(_))), "{answer:?}");
    assert!(matches!(bench.scanner.readiness().await, Ok(Readiness::Loading(_))));

    let known = knowing("48-get-removed-layer-chain", SOME);
    let bench = Bench::new(move |seen| match seen.target.as_str() {
        "/v1/namespaces" => Reply::ok(r#"{"Namespaces":null}"#),
        _ => known(seen),
    })
    .await;
    let answer = bench.assess().await;
    assert!(matches!(answer, Err(ScannerError::Loading(_))), "{answer:?}");

    let filled = Bench::new(knowing("48-get-removed-layer-chain", SOME)).await;
    assert!(matches!(filled.scanner.readiness().await, Ok(Readiness::Ready(_))));
    let null = r#"{"Vulnerabilities":null}"#;
    let known = knowing("48-get-removed-layer-chain", SOME);
    let empty = Bench::new(move |seen| match seen.target.ends_with("limit=1") {
        true => Reply::ok(null),
        false => known(seen),
    })
    .await;
    assert!(matches!(empty.scanner.readiness().await, Ok(Readiness::Loading(_))));
}

#[tokio::test]
async fn an_image_in_which_nothing_was_recognised_is_unsupported() {
    let bench = Bench::ready("50-get-scratch", NONE).await;
    let assessment = bench.assess().await.unwrap();
    assert_eq!(assessment.completeness.level(), Level::Unsupported);
    assert_eq!(codes(&assessment), [ReasonCode::NoPackageDatabase]);
    assert_eq!(bench.asked().len(), 1, "what Clair knows does not matter here");
}

#[tokio::test]
async fn noted_layers_are_reasons() {
    let blob = "a".repeat(64);
    let bench = Bench::ready("45-get-features", SOME).await;
    let request = bench.image(&["base"]).await;
    bench.scanner.assess(&request.image, None).await.unwrap();
    // What the image is called follows from its digest alone: another server is told its name.
    let name = bench.asked()[0].clone();
    let name = name.rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
    let (note, more) = (format!("{name}.{blob}.zstd"), format!("{name}.more.3"));
    let known = knowing("45-get-features", SOME);
    let noted = Bench::new(move |seen| {
        let parent = |parent: &str| {
            Reply::ok(format!(r#"{{"Layer":{{"IndexedByVersion":3,"ParentName":"{parent}"}}}}"#))
        };
        match seen.target.rsplit('/').next().unwrap_or_default() {
            last if last.ends_with(".image?features&vulnerabilities") => {
                let body = String::from_utf8(captured("45-get-features").body().to_vec()).unwrap();
                let (before, rest) = body.split_once("\"ParentName\":\"").unwrap();
                let (_, after) = rest.split_once('"').unwrap();
                Reply::ok(format!("{before}\"ParentName\":\"{more}\"{after}"))
            }
            last if last == more => parent(&note),
            last if last == note => parent("top-of-the-chain"),
            _ => known(seen),
        }
    })
    .await;
    follow(&noted.store, "ready:0").await;
    let assessment = noted.assess().await.unwrap();
    assert_eq!(assessment.completeness.level(), Level::Partial);
    let told: Vec<String> = assessment.completeness.reasons().map(ToString::to_string).collect();
    assert!(told.iter().any(|why| why.contains(&format!("sha256:{blob}"))), "{told:?}");
    assert!(told.iter().any(|why| why.contains("3 more layers")), "{told:?}");
}

#[tokio::test]
async fn a_deleted_image_is_not_indexed() {
    let bench = Bench::ready(NOT_THERE, SOME).await;
    assert_eq!(bench.assess().await.err(), Some(ScannerError::NotIndexed));
}

#[tokio::test]
async fn trouble_is_transient() {
    let error = transient(Bench::ready("53-404-route", SOME).await.assess().await);
    assert!(error.contains("not the API of Clair v2"), "{error}");
    transient(Bench::ready("34-post-name-129-chars", SOME).await.assess().await);
    transient(Bench::ready("d1-api-timeout", SOME).await.assess().await);
    let cut = Bench::new(|seen| match seen.target.contains("features") {
        true => captured("94-get-layer-with-vulns").cut_after(900),
        false => willing(seen),
    })
    .await;
    transient(cut.assess().await);
    let nonsense = Bench::new(|seen| match seen.target.contains("features") {
        true => Reply::ok("<html>a page of a proxy</html>"),
        false => willing(seen),
    })
    .await;
    transient(nonsense.assess().await);
}
