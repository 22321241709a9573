//! Repositories and images, page by page.

use std::num::NonZeroU32;
use std::time::Duration;

use cve_monitor_adapters::aws::ecr_registry::{EcrBudget, EcrRegistry};
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::PageToken;
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault, Place, Pushed, Status};

use super::{ACCOUNT, REGION, config, image, place, presigned, push, repository, settings};

#[tokio::test]
async fn repositories_are_ordered_by_name_whatever_order_ecr_has() {
    let fake = FakeEcr::start().await;
    let names = ["z", "a", "m/x", "m", "b/c/d"];
    for name in names {
        fake.world().create_repository(&Place::new(ACCOUNT, REGION, name));
    }
    fake.world().create_repository(&Place::new(ACCOUNT, "us-east-1", "elsewhere"));
    fake.world().create_repository(&Place::new("222222222222", REGION, "anothers"));
    let registry = presigned(&fake).await;
    let first = registry.repositories(None, 2).await.unwrap();
    let rest = registry.repositories(first.next.clone(), 100).await.unwrap();
    let listed: Vec<String> = first.items.iter().chain(&rest.items).map(ToString::to_string).collect();
    assert_eq!(listed, ["a", "b/c/d", "m", "m/x", "z"]);
    assert_eq!(
        (rest.next, fake.world().called("DescribeRepositories")),
        (None, 1),
        "read once for all pages"
    );
}

#[tokio::test]
async fn a_page_of_repositories_can_be_asked_for_after_a_restart() {
    let fake = FakeEcr::start().await;
    for name in ["a", "b", "c"] {
        fake.world().create_repository(&Place::new(ACCOUNT, REGION, name));
    }
    let first = presigned(&fake).await.repositories(None, 1).await.unwrap();
    let after = presigned(&fake).await.repositories(first.next, 10).await.unwrap();
    assert_eq!(after.items.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn more_repositories_than_a_page_of_ecr_has_are_all_listed() {
    let fake = FakeEcr::start().await;
    for n in 0..1001 {
        fake.world().create_repository(&Place::new(ACCOUNT, REGION, &format!("r{n:04}")));
    }
    let page = presigned(&fake).await.repositories(None, 2000).await.unwrap();
    assert_eq!((page.items.len(), page.next), (1001, None));
    assert_eq!(fake.world().called("DescribeRepositories"), 2);
}

#[tokio::test]
async fn untagged_archived_and_artifact_images_are_listed_with_when_they_were_pushed() {
    let fake = FakeEcr::start().await;
    let (tagged, untagged) = (push(&fake, Some("v1"), "one"), push(&fake, None, "two"));
    let kept = push(&fake, Some("old"), "three");
    fake.world().set_status(&place(), kept.digest.as_str(), Status::Archived);
    let (index, _) = fake.world().push(&place(), Some("multi"), &Pushed::index_of(&["four", "five"]));
    let listed = presigned(&fake).await.images(&repository(), None, 100).await.unwrap().items;
    assert_eq!(listed.len(), 6);
    let tags = |digest| {
        let entry = listed.iter().find(|entry| entry.digest == digest).unwrap();
        assert!(entry.pushed.is_some());
        entry.tags.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(tags(tagged.digest), ["v1"]);
    assert_eq!(tags(untagged.digest), [""; 0]);
    assert_eq!(tags(kept.digest), ["old"]);
    assert_eq!(tags(image(&index).digest), ["multi"]);
}

#[tokio::test]
async fn a_repository_that_is_not_there_and_a_page_that_is_refused_are_different_errors() {
    let fake = FakeEcr::start().await;
    push(&fake, None, "one");
    let registry = presigned(&fake).await;
    let gone = registry.images(&"no/such".parse().unwrap(), None, 10).await;
    assert!(matches!(gone, Err(RegistryError::NotFound(_))), "{gone:?}");
    let stale = registry.images(&repository(), Some(PageToken("stale".to_owned())), 10).await;
    assert!(matches!(stale, Err(RegistryError::Transient(_))), "{stale:?}");
    fake.world().fail("DescribeImages", 1, Fault::throttled());
    let slow = registry.images(&repository(), None, 10).await;
    assert!(matches!(slow, Err(RegistryError::Throttled { .. })), "{slow:?}");
}

#[tokio::test]
async fn listing_keeps_to_its_budget_shared_by_clones() {
    let fake = FakeEcr::start().await;
    for n in 0..5 {
        push(&fake, None, &format!("{n}"));
    }
    let mut settings = settings(&fake, ACCOUNT);
    settings.budget = EcrBudget { lists_per_second: NonZeroU32::MIN, ..EcrBudget::default() };
    let registry = EcrRegistry::new(&config(&fake, ACCOUNT).await, settings).unwrap();
    let start = tokio::time::Instant::now();
    let list = |registry: EcrRegistry| async move { registry.images(&repository(), None, 1).await };
    let (one, other) = tokio::join!(list(registry.clone()), list(registry.clone()));
    assert!(one.is_ok() && other.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(1), "one of them waited its turn");
}
