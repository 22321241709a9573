//! What refers to an image: the registry's own list, and the tag that stands in for it.

use cve_monitor_adapters::oci::bounds::MAX_REFERRER_PAGES;
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, MediaType};

use super::{MANIFEST, image, registry};
use crate::fake_server::{FakeServer, Reply};

const SBOM: &str = "application/spdx+json";

fn list(of: &[&[u8]]) -> String {
    let entry = |content: &&[u8]| {
        let digest = Digest::of(content);
        format!(r#"{{"mediaType":"m","digest":"{digest}","size":1,"artifactType":"{SBOM}"}}"#)
    };
    let entries: Vec<String> = of.iter().map(entry).collect();
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
}

fn digests(found: Result<Vec<cve_monitor_core::vocabulary::Referrer>, RegistryError>) -> Vec<Digest> {
    let found = found.unwrap();
    assert!(found.iter().all(|each| each.artifact_type.as_deref() == Some(SBOM)));
    found.into_iter().map(|each| each.digest).collect()
}

#[tokio::test]
async fn the_pages_of_the_registrys_list_are_followed() {
    let server = FakeServer::start(|seen| {
        if seen.target.ends_with("?page=2") {
            return Reply::ok(list(&[b"b"]));
        }
        Reply::ok(list(&[b"a"])).header("link", format!("<{}?page=2>; rel=\"next\"", seen.path()))
    })
    .await;
    let found = digests(registry(&server).referrers(&image(&server)).await);
    assert_eq!(found, [Digest::of(b"a"), Digest::of(b"b")]);
    let seen = &server.seen()[0];
    assert_eq!(seen.target, format!("/v2/team/app/referrers/{}", Digest::of(MANIFEST)));
    assert_eq!(seen.header("accept"), Some(MediaType::OCI_INDEX));
}

#[tokio::test]
async fn a_list_may_have_so_many_pages_and_no_more() {
    for pages in [MAX_REFERRER_PAGES, MAX_REFERRER_PAGES + 1] {
        let server = FakeServer::start(move |seen| {
            let page: usize = seen.target.rsplit_once("?n=").map_or(1, |(_, page)| page.parse().unwrap());
            let reply = Reply::ok(list(&[page.to_string().as_bytes()]));
            if page == pages {
                return reply;
            }
            reply.header("link", format!("<{}?n={}>; rel=\"next\"", seen.path(), page + 1))
        })
        .await;
        let answer = registry(&server).referrers(&image(&server)).await;
        match pages {
            MAX_REFERRER_PAGES => assert_eq!(digests(answer).len(), pages),
            _ => assert!(matches!(answer, Err(RegistryError::Unsupported(_))), "{answer:?}"),
        }
        assert_eq!(server.seen().len(), MAX_REFERRER_PAGES);
    }
}

#[tokio::test]
async fn where_there_is_no_list_the_tag_derived_from_the_digest_is_asked_for() {
    let tagged = list(&[b"a"]);
    let server = FakeServer::start(move |seen| {
        let tag = format!("sha256-{}", Digest::of(MANIFEST).hex());
        match seen.path() {
            path if path.contains("/referrers/") => Reply::ok("404 page not found").with_status(404),
            path if path.ends_with(&tag) => {
                let digest = Digest::of(tagged.as_bytes()).to_string();
                Reply::ok(tagged.clone()).header("docker-content-digest", digest)
            }
            path if path.ends_with(Digest::of(tagged.as_bytes()).as_str()) => Reply::ok(tagged.clone()),
            _ => Reply::error(404, "MANIFEST_UNKNOWN"),
        }
    })
    .await;
    assert_eq!(digests(registry(&server).referrers(&image(&server)).await), [Digest::of(b"a")]);
}

#[tokio::test]
async fn neither_list_nor_tag_is_none_and_what_fails_is_an_error() {
    let server = FakeServer::start(|_| Reply::error(404, "NOT_FOUND")).await;
    assert_eq!(registry(&server).referrers(&image(&server)).await, Ok(vec![]));
    for (status, code) in [(401, "DENIED"), (429, "TOOMANYREQUESTS"), (500, "UNKNOWN")] {
        let server = FakeServer::start(move |_| Reply::error(status, code)).await;
        let answer = registry(&server).referrers(&image(&server)).await;
        let is_told = match answer.as_ref().unwrap_err() {
            RegistryError::Denied(_) => status == 401,
            RegistryError::Throttled { .. } => status == 429,
            other => status == 500 && matches!(other, RegistryError::Transient(_)),
        };
        assert!(is_told, "{status}: {answer:?}");
    }
    let server = FakeServer::start(|_| Reply::ok("<html>")).await;
    let answer = registry(&server).referrers(&image(&server)).await;
    assert!(matches!(answer, Err(RegistryError::Unsupported(_))), "{answer:?}");
}
