//! `auth.psk`: each request is signed, and a refusal is told.

use std::sync::Arc;

use cve_monitor_adapters::Secret;
use cve_monitor_adapters::clair::{INTRASERVICE_ISSUER, PresharedKey, Signer};
use cve_monitor_core::ports::{Clock as _, Scanner as _, ScannerError};

use super::{Clair, STATE, captured};

fn key() -> PresharedKey {
    PresharedKey::from_base64(&Secret::new("c2VjcmV0IG9mIHRoZSB0ZXN0cw==".to_owned())).unwrap()
}

#[tokio::test]
async fn every_request_is_signed_anew() {
    let clair = Clair::start().await;
    let signer = Signer::new(key(), INTRASERVICE_ISSUER.to_owned(), Arc::clone(&clair.clock) as _);
    let (scanner, request) = (clair.connect(Some(signer)).await.unwrap(), clair.image().await);
    clair.clock.advance(std::time::Duration::from_secs(3600));
    scanner.index(&request).await.unwrap();
    scanner.assess(&request.image, None).await.unwrap();
    let seen = clair.server.seen();
    let (first, later) = seen.split_first().unwrap();
    let now = clair.clock.now();
    assert!(key().verify(first.header("authorization"), INTRASERVICE_ISSUER, now).is_err(), "an hour ago");
    for seen in later {
        assert_eq!(
            key().verify(seen.header("authorization"), INTRASERVICE_ISSUER, now),
            Ok(()),
            "{}",
            seen.target
        );
    }
    assert!(later.len() > 2);
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let clair = Clair::start().await;
    clair.scanner().await;
    assert!(clair.server.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn a_refused_signature_names_the_settings() {
    let clair = Clair::start().await;
    clair.on(STATE, [captured("psk-401")]);
    let signer = Signer::new(key(), "nobody".to_owned(), Arc::clone(&clair.clock) as _);
    let error = clair.connect(Some(signer)).await.unwrap_err();
    assert!(matches!(error, ScannerError::Denied(_)), "{error}");
    assert!(error.to_string().contains("auth.psk"), "{error}");
}
