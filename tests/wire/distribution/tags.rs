//! Tags: where they lead, and for how long that is believed.

use std::sync::atomic::{AtomicUsize, Ordering};

use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, ImageId};

use super::{MANIFEST, image, registry, repository, tag};
use crate::fake_server::{FakeServer, Reply};

#[tokio::test]
async fn a_tag_is_resolved_without_fetching_the_manifest() {
    let server = FakeServer::start(|_| {
        Reply::status(200).header("docker-content-digest", Digest::of(MANIFEST).as_str())
    })
    .await;
    assert_eq!(registry(&server).resolve(&repository(), &tag("v1")).await, Ok(Digest::of(MANIFEST)));
    assert_eq!(
        server.seen().iter().map(|seen| seen.method.as_str().to_owned()).collect::<Vec<_>>(),
        ["HEAD"]
    );
}

#[tokio::test]
async fn where_a_head_does_not_help_the_manifest_is_fetched_and_hashed() {
    for head in [Reply::status(200), Reply::status(405), Reply::status(404), Reply::status(400)] {
        let server = FakeServer::start(move |seen| match seen.method.as_str() {
            "HEAD" => head.clone(),
            _ => Reply::ok(MANIFEST),
        })
        .await;
        assert_eq!(registry(&server).resolve(&repository(), &tag("v1")).await, Ok(Digest::of(MANIFEST)));
    }
}

#[tokio::test]
async fn a_refusal_of_the_head_is_not_asked_again() {
    for (status, expected) in [(403, "denied"), (429, "throttled"), (503, "transient")] {
        let server = FakeServer::start(move |_| Reply::status(status)).await;
        let error = registry(&server).resolve(&repository(), &tag("v1")).await.unwrap_err();
        let class = match &error {
            RegistryError::Denied(_) => "denied",
            RegistryError::Throttled { .. } => "throttled",
            RegistryError::Transient(_) => "transient",
            _ => "another",
        };
        assert_eq!((class, server.seen().len()), (expected, 1), "{error}");
    }
}

#[tokio::test]
async fn tags_are_read_once_a_minute_and_anew_when_forgotten() {
    let server = FakeServer::start(|seen| match seen.path().ends_with("/tags/list") {
        true => Reply::ok(r#"{"tags":["b","a"]}"#),
        false => Reply::status(200).header("docker-content-digest", Digest::of(MANIFEST).as_str()),
    })
    .await;
    let registry = registry(&server);
    let expected = Ok(vec![tag("a"), tag("b")]);
    assert_eq!(registry.tags(&image(&server)).await, expected);
    let untagged = ImageId { digest: Digest::of(b"other"), ..image(&server) };
    assert_eq!(registry.tags(&untagged).await, Ok(vec![]));
    assert_eq!(server.seen_at("/tags/list").len(), 1);
    registry.forget_tags(&repository());
    assert_eq!(registry.tags(&image(&server)).await, expected);
    assert_eq!(server.seen_at("/tags/list").len(), 2);
}

#[tokio::test]
async fn a_listing_always_begins_with_a_fresh_look() {
    let calls = AtomicUsize::new(0);
    let server = FakeServer::start(move |seen| match seen.path().ends_with("/tags/list") {
        true if calls.fetch_add(1, Ordering::SeqCst) == 0 => Reply::ok(r#"{"tags":["a"]}"#),
        true => Reply::ok(r#"{"tags":["a","b"]}"#),
        false => {
            let tag = seen.path().rsplit('/').next().unwrap_or_default();
            Reply::status(200).header("docker-content-digest", Digest::of(tag.as_bytes()).as_str())
        }
    })
    .await;
    let registry = registry(&server);
    registry.tags(&image(&server)).await.unwrap();
    assert_eq!(registry.images(&repository(), None, 9).await.map(|page| page.items.len()), Ok(2));
}
