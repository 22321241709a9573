//! The token of the registry's endpoint.

use cve_monitor_adapters::aws::ecr_registry::LayerSource;
use cve_monitor_core::ports::RegistryError;
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault};

use super::{layer, push, read, registry};

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    let registry = registry(&fake, LayerSource::Endpoint).await;
    for _ in 0..5 {
        assert_eq!(read(&registry, &layer("one")).await, Ok(layer("one").digest));
    }
    assert_eq!(fake.world().called("GetAuthorizationToken"), 1);
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_by_another() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    let registry = registry(&fake, LayerSource::Endpoint).await;
    assert!(read(&registry, &layer("one")).await.is_ok());
    fake.world().advance(13 * 3600);
    assert_eq!(read(&registry, &layer("one")).await, Ok(layer("one").digest));
    assert_eq!(fake.world().called("GetAuthorizationToken"), 2);
}

/// As an emulator does that dates every token 2015; here they do not work either.
#[tokio::test]
async fn a_token_that_has_ended_when_it_comes_is_asked_for_twice_for_a_layer_and_no_more() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    fake.world().set_token_seconds(-3600);
    let registry = registry(&fake, LayerSource::Endpoint).await;
    let answer = read(&registry, &layer("one")).await;
    assert!(matches!(answer, Err(RegistryError::Denied(_))), "{answer:?}");
    assert_eq!(fake.world().called("GetAuthorizationToken"), 2);
}

#[tokio::test]
async fn who_gets_no_token_is_denied_or_throttled_and_sees_none_in_the_error() {
    for (code, expected) in [("AccessDeniedException", "denies"), ("ThrottlingException", "slow down")] {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        fake.world().fail("GetAuthorizationToken", 1, Fault::Error(400, code.to_owned()));
        let answer = read(&registry(&fake, LayerSource::Endpoint).await, &layer("one")).await.unwrap_err();
        assert!(answer.to_string().contains(expected), "{code}: {answer}");
    }
}

#[tokio::test]
async fn debug_shows_no_token() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    let registry = registry(&fake, LayerSource::Endpoint).await;
    assert!(read(&registry, &layer("one")).await.is_ok());
    let shown = format!("{registry:?}");
    assert!(!shown.contains("password-") && !shown.contains("s3cret"), "{shown}");
    assert!(!shown.contains("QVdTOn"), "nor its beginning in base64: {shown}");
}
