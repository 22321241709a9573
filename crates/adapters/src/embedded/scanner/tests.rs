//! What the scanner keeps, reads and refuses.

use std::time::Duration;

use cve_monitor_core::ports::{Readiness, RegistryError, Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::{Generation, Level, MediaType, Reason, ReasonCode};

use super::EmbeddedScanner;
use super::fixture::{Bench, OS_RELEASE, layer, layer_of_files, names};

/// A bench that knows of a flaw in openssl before 3.0.2.
async fn bench() -> Bench {
    let bench = Bench::new();
    bench.advise("CVE-2026-1", "openssl", "3.0.2");
    bench.refresh().await;
    bench
}

fn reasons(completeness: &cve_monitor_core::vocabulary::Completeness) -> Vec<ReasonCode> {
    completeness.reasons().map(|reason| reason.code).collect()
}

#[tokio::test]
async fn a_layer_of_many_images_is_read_once_and_a_new_cve_reads_nothing() {
    let bench = bench().await;
    let base = layer(&[("openssl", "3.0.1"), ("zlib", "1.2")]);
    let first = bench.indexed(std::slice::from_ref(&base)).await;
    let second = bench.indexed(&[base.clone(), layer_of_files(&[("app", "x")])]).await;
    assert_eq!(bench.scanner.layers_read(), 2);
    let served = bench.registry.blob_bytes_served();
    assert!(served > base.len() as u64 && bench.scanner.layer_bytes_read() == served);
    assert_eq!(names(&bench.assess(&first).await), ["CVE-2026-1"]);

    bench.advise("CVE-2026-2", "zlib", "1.3");
    assert_eq!(bench.refresh().await.generation, Generation(2));
    for request in [&first, &second] {
        let assessment = bench.assess(request).await;
        assert_eq!(names(&assessment), ["CVE-2026-1", "CVE-2026-2"]);
        assert_eq!(assessment.knowledge.generation, Some(Generation(2)));
    }
    assert_eq!(bench.registry.blob_bytes_served(), served);
}

#[tokio::test]
async fn a_finding_names_the_layer_and_the_knowledge_is_that_of_the_images_release() {
    let bench = bench().await;
    bench.advise_for("Debian:11", "CVE-2026-9", "openssl", "9");
    bench.refresh().await;
    let request = bench.indexed(&[layer_of_files(&[("app", "x")]), layer(&[("openssl", "3.0.1")])]).await;
    let assessment = bench.assess(&request).await;
    let [found] = assessment.findings.as_slice() else { panic!("{assessment:?}") };
    assert_eq!(found.layer.as_ref(), Some(&request.manifest.layers[1].digest));
    assert_eq!((found.namespace.as_str(), found.fixed_by.as_deref()), ("debian:12", Some("3.0.2")));
    assert_eq!(assessment.completeness.level(), Level::Complete);
    assert_eq!(assessment.knowledge.last_changed.keys().collect::<Vec<_>>(), ["Debian:12"]);
    let Ok(Readiness::Ready(knowledge)) = bench.scanner.readiness().await else { panic!("not ready") };
    assert_eq!(knowledge.last_changed.len(), 2);
    assert_eq!(knowledge.id, assessment.knowledge.id);
}

#[tokio::test]
async fn an_image_of_another_distribution_is_judged_by_the_advisories_of_its_own() {
    let bench = bench().await;
    bench.advise_for("Wolfi", "CVE-2026-3", "openssl", "3.1.9-r0");
    bench.advise_for("Alpine:v3.18", "CVE-2026-4", "openssl", "9-r0");
    bench.refresh().await;
    let installed =
        "C:Q1=\nP:libssl3\nV:3.1.8-r1\nA:x86_64\no:openssl\n\nC:Q1=\nP:zlib\nV:1.3.1-r0\nA:x86_64\n";
    let request = bench
        .indexed(&[
            layer_of_files(&[("etc/os-release", "ID=wolfi\nVERSION_ID=20230201\n")]),
            layer_of_files(&[("lib/apk/db/installed", installed)]),
        ])
        .await;
    let assessment = bench.assess(&request).await;
    let [found] = assessment.findings.as_slice() else { panic!("{assessment:?}") };
    assert_eq!((found.kind.0.as_str(), found.package.as_str()), ("apk", "libssl3"));
    assert_eq!((found.source.as_deref(), found.fixed_by.as_deref()), (Some("openssl"), Some("3.1.9-r0")));
    assert_eq!(found.location, "lib/apk/db/installed");
    assert_eq!(found.layer.as_ref(), Some(&request.manifest.layers[1].digest));
    assert_eq!(assessment.completeness.level(), Level::Complete);
    assert!(assessment.looked_at.iter().any(|kind| kind.0 == "rpm"), "{:?}", assessment.looked_at);
}

#[tokio::test]
async fn workers_that_want_one_layer_at_once_read_it_once() {
    let bench = bench().await;
    let request = bench.image(&[layer(&[("openssl", "3.0.1")])]).await;
    let wanted = (0..8).map(|_| bench.scanner.index(&request));
    for indexed in futures::future::join_all(wanted).await {
        indexed.unwrap();
    }
    assert_eq!(bench.scanner.layers_read(), 1);
    assert_eq!(names(&bench.assess(&request).await), ["CVE-2026-1"]);
}

#[tokio::test]
async fn a_registrys_refusal_keeps_its_class_and_nothing_is_stored() {
    let bench = bench().await;
    let request = bench.image(&[layer(&[("openssl", "3.0.1")])]).await;
    let retry_after = Some(Duration::from_secs(7));
    for (refusal, becomes) in [
        (RegistryError::Denied("no".to_owned()), ScannerError::Denied("no".to_owned())),
        (RegistryError::NotFound("it".to_owned()), ScannerError::Gone("it".to_owned())),
        (
            RegistryError::Throttled { retry_after, detail: "slow".to_owned() },
            ScannerError::Transient { retry_after, detail: "slow".to_owned() },
        ),
    ] {
        bench.registry.fail_next(1, &refusal);
        assert_eq!(bench.scanner.index(&request).await, Err(becomes));
    }
    bench.registry.damage(&request.manifest.layers[0].digest);
    assert!(matches!(bench.scanner.index(&request).await, Err(ScannerError::Corrupt(_))));
    assert_eq!(bench.scanner.assess(&request.image, None).await, Err(ScannerError::NotIndexed));
    assert_eq!(bench.scanner.layers_read(), 0);
}

#[tokio::test]
async fn an_image_of_a_registry_that_is_not_configured_is_refused_by_name() {
    let bench = bench().await;
    let mut request = bench.image(&[layer(&[])]).await;
    request.image.registry = "other.test".parse().unwrap();
    let refused = bench.scanner.index(&request).await.unwrap_err();
    assert!(matches!(&refused, ScannerError::Permanent(text) if text.contains("other.test")), "{refused}");
}

#[tokio::test]
async fn records_that_are_damaged_or_of_another_extractor_are_read_again() {
    let bench = bench().await;
    let request = bench.indexed(&[layer(&[("openssl", "3.0.1")])]).await;
    for (n, loss) in [
        (2, "UPDATE scanner_records SET record = x'00'"),
        (3, "UPDATE scanner_records SET bytes = 1 << 40"),
        (4, "UPDATE scanner_layers SET extractor = 'another'"),
        (5, "UPDATE scanner_layers SET format = format + 1"),
    ] {
        bench.execute(loss).await;
        assert_eq!(bench.scanner.assess(&request.image, None).await, Err(ScannerError::NotIndexed), "{loss}");
        bench.scanner.index(&request).await.unwrap();
        assert_eq!(bench.scanner.layers_read(), n, "{loss}");
        assert_eq!(names(&bench.assess(&request).await), ["CVE-2026-1"]);
    }
}

#[tokio::test]
async fn a_layer_that_no_registry_holds_is_told_and_does_not_stand_for_one_that_must_be_held() {
    let bench = bench().await;
    let mut request = bench.image(&[layer(&[("zlib", "1.2")]), layer_of_files(&[("licensed", "x")])]).await;
    let held_type = request.manifest.layers[1].media_type.clone();
    let foreign = MediaType("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".to_owned());
    request.manifest.layers[1].media_type = foreign;
    bench.registry.delete_blob(&request.manifest.layers[1].digest);
    bench.scanner.index(&request).await.unwrap();
    let assessment = bench.assess(&request).await;
    assert_eq!(assessment.findings, []);
    assert_eq!(assessment.completeness.level(), Level::Partial);
    let reason: &Reason = assessment.completeness.reasons().next().unwrap();
    let digest = &request.manifest.layers[1].digest;
    assert!(
        reason.code == ReasonCode::LayerUnreadable && reason.to_string().contains(digest.as_str()),
        "{reason}"
    );

    request.manifest.layers[1].media_type = held_type;
    assert!(matches!(bench.scanner.index(&request).await, Err(ScannerError::Gone(_))));
}

#[tokio::test]
async fn an_encrypted_layer_is_not_what_the_same_bytes_are_elsewhere() {
    let bench = bench().await;
    let mut encrypted = bench.image(&[layer(&[("zlib", "1.2")]), layer(&[("zlib", "1.3")])]).await;
    let plain = bench.indexed(&[layer(&[("zlib", "1.3")])]).await;
    encrypted.manifest.layers[1].media_type =
        MediaType("application/vnd.oci.image.layer.v1.tar+encrypted".to_owned());
    bench.scanner.index(&encrypted).await.unwrap();
    let assessment = bench.assess(&encrypted).await;
    let [reason] = assessment.completeness.reasons().collect::<Vec<_>>()[..] else {
        panic!("{assessment:?}")
    };
    let digest = encrypted.manifest.layers[1].digest.as_str();
    assert!(reason.to_string().contains(digest) && reason.to_string().contains("encrypted"), "{reason}");
    assert_eq!(bench.scanner.layers_read(), 2, "what nobody can decrypt is not fetched");
    assert_eq!(bench.assess(&plain).await.completeness.level(), Level::Complete);
}

/// Layers, the reason that they give, and a part of its detail.
type Case = (Vec<Vec<u8>>, ReasonCode, Option<&'static str>);

#[tokio::test]
async fn what_cannot_be_seen_is_a_reason_and_the_same_reason_each_time() {
    let bench = bench().await;
    let status = ("var/lib/dpkg/status", "");
    let cases: [Case; 5] = [
        (vec![], ReasonCode::NoPackageDatabase, None),
        (vec![layer_of_files(&[("app", "x")])], ReasonCode::NoPackageDatabase, None),
        (
            vec![layer_of_files(&[super::fixture::OS_RELEASE, status])],
            ReasonCode::NoPackageDatabase,
            Some("names no package"),
        ),
        (
            vec![
                layer(&[("zlib", "1")]),
                layer_of_files(&[("etc/os-release", "ID=debian\nVERSION_ID=\"10\"\n")]),
            ],
            ReasonCode::NoAdvisoriesForDistribution,
            Some("Debian:10"),
        ),
        (
            vec![layer(&[("zlib", "1")]), b"no archive at all".to_vec()],
            ReasonCode::LayerUnreadable,
            Some("unsupported_format"),
        ),
    ];
    for (layers, code, detail) in cases {
        let request = bench.indexed(&layers).await;
        let assessment = bench.assess(&request).await;
        assert!(assessment.completeness.level() != Level::Complete, "{code:?}");
        assert_eq!(reasons(&assessment.completeness), [code]);
        let told = assessment.completeness.reasons().next().and_then(|reason| reason.detail.clone());
        assert_eq!(told.is_some(), detail.is_some(), "{told:?}");
        assert!(told.unwrap_or_default().contains(detail.unwrap_or_default()), "{code:?}");
        assert_eq!(bench.assess(&request).await, assessment);
    }
}

#[tokio::test]
async fn a_bound_of_the_reader_is_told_as_such() {
    let bench = bench().await;
    let limits = cve_monitor_scanner::Limits { max_entries: 1, ..Default::default() };
    let bounded = bench.another_scanner().with_limits(limits);
    let request = bench.image(&[layer(&[("zlib", "1")])]).await;
    bounded.index(&request).await.unwrap();
    let assessment = bounded.assess(&request.image, None).await.unwrap();
    assert!(reasons(&assessment.completeness).contains(&ReasonCode::BoundReached), "{assessment:?}");
}

#[tokio::test]
async fn what_is_read_is_part_of_the_version_and_layers_that_were_read_otherwise_are_read_again() {
    let bench = bench().await;
    let lock = r#"{"packages":{"node_modules/lodash":{"version":"4.17.20"}}}"#;
    let request = bench.indexed(&[layer_of_files(&[OS_RELEASE, ("app/package-lock.json", lock)])]).await;
    let npm = async |scanner: &EmbeddedScanner| {
        let packages = scanner.inventory(&request.image).await.unwrap().inventory.packages;
        packages.into_iter().map(|package| (package.name, package.location)).collect::<Vec<_>>()
    };
    assert_eq!(npm(&bench.scanner).await, []);
    let with_locks = bench.another_scanner().with_lock_files(true);
    assert_ne!(with_locks.identity(), bench.scanner.identity());
    assert!(matches!(with_locks.inventory(&request.image).await, Err(ScannerError::NotIndexed)));
    with_locks.index(&request).await.unwrap();
    assert_eq!(with_locks.layers_read(), 1);
    assert_eq!(npm(&with_locks).await, [("lodash".to_owned(), "app/package-lock.json".to_owned())]);
    assert!(matches!(bench.scanner.inventory(&request.image).await, Err(ScannerError::NotIndexed)));
}

#[tokio::test]
async fn advisories_that_cannot_be_read_are_loading_with_the_remedy_until_the_next_refresh() {
    let bench = bench().await;
    let request = bench.indexed(&[layer(&[("openssl", "3.0.1")])]).await;
    let current = bench.store.status().await.unwrap().unwrap().path;
    std::fs::write(&current, "cut short").unwrap();
    // A process that has not opened it yet.
    let scanner = bench.another_scanner();
    let Ok(Readiness::Loading(told)) = scanner.readiness().await else { panic!("not loading") };
    assert!(told.contains("compile it again"), "{told}");
    assert!(matches!(scanner.assess(&request.image, None).await, Err(ScannerError::Loading(_))));

    let refreshed = bench.refresh().await;
    assert!(refreshed.restarted && refreshed.generation == Generation(2), "{refreshed:?}");
    let assessment = scanner.assess(&request.image, Some(Generation(2))).await.unwrap();
    assert_eq!(names(&assessment), ["CVE-2026-1"]);
}
