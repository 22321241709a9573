//! Layers, by pre-signed addresses and by the registry's endpoint.

use std::time::{Duration, SystemTime};

use cve_monitor_adapters::aws::ecr_registry::LayerSource;
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, Timestamp};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault};

use super::{layer, presigned, push, read, registry, repository};

const BOTH: [LayerSource; 2] = [LayerSource::Presigned, LayerSource::Endpoint];

#[tokio::test]
async fn layers_come_from_the_store_which_never_sees_an_authorization() {
    for source in BOTH {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        // The store answers 400 to whoever sends it one, as S3 does.
        let registry = registry(&fake, source).await;
        assert_eq!(read(&registry, &layer("one")).await, Ok(layer("one").digest), "{source:?}");
        assert_eq!(fake.world().layer_bytes(), layer("one").size);
    }
}

#[tokio::test]
async fn a_damaged_layer_ends_as_corrupt_and_so_does_one_of_another_length() {
    for source in BOTH {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        let registry = registry(&fake, source).await;
        let other = Descriptor { size: 7, ..layer("one") };
        assert!(matches!(read(&registry, &other).await, Err(RegistryError::Corrupt(_))), "{source:?}");
        fake.world().damage(layer("one").digest.as_str());
        assert!(matches!(read(&registry, &layer("one")).await, Err(RegistryError::Corrupt(_))), "{source:?}");
    }
}

#[tokio::test]
async fn an_address_that_expired_is_asked_for_again_once() {
    for source in BOTH {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        let registry = registry(&fake, source).await;
        let refused = || Fault::Error(403, "AccessDenied".to_owned());
        fake.world().fail("GetLayer", 1, refused());
        assert_eq!(read(&registry, &layer("one")).await, Ok(layer("one").digest), "{source:?}");
        assert_eq!(fake.world().called("GetLayer"), 2);
        fake.world().fail("GetLayer", 2, refused());
        let answer = read(&registry, &layer("one")).await.unwrap_err();
        assert!(matches!(&answer, RegistryError::Denied(why) if !why.contains("X-Amz")), "{answer}");
        assert_eq!(fake.world().called("GetLayer"), 4);
    }
}

#[tokio::test]
async fn a_broken_transfer_is_taken_up_where_it_broke_by_a_new_address() {
    for source in BOTH {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        let registry = registry(&fake, source).await;
        fake.world().fail("GetLayer", 1, Fault::CutAfter(100));
        let mut stream = registry.blob(&repository(), &layer("one")).await.unwrap();
        // The first address does not work any more when the rest is asked for.
        fake.world().expire_urls();
        let mut bytes = vec![];
        while let Some(chunk) = futures::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(Digest::of(&bytes), layer("one").digest, "{source:?}");
        assert_eq!(fake.world().called("GetLayer"), 2);
    }
}

#[tokio::test]
async fn missing_denied_and_throttled_layers_are_told_apart() {
    for source in BOTH {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        let registry = registry(&fake, source).await;
        let absent = Descriptor { digest: Digest::of(b"no"), ..layer("one") };
        assert!(matches!(read(&registry, &absent).await, Err(RegistryError::NotFound(_))), "{source:?}");
        fake.world().fail("GetLayer", 1, Fault::Error(503, "SlowDown".to_owned()));
        let slow = read(&registry, &layer("one")).await;
        assert!(matches!(slow, Err(RegistryError::Throttled { .. })), "{source:?}: {slow:?}");
        fake.world().lose(layer("one").digest.as_str());
        assert!(
            matches!(read(&registry, &layer("one")).await, Err(RegistryError::NotFound(_))),
            "{source:?}"
        );
    }
    for (code, expected) in [("AccessDeniedException", "denies"), ("ThrottlingException", "slow down")] {
        let fake = FakeEcr::start().await;
        push(&fake, None, "one");
        fake.world().fail("GetDownloadUrlForLayer", 1, Fault::Error(400, code.to_owned()));
        let answer = read(&presigned(&fake).await, &layer("one")).await.unwrap_err();
        assert!(answer.to_string().contains(expected), "{code}: {answer}");
    }
}

#[tokio::test]
async fn a_location_is_pre_signed_without_headers_and_tells_its_end() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    let registry = registry(&fake, LayerSource::Endpoint).await;
    let location = registry.location(&repository(), &layer("one")).await.unwrap();
    assert!(location.headers.is_empty() && location.uri.contains("X-Amz-Signature"));
    assert!(!format!("{location:?}").contains("X-Amz"));
    let left = location.expires.unwrap().since(Timestamp::from(SystemTime::now()));
    assert!(left > Duration::from_secs(3500) && left <= Duration::from_secs(3600), "{left:?}");
}

#[tokio::test]
async fn a_store_that_is_away_is_transient_and_its_address_is_not_repeated() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    fake.world().fail("GetLayer", 1, Fault::Error(500, "InternalError".to_owned()));
    let answer = read(&presigned(&fake).await, &layer("one")).await.unwrap_err();
    assert!(matches!(&answer, RegistryError::Transient(why) if !why.contains("X-Amz")), "{answer}");
}
