//! Manifests, and each reason for which there is none.

use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, ImageId, Manifest};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault, Pushed};

use super::{image, place, presigned, push};

#[tokio::test]
async fn a_manifest_comes_as_it_was_pushed_of_whatever_kind() {
    let fake = FakeEcr::start().await;
    let plain = push(&fake, Some("v1"), "one");
    let (index, _) = fake.world().push(&place(), None, &Pushed::index_of(&["two", "three"]));
    let artifact = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}"), "size": 2 },
        "layers": [],
    });
    let pushed = Pushed { manifests: vec![artifact.to_string().into()], blobs: vec!["{}".into()] };
    let (artifact, _) = fake.world().push(&place(), None, &pushed);
    let registry = presigned(&fake).await;
    let manifest = registry.manifest(&plain).await.unwrap();
    assert_eq!(Digest::of(&manifest.bytes), plain.digest);
    assert!(matches!(manifest.parse(), Ok(Manifest::Image(_))));
    let Ok(Manifest::Index(children)) = registry.manifest(&image(&index)).await.unwrap().parse() else {
        panic!("not an index")
    };
    assert_eq!(children.len(), 2);
    let artifact = registry.manifest(&image(&artifact)).await.unwrap();
    assert!(matches!(artifact.parse(), Ok(Manifest::Artifact(_))));
}

#[tokio::test]
async fn a_damaged_manifest_is_corrupt() {
    let fake = FakeEcr::start().await;
    let id = push(&fake, None, "one");
    fake.world().damage(id.digest.as_str());
    let answer = presigned(&fake).await.manifest(&id).await;
    assert!(matches!(answer, Err(RegistryError::Corrupt(_))), "{answer:?}");
}

/// What a manifest ends as when BatchGetImage says this.
async fn ends_as(fault: Fault) -> RegistryError {
    let fake = FakeEcr::start().await;
    let id = push(&fake, None, "one");
    fake.world().fail("BatchGetImage", 1, fault);
    presigned(&fake).await.manifest(&id).await.unwrap_err()
}

#[tokio::test]
async fn failures_of_one_image_are_told_apart() {
    let failure = |code: &str| ends_as(Fault::Failure(code.to_owned()));
    for code in ["KmsError", "UpstreamAccessDenied"] {
        assert!(matches!(failure(code).await, RegistryError::Denied(_)), "{code}");
    }
    assert!(matches!(failure("UpstreamTooManyRequests").await, RegistryError::Throttled { .. }));
    assert!(matches!(failure("InvalidImageDigest").await, RegistryError::Unsupported(_)));
    // ECR shows the image as active, and says that it is not there: in a moment it is.
    for code in ["UpstreamUnavailable", "ImageNotFound", "ImageInaccessible", "SomethingNew"] {
        assert!(matches!(failure(code).await, RegistryError::Transient(_)), "{code}");
    }
}

#[tokio::test]
async fn failures_of_the_call_are_told_apart() {
    let failure = |status: u16, code: &str| ends_as(Fault::Error(status, code.to_owned()));
    let slow = failure(400, "ThrottlingException").await;
    assert!(matches!(slow, RegistryError::Throttled { retry_after: None, .. }), "{slow}");
    let denied = failure(400, "AccessDeniedException").await;
    assert!(matches!(denied, RegistryError::Denied(_)), "{denied}");
    for (status, code) in [(500, "ServerException"), (400, "UnableToGetUpstreamImageException")] {
        assert!(matches!(failure(status, code).await, RegistryError::Transient(_)), "{code}");
    }
}

#[tokio::test]
async fn absent_and_denied_are_different() {
    let fake = FakeEcr::start().await;
    let id = push(&fake, None, "one");
    let registry = presigned(&fake).await;
    let absent = registry.manifest(&id.sibling(Digest::of(b"no"))).await;
    assert!(matches!(absent, Err(RegistryError::NotFound(_))), "{absent:?}");
    let nowhere = ImageId { repository: "no/such".parse().unwrap(), ..id.clone() };
    assert!(matches!(registry.manifest(&nowhere).await, Err(RegistryError::NotFound(_))));
    fake.world().deny(super::ACCOUNT, true);
    let denied = registry.manifest(&id).await;
    assert!(matches!(denied, Err(RegistryError::Denied(_))), "{denied:?}");
}
