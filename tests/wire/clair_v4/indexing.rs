//! Images handed over to be read.

use std::time::Duration;

use cve_monitor_core::ports::{RegistryError, Scanner as _, ScannerError};
use cve_monitor_core::vocabulary::{Level, ReasonCode};
use serde_json::{Value, json};

use super::{Clair, INDEX, INDEX_REPORT, REPORT, STATE, captured};
use crate::fake_server::Reply;

/// Tells whether an error is the one that is meant.
type IsMeant = fn(&ScannerError) -> bool;

/// What was handed over, in order.
fn manifests(clair: &Clair) -> Vec<Value> {
    let handed = clair.server.seen_at("/index_report").into_iter();
    handed.map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

async fn index(clair: &Clair) -> Result<Vec<String>, ScannerError> {
    let keys = clair.scanner().await.index(&clair.image().await).await?;
    Ok(keys.into_iter().map(|key| key.0).collect())
}

/// A failed index as old versions answered it, and as any tells of it later.
fn failed(text: &str) -> Reply {
    let body = json!({"state": "IndexError", "success": false, "err": text});
    Reply::ok(body.to_string()).with_status(201)
}

fn broken(text: &str) -> Reply {
    let body = json!({"code": "internal-error", "message": format!("failed to start scan: {text}")});
    Reply::ok(body.to_string()).with_status(500)
}

#[tokio::test]
async fn an_image_is_handed_over_with_the_addresses_of_its_layers() {
    let clair = Clair::start().await;
    let request = clair.image().await;
    let keys = index(&clair).await.unwrap();
    let [first, second] = request.manifest.layers.as_slice() else { panic!("two layers") };
    let layer = |layer: &cve_monitor_core::vocabulary::Descriptor, number: u32| {
        json!({"hash": layer.digest, "uri": format!("https://store.example/{}?sig=s3cret{number}", layer.digest),
               "headers": {"Authorization": [format!("Bearer s3cret{number}")]}})
    };
    let expected = json!({"hash": request.image.digest, "layers": [layer(first, 1), layer(second, 2)]});
    assert_eq!(manifests(&clair), [expected]);
    assert_eq!(clair.asked("POST"), 1);
    assert!(keys.contains(&"package:go:golang.org/x/text".to_owned()), "{keys:?}");
    assert!(keys.contains(&"package:maven:com.google.guava:guava".to_owned()), "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("libc6")), "Clair finds these itself: {keys:?}");
}

#[tokio::test]
async fn nothing_is_asked_for_on_a_condition() {
    let clair = Clair::start().await;
    let (scanner, request) = (clair.scanner().await, clair.image().await);
    for _ in 0..2 {
        scanner.index(&request).await.unwrap();
        scanner.readiness().await.unwrap();
        scanner.assess(&request.image, None).await.unwrap();
    }
    assert!(clair.server.seen().iter().all(|seen| seen.header("if-none-match").is_none()));
    // Were it answered all the same, nothing would be taken for indexed.
    clair.on(INDEX, [captured("index-412")]);
    let error = scanner.index(&request).await.unwrap_err();
    assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
}

#[tokio::test]
async fn too_many_requests_is_waited_out_although_the_body_is_cut() {
    let clair = Clair::start().await;
    for reply in [captured("index-429").cut_after(74), captured("index-429").cut_after(0)] {
        clair.on(INDEX, [reply]);
        let error = index(&clair).await.unwrap_err();
        let ScannerError::Transient { retry_after, detail } = error else { panic!("{error}") };
        assert!(retry_after >= Some(Duration::from_secs(10)), "{retry_after:?}");
        assert!(detail.contains("429"), "{detail}");
    }
}

#[tokio::test]
async fn what_clair_does_not_take_for_a_manifest_is_given_up() {
    let clair = Clair::start().await;
    for name in ["index-bad-json", "index-no-layers"] {
        clair.on(INDEX, [captured(name)]);
        let error = index(&clair).await.unwrap_err();
        assert!(matches!(error, ScannerError::Permanent(_)), "{name}: {error}");
    }
    let request = clair.image().await;
    let mut bare = request.clone();
    bare.manifest.layers.clear();
    let before = clair.asked("POST");
    let error = clair.scanner().await.index(&bare).await.unwrap_err();
    assert!(matches!(error, ScannerError::Permanent(_)), "{error}");
    assert_eq!(clair.asked("POST"), before, "Clair need not say it");
}

#[tokio::test]
async fn each_trouble_of_an_index_has_its_meaning() {
    let clair = Clair::start().await;
    let transient = |error: &ScannerError| matches!(error, ScannerError::Transient { .. });
    let checks: [(Reply, IsMeant); 6] = [
        (captured("index-layer-404"), |error| matches!(error, ScannerError::Gone(_))),
        (captured("index-digest-mismatch"), |error| matches!(error, ScannerError::Corrupt(_))),
        (captured("index-connection-refused"), transient),
        (broken("failed to scan all layer contents: rhel: unable to create a mappingFile object"), transient),
        (broken("failed to connect to `host=database`"), transient),
        (Reply::status(502), transient),
    ];
    for (reply, is_meant) in checks {
        clair.on(INDEX, [reply]);
        let error = index(&clair).await.unwrap_err();
        assert!(is_meant(&error), "{error}");
    }
}

#[tokio::test]
async fn an_index_that_failed_behind_a_201_has_failed() {
    let clair = Clair::start().await;
    clair.on(INDEX, [failed("failed to fetch layers: unexpected status code: 404 Not Found")]);
    assert!(matches!(index(&clair).await, Err(ScannerError::Gone(_))));
    clair.on(INDEX, [failed("failed to connect to database")]);
    assert!(matches!(index(&clair).await, Err(ScannerError::Transient { .. })));
    clair.on(INDEX, [Reply::ok(r#"{"state":"ScanLayers","success":false}"#).with_status(201)]);
    assert!(matches!(index(&clair).await, Err(ScannerError::Transient { .. })));
}

#[tokio::test]
async fn an_address_that_has_expired_is_asked_for_anew() {
    for name in ["index-layer-401", "index-layer-403"] {
        let clair = Clair::start().await;
        clair.on(INDEX, [captured(name), captured("index-finished-distroless")]);
        index(&clair).await.unwrap();
        let uris: Vec<String> = manifests(&clair)
            .iter()
            .map(|handed| handed["layers"][0]["uri"].as_str().unwrap().to_owned())
            .collect();
        assert!(uris.len() == 2 && uris[0] != uris[1], "{uris:?}");
        // Refused with new ones too: these credentials are not enough.
        clair.on(INDEX, [captured(name)]);
        assert!(matches!(index(&clair).await, Err(ScannerError::Denied(_))));
    }
}

#[tokio::test]
async fn an_image_that_clair_cannot_read_is_reported_as_unsupported() {
    let foreign =
        "fetcher: unknown content-type \"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\"";
    let checks = [
        (captured("index-not-a-tar"), captured("index-report-not-a-tar")),
        (broken(foreign), failed(foreign).with_status(200)),
    ];
    for (answer, record) in checks {
        let clair = Clair::start().await;
        clair.on(INDEX, [answer]);
        clair.on(REPORT, [captured("report-404")]);
        clair.on(INDEX_REPORT, [record]);
        assert_eq!(index(&clair).await, Ok(vec![]));
        let found = clair.scanner().await.assess(&clair.image().await.image, None).await.unwrap();
        assert_eq!((found.completeness.level(), found.findings.len()), (Level::Unsupported, 0));
        assert!(found.completeness.reasons().all(|reason| reason.code == ReasonCode::LayerUnreadable));
    }
}

#[tokio::test]
async fn what_the_registry_says_about_a_layer_is_told() {
    let clair = Clair::start().await;
    let (scanner, request) = (clair.scanner().await, clair.image().await);
    for (said, is_meant) in [
        (
            RegistryError::NotFound("it".to_owned()),
            (|error| matches!(error, ScannerError::Gone(_))) as fn(&_) -> bool,
        ),
        (RegistryError::Denied("it".to_owned()), |error| matches!(error, ScannerError::Denied(_))),
        (RegistryError::Transient("it".to_owned()), |error| matches!(error, ScannerError::Transient { .. })),
    ] {
        clair.registry.inner.fail_next(1, &said);
        let error = scanner.index(&request).await.unwrap_err();
        assert!(is_meant(&error), "{error}");
    }
    assert_eq!(clair.asked("POST"), 0);
}

#[tokio::test]
async fn an_errors_text_carries_no_signature() {
    let clair = Clair::start().await;
    let text = "fetcher: request failed: Get \"https://store.example/l?a=1&X-Amz-Signature=s3cret\": EOF";
    // As Go writes it, and cut behind the signature.
    let escaped = broken(text).body().to_vec();
    let escaped = String::from_utf8(escaped).unwrap().replace('&', "\\u0026");
    let cut = escaped.find("s3cret").unwrap() + "s3cret".len();
    let cut = Reply::ok(escaped).with_status(500).cut_after(cut);
    for answer in [broken(text), failed(text), cut] {
        clair.on(INDEX, [answer]);
        let error = index(&clair).await.unwrap_err();
        assert!(error.to_string().contains("https://store.example/l"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn another_state_of_the_indexer_is_another_version_of_the_scanner() {
    let clair = Clair::start().await;
    let scanner = clair.scanner().await;
    assert_eq!(scanner.identity().name, "clair-v4");
    assert_eq!(scanner.identity().version, "cb31df8269833698891b35a63251a81a");
    clair.on(STATE, [Reply::ok(r#"{"state":"another"}"#)]);
    scanner.readiness().await.unwrap();
    assert_eq!(scanner.identity().version, "another");
    // An index tells it too: this one was made by the scanners of the recording.
    scanner.index(&clair.image().await).await.unwrap();
    assert_eq!(scanner.identity().version, "cb31df8269833698891b35a63251a81a");
    let body = captured("index-finished-distroless").body().to_vec();
    let weak = Reply::ok(body).with_status(201).header("etag", "W/\"weak\"");
    let strong = captured("index-finished-distroless");
    for (answer, version) in [(weak, "weak"), (strong, "cb31df8269833698891b35a63251a81a")] {
        clair.on(INDEX, [answer]);
        scanner.index(&clair.image().await).await.unwrap();
        assert_eq!(scanner.identity().version, version);
    }
}

#[tokio::test]
async fn a_clair_that_never_answers_is_left_alone_in_the_end() {
    let state = || async { r#"{"state":"x"}"# };
    let app = axum::Router::new()
        .route("/indexer/api/v1/index_state", axum::routing::get(state))
        .route("/indexer/api/v1/index_report", axum::routing::post(std::future::pending::<()>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut clair = Clair::start().await;
    clair.settings.index_timeout = Duration::from_millis(50);
    clair.settings.indexer.url = url.parse().unwrap();
    let error = index(&clair).await.unwrap_err();
    assert!(matches!(error, ScannerError::Transient { .. }), "{error}");
    assert!(error.to_string().contains("no answer within"), "{error}");
    silent.abort();
}
