//! Reports, and why there is none.

use cve_monitor_core::ports::{Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::{Assessment, FindingStatus, Level, ReasonCode, Severity};
use serde_json::json;

use super::{Clair, INDEX_REPORT, REPORT, captured};
use crate::fake_server::Reply;

async fn assess(clair: &Clair) -> Result<Assessment, ScannerError> {
    let image = clair.image().await.image;
    clair.scanner().await.assess(&image, None).await
}

fn reasons(found: &Assessment) -> Vec<String> {
    let reasons = found.completeness.reasons();
    reasons.map(|why| format!("{:?} {}", why.code, why.detail.clone().unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_report_becomes_findings() {
    let found = assess(&Clair::start().await).await.unwrap();
    // Clair names 12 vulnerabilities; those of a source package are in each package built from it.
    assert_eq!(found.findings.len(), 15);
    let one = found.findings.iter().find(|found| found.name == "CVE-2022-0563").unwrap();
    assert_eq!((one.package.as_str(), one.source.as_deref()), ("libuuid1", Some("util-linux")));
    assert_eq!((one.version.as_str(), one.architecture.as_deref()), ("2.38.1-5+deb12u3", Some("amd64")));
    assert_eq!((one.severity, one.severity_source.as_deref()), (Severity::Low, Some("debian:unimportant")));
    assert_eq!((one.status, &one.fixed_by), (FindingStatus::NoFix, &None));
    assert_eq!((one.namespace.as_str(), one.kind.0.as_str()), ("debian:12", "deb"));
    assert_eq!(one.location, "var/lib/dpkg/status.d/libuuid1");
    let layer = one.layer.as_ref().map(|layer| layer.short());
    assert_eq!(layer, Some("89e13678382d"), "the layer that brought it in");
    assert_eq!(one.link, "https://security-tracker.debian.org/tracker/CVE-2022-0563");
    // Its packages in Go and Java need updaters that have not completed.
    assert_eq!(found.completeness.level(), Level::Partial);
    assert_eq!(reasons(&found), ["SourceMissing osv/go", "SourceMissing osv/maven"]);
    assert_eq!(found.looked_at.iter().map(|kind| kind.0.as_str()).collect::<Vec<_>>(), ["deb"]);
    let changed = found.knowledge.last_changed.get("debian/updater").map(ToString::to_string);
    assert_eq!(changed.as_deref(), Some("2026-11-23T07:42:14.988Z"));
    assert_eq!(found.knowledge.generation.map(|generation| generation.0), Some(1_795_419_734_988));
}

#[tokio::test]
async fn an_image_without_packages_is_unsupported() {
    let clair = Clair::start().await;
    clair.on(REPORT, [captured("report-no-packages")]);
    let found = assess(&clair).await.unwrap();
    assert_eq!((found.completeness.level(), found.findings.len()), (Level::Unsupported, 0));
    assert_eq!(reasons(&found), [format!("{:?} ", ReasonCode::NoPackageDatabase)]);
}

#[tokio::test]
async fn null_and_missing_maps_are_empty_and_unknown_keys_are_passed_over() {
    let clair = Clair::start().await;
    for body in [
        json!({"packages": null, "distributions": null, "repository": null, "environments": null,
               "vulnerabilities": null, "package_vulnerabilities": null, "enrichments": null, "Self": {}, "Aliases": []}),
        json!({}),
    ] {
        clair.on(REPORT, [Reply::ok(body.to_string())]);
        let found = assess(&clair).await.unwrap();
        assert_eq!((found.completeness.level(), found.findings.len()), (Level::Unsupported, 0));
    }
}

#[tokio::test]
async fn what_the_content_type_says_makes_no_difference() {
    let clair = Clair::start().await;
    for content_type in ["text/plain; charset=utf-8", "application/vnd.clair.index_report.v1+json", "x"] {
        clair.on(REPORT, [Reply::ok("{}").header("content-type", content_type)]);
        assert!(assess(&clair).await.is_ok(), "{content_type}");
    }
}

#[tokio::test]
async fn a_report_that_breaks_off_is_asked_for_again() {
    let clair = Clair::start().await;
    let whole = r#"{"packages":{},"distributions":{},"vulnerabilities":{}}"#;
    for reply in [Reply::ok(whole).cut_after(20), Reply::ok(&whole.as_bytes()[..20]), Reply::ok("")] {
        clair.on(REPORT, [reply]);
        let error = assess(&clair).await.unwrap_err();
        assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_was_never_indexed_is_not_indexed() {
    let clair = Clair::start().await;
    clair.on(REPORT, [captured("report-404")]);
    let unknown = json!({"code": "not-found", "message": "index report not found"});
    clair.on(INDEX_REPORT, [Reply::ok(unknown.to_string()).with_status(404)]);
    assert_eq!(assess(&clair).await.unwrap_err(), ScannerError::NotIndexed);
    // Handed over once, but the registry had no layer: to be handed over again.
    clair.on(INDEX_REPORT, [captured("index-report-layer-404")]);
    assert_eq!(assess(&clair).await.unwrap_err(), ScannerError::NotIndexed);
    for state in ["CheckManifest", "FetchLayers", "ScanLayers", "Coalesce", "IndexManifest"] {
        let running = json!({"state": state, "success": false, "err": ""});
        clair.on(INDEX_REPORT, [Reply::ok(running.to_string())]);
        let error = assess(&clair).await.unwrap_err();
        assert!(matches!(error, ScannerError::Transient { .. }), "{state}: {error}");
    }
    clair.on(INDEX_REPORT, [Reply::ok(r#"{"state":"IndexFinished","success":true}"#)]);
    let error = assess(&clair).await.unwrap_err();
    assert!(matches!(error, ScannerError::Transient { .. }), "finished between two questions: {error}");
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_wrong_address_and_no_answer() {
    let clair = Clair::start().await;
    clair.on(REPORT, [captured("no-such-path")]);
    let error = assess(&clair).await.unwrap_err();
    assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
    assert!(error.to_string().contains("not at this address"), "{error}");
}

#[tokio::test]
async fn trouble_of_the_matcher_is_transient() {
    let clair = Clair::start().await;
    for reply in [
        Reply::ok(r#"{"code":"internal-error","message":"initialization error: connection refused"}"#)
            .with_status(500),
        Reply::ok("<html>").with_status(503),
        Reply::ok("{}").with_status(302).header("location", "http://127.0.0.1:1/"),
    ] {
        clair.on(REPORT, [reply]);
        let error = assess(&clair).await.unwrap_err();
        assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_report_is_asked_for_past_every_cache() {
    let clair = Clair::start().await;
    assess(&clair).await.unwrap();
    let image = clair.image().await.image;
    let asked = clair.server.seen_at(image.digest.as_str());
    let caching: Vec<_> =
        asked.iter().map(|seen| (seen.header("cache-control"), seen.header("pragma"))).collect();
    assert_eq!(caching, [(Some("no-cache, no-store"), Some("no-cache"))]);
}
