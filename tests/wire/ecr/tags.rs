//! Tags as they are now, asked for together.

use cve_monitor_adapters::aws::ecr_registry::MAX_IDS;
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, ImageId, Tag};
use cve_monitor_tests::fakes::ecr::{FakeEcr, Fault};
use futures::future::join_all;

use super::{place, presigned, push, repository};

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn tags_are_those_of_the_moment() {
    let fake = FakeEcr::start().await;
    let (one, two) = (push(&fake, Some("latest"), "one"), push(&fake, None, "two"));
    let registry = presigned(&fake).await;
    assert_eq!(registry.tags(&one).await, Ok(tags(&["latest"])));
    fake.world().tag(&place(), "latest", two.digest.as_str());
    fake.world().tag(&place(), "a", two.digest.as_str());
    assert_eq!(registry.tags(&one).await, Ok(vec![]));
    assert_eq!(registry.tags(&two).await, Ok(tags(&["a", "latest"])));
    assert_eq!(registry.resolve(&repository(), &tags(&["latest"])[0]).await, Ok(two.digest));
}

#[tokio::test]
async fn who_asks_at_the_same_time_shares_calls_of_as_many_as_one_may_name() {
    let fake = FakeEcr::start().await;
    let images: Vec<ImageId> =
        (0..2 * MAX_IDS + 50).map(|n| push(&fake, Some(&format!("t{n}")), &n.to_string())).collect();
    let registry = presigned(&fake).await;
    let answers = join_all(images.iter().map(|image| registry.tags(image))).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Ok(tags(&[&format!("t{n}")])));
    }
    assert!(fake.world().called("DescribeImages") <= 4, "{:?}", fake.world().calls());
}

#[tokio::test]
async fn one_image_that_is_gone_costs_the_others_nothing_but_calls() {
    let fake = FakeEcr::start().await;
    let mut images: Vec<ImageId> =
        (0..20).map(|n| push(&fake, Some(&format!("t{n}")), &n.to_string())).collect();
    images.insert(7, images[0].sibling(Digest::of(b"gone")));
    images.push(images[0].clone());
    let registry = presigned(&fake).await;
    let answers = join_all(images.iter().map(|image| registry.tags(image))).await;
    let missing: Vec<usize> =
        answers.iter().enumerate().filter_map(|(n, a)| a.is_err().then_some(n)).collect();
    assert_eq!(missing, [7]);
    assert!(matches!(answers[7], Err(RegistryError::NotFound(_))));
    assert_eq!(answers[0], answers[21]);
}

#[tokio::test]
async fn a_refusal_reaches_all_who_asked_and_the_next_is_asked_anew() {
    let fake = FakeEcr::start().await;
    let images = [push(&fake, Some("a"), "one"), push(&fake, Some("b"), "two")];
    let registry = presigned(&fake).await;
    fake.world().fail("DescribeImages", 2, Fault::throttled());
    let answers = join_all(images.iter().map(|image| registry.tags(image))).await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(RegistryError::Throttled { .. }))),
        "{answers:?}"
    );
    assert_eq!(registry.tags(&images[0]).await, Ok(tags(&["a"])));
}

#[tokio::test]
async fn who_gives_up_while_asking_for_all_leaves_nobody_waiting() {
    let fake = FakeEcr::start().await;
    let images = [push(&fake, Some("a"), "one"), push(&fake, Some("b"), "two")];
    let registry = presigned(&fake).await;
    let mut first = Box::pin(registry.tags(&images[0]));
    // It has begun its call, and is dropped before the answer.
    assert!(futures::poll!(&mut first).is_pending());
    let mut second = Box::pin(registry.tags(&images[1]));
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(second.await, Ok(tags(&["b"])));
}
