//! Registries of other accounts, by roles.

use cve_monitor_adapters::Secret;
use cve_monitor_adapters::aws::assume_role::{RoleSettings, assume_role};
use cve_monitor_adapters::aws::ecr_registry::EcrRegistry;
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::ImageId;
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault, Place, Pushed};

use super::{ACCOUNT, REGION, config, settings};

const OTHER: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::222222222222:role/cve-monitor";

fn role(external_id: &str) -> RoleSettings {
    RoleSettings {
        arn: ROLE.to_owned(),
        external_id: Some(Secret::new(external_id.to_owned())),
        session_name: "cve-monitor".to_owned(),
    }
}

/// An ECR with an image in another account, and that image.
async fn other_account() -> (FakeEcr, ImageId) {
    let fake = FakeEcr::start().await;
    let pushed = Pushed::of_seed("one");
    let (digest, _) = fake.world().push(&Place::new(OTHER, REGION, "team/app"), Some("v1"), &pushed);
    fake.world().add_role(ROLE, Some("right-1d"));
    let registry = settings(&fake, OTHER).name;
    (fake, ImageId { registry, ..super::image(&digest) })
}

async fn by_role(fake: &FakeEcr, external_id: &str) -> EcrRegistry {
    let config = assume_role(&config(fake, ACCOUNT).await, &role(external_id), REGION).await;
    EcrRegistry::new(&config, settings(fake, OTHER)).unwrap()
}

#[tokio::test]
async fn a_role_opens_the_registry_of_its_account_once_for_many_calls() {
    let (fake, image) = other_account().await;
    let without = EcrRegistry::new(&config(&fake, ACCOUNT).await, settings(&fake, OTHER)).unwrap();
    let answer = without.manifest(&image).await;
    assert!(matches!(answer, Err(RegistryError::Denied(_))), "{answer:?}");
    let registry = by_role(&fake, "right-1d").await;
    let identity = registry.identity();
    assert_eq!((identity.registry_id.as_str(), identity.region.as_deref()), (OTHER, Some(REGION)));
    for _ in 0..3 {
        assert!(registry.manifest(&image).await.is_ok());
    }
    assert_eq!(registry.tags(&image).await, Ok(vec!["v1".parse().unwrap()]));
    assert_eq!(fake.world().called("AssumeRole"), 1);
}

#[tokio::test]
async fn a_wrong_external_id_is_denied_by_the_name_of_the_role_and_not_repeated() {
    let (fake, image) = other_account().await;
    let registry = by_role(&fake, "wr0ng-1d").await;
    let Err(RegistryError::Denied(why)) = registry.manifest(&image).await else { panic!("not denied") };
    assert!(why.contains(ROLE) && why.contains("external id"), "{why}");
    let shown = format!("{why} {registry:?} {:?}", role("wr0ng-1d"));
    assert!(!shown.contains("wr0ng-1d") && !shown.contains("right-1d"), "{shown}");
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_just_now_is_asked_for_again() {
    for (status, code) in [(500, "InternalFailure"), (400, "Throttling")] {
        let (fake, image) = other_account().await;
        let registry = by_role(&fake, "right-1d").await;
        fake.world().fail("AssumeRole", 1, Fault::Error(status, code.to_owned()));
        let answer = registry.manifest(&image).await.unwrap_err();
        let patient = matches!(answer, RegistryError::Transient(_) | RegistryError::Throttled { .. });
        assert!(patient && answer.to_string().contains(ROLE), "{code}: {answer}");
        assert!(registry.manifest(&image).await.is_ok(), "{code}");
    }
}

#[tokio::test]
async fn denying_one_account_stops_only_that_one() {
    let (fake, image) = other_account().await;
    let own = super::push(&fake, None, "own");
    let (mine, others) = (super::presigned(&fake).await, by_role(&fake, "right-1d").await);
    fake.world().deny(OTHER, true);
    assert!(matches!(others.manifest(&image).await, Err(RegistryError::Denied(_))));
    assert!(mine.manifest(&own).await.is_ok());
    fake.world().deny(OTHER, false);
    assert!(others.manifest(&image).await.is_ok());
}
