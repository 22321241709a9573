//! Images in the archive.

use cve_monitor_adapters::aws::ecr_registry::LayerSource;
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Status};

use super::{layer, place, presigned, push, read, registry, repository};

#[tokio::test]
async fn an_archived_image_is_neither_absent_nor_readable_whatever_ecr_calls_it() {
    for code in ["ImageNotFound", "ImageInaccessible"] {
        let fake = FakeEcr::start().await;
        let id = push(&fake, Some("v1"), "one");
        fake.world().set_archived_code(code);
        fake.world().set_status(&place(), id.digest.as_str(), Status::Archived);
        let registry = presigned(&fake).await;
        let manifest = registry.manifest(&id).await;
        assert!(matches!(manifest, Err(RegistryError::Archived(_))), "{code}: {manifest:?}");
        let tags = registry.tags(&id).await.unwrap();
        assert_eq!(tags, ["v1".parse().unwrap()]);
        assert_eq!(registry.resolve(&repository(), &tags[0]).await, Ok(id.digest.clone()));
        fake.world().delete(&place(), id.digest.as_str());
        let gone = registry.manifest(&id).await;
        assert!(matches!(gone, Err(RegistryError::NotFound(_))), "{code}: {gone:?}");
    }
}

#[tokio::test]
async fn one_that_is_being_restored_is_worth_another_try_and_then_comes() {
    let fake = FakeEcr::start().await;
    let id = push(&fake, None, "one");
    let registry = presigned(&fake).await;
    fake.world().set_status(&place(), id.digest.as_str(), Status::Activating);
    let answer = registry.manifest(&id).await;
    assert!(matches!(&answer, Err(RegistryError::Transient(why)) if why.contains("restored")), "{answer:?}");
    fake.world().set_status(&place(), id.digest.as_str(), Status::Active);
    assert!(registry.manifest(&id).await.is_ok());
}

#[tokio::test]
async fn a_layer_of_archived_images_alone_is_archived_by_either_way() {
    for source in [LayerSource::Presigned, LayerSource::Endpoint] {
        let fake = FakeEcr::start().await;
        let id = push(&fake, None, "one");
        let registry = registry(&fake, source).await;
        fake.world().set_status(&place(), id.digest.as_str(), Status::Archived);
        let answer = read(&registry, &layer("one")).await;
        assert!(matches!(answer, Err(RegistryError::Archived(_))), "{source:?}: {answer:?}");
        let located = registry.location(&repository(), &layer("one")).await;
        assert!(matches!(located, Err(RegistryError::Archived(_))), "{source:?}: {located:?}");
    }
}
