//! Repositories and images page by page, whatever the server's own pages are.

use cve_monitor_adapters::oci::bounds::MAX_PAGE_BYTES;
use cve_monitor_adapters::oci::{DistributionRegistry, RepositorySelection};
use cve_monitor_core::ports::{Registry, RegistryError};
use cve_monitor_core::vocabulary::{Digest, RepositoryName};

use super::{registry, repository, settings};
use crate::fake_server::{FakeServer, Reply};

async fn all_repositories(
    registry: &DistributionRegistry,
    limit: usize,
) -> Result<Vec<String>, RegistryError> {
    let (mut names, mut after) = (vec![], None);
    loop {
        let page = registry.repositories(after, limit).await?;
        assert!(page.items.len() <= limit);
        names.extend(page.items.into_iter().map(String::from));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(names),
        }
    }
}

fn catalogue(names: &str) -> Reply {
    Reply::ok(format!(r#"{{"repositories":[{names}]}}"#))
}

fn next(reply: Reply, target: impl Into<String>) -> Reply {
    reply.header("link", format!(r#"<{}>; rel="next""#, target.into()))
}

#[tokio::test]
async fn links_are_followed_and_the_order_is_ours() {
    let server = FakeServer::start(|seen| {
        let host = seen.header("host").unwrap_or_default();
        match seen.target.as_str() {
            "/v2/_catalog?n=1000" => next(catalogue(r#""a/b","a-b""#), "/v2/_catalog?last=2&n=1000"),
            "/v2/_catalog?last=2&n=1000" => {
                next(catalogue(r#""z""#), format!("http://{host}/v2/_catalog?last=3"))
            }
            "/v2/_catalog?last=3" => next(catalogue(""), "?last=4"),
            "/v2/_catalog?last=4" => catalogue(r#""a-b","Not A Name","m""#),
            other => panic!("nobody asks for {other}"),
        }
    })
    .await;
    let registry = registry(&server);
    assert_eq!(all_repositories(&registry, 2).await, Ok(["a-b", "a/b", "m", "z"].map(String::from).to_vec()));
    // Its pages come from one reading.
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_page_on_another_host_or_one_that_leads_back_is_refused() {
    let elsewhere = FakeServer::start(|_| catalogue(r#""stolen""#)).await;
    let away = elsewhere.url("/v2/_catalog?last=a");
    for target in [away, "/v2/_catalog?n=1000".to_owned(), "//169.254.169.254/v2/_catalog".to_owned()] {
        let server = FakeServer::start(move |_| next(catalogue(r#""a""#), target.clone())).await;
        let answer = all_repositories(&registry(&server), 9).await;
        assert!(matches!(answer, Err(RegistryError::Corrupt(_))), "{answer:?}");
        assert_eq!(server.seen().len(), 1);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn without_a_catalogue_only_a_list_of_names_works() {
    for reply in [
        Reply::error(404, "NOT_FOUND"),
        Reply::ok("404 page not found").with_status(404),
        Reply::status(405),
        Reply::error(400, "UNSUPPORTED"),
    ] {
        let server = FakeServer::start(move |_| reply.clone()).await;
        let error = all_repositories(&registry(&server), 9).await.unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, RegistryError::Unsupported(_)) && told.contains("by name"), "{told}");

        let mut settings = settings(&server);
        settings.repositories = RepositorySelection::of(["b", "a/x"]).unwrap();
        let listed = all_repositories(&DistributionRegistry::new(settings).unwrap(), 1).await;
        assert_eq!(listed, Ok(["a/x", "b"].map(String::from).to_vec()));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_pattern_selects_from_the_catalogue() {
    let server = FakeServer::start(|_| catalogue(r#""team/a","team/a/b","other""#)).await;
    let mut settings = settings(&server);
    settings.repositories = RepositorySelection::of(["team/*", "extra"]).unwrap();
    let listed = all_repositories(&DistributionRegistry::new(settings).unwrap(), 9).await;
    assert_eq!(listed, Ok(["extra", "team/a"].map(String::from).to_vec()));
}

#[tokio::test]
async fn a_page_at_the_bound_is_read_and_a_longer_one_refused() {
    for (length, good) in [(MAX_PAGE_BYTES, true), (MAX_PAGE_BYTES + 1, false)] {
        let server = FakeServer::start(move |_| {
            let mut body = br#"{"repositories":["a"]}"#.to_vec();
            body.resize(length, b' ');
            Reply::ok(body)
        })
        .await;
        let answer = all_repositories(&registry(&server), 9).await;
        assert_eq!(answer.is_ok(), good);
        assert!(good || matches!(answer, Err(RegistryError::Unsupported(_))));
    }
}

/// Serves the tags of `team/app`; a tag leads to the digest of its first letter.
fn tags(list: &'static str) -> impl Fn(&crate::fake_server::Seen) -> Reply {
    move |seen| match seen.path().strip_prefix("/v2/team/app/manifests/") {
        Some("gone") => Reply::error(404, "MANIFEST_UNKNOWN"),
        Some(tag) => {
            Reply::status(200).header("docker-content-digest", Digest::of(&tag.as_bytes()[..1]).as_str())
        }
        None => Reply::ok(format!(r#"{{"name":"team/app","tags":{list}}}"#)),
    }
}

async fn all_images(
    registry: &dyn Registry,
    repository: &RepositoryName,
    limit: usize,
) -> Vec<(Digest, String)> {
    let (mut images, mut after) = (vec![], None);
    loop {
        let page = registry.images(repository, after, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        images.extend(page.items.into_iter().map(|image| (image.digest, format!("{:?}", image.tags))));
        match page.next {
            Some(next) => after = Some(next),
            None => return images,
        }
    }
}

#[tokio::test]
async fn an_image_is_listed_once_with_all_of_its_tags() {
    let server = FakeServer::start(tags(r#"["b2","a1","b1","gone","c","not a tag"]"#)).await;
    for limit in [1, 2, 100] {
        let mut listed = all_images(&registry(&server), &repository(), limit).await;
        listed.sort_by(|a, b| a.1.cmp(&b.1));
        let names: Vec<&str> = listed.iter().map(|(_, tags)| tags.as_str()).collect();
        assert_eq!(names, ["[a1]", "[b1, b2]", "[c]"]);
    }
}

#[tokio::test]
async fn a_repository_without_tags_is_empty_and_one_that_is_not_there_is_not_found() {
    let server = FakeServer::start(tags("null")).await;
    assert!(all_images(&registry(&server), &repository(), 9).await.is_empty());
    let server = FakeServer::start(|_| Reply::error(404, "NAME_UNKNOWN")).await;
    let answer = registry(&server).images(&repository(), None, 9).await;
    assert!(matches!(answer, Err(RegistryError::NotFound(_))), "{answer:?}");
}

#[tokio::test]
async fn a_token_of_a_page_outlives_the_process() {
    let server = FakeServer::start(tags(r#"["a","b","c"]"#)).await;
    let first = registry(&server).images(&repository(), None, 2).await.unwrap();
    let rest = registry(&server).images(&repository(), first.next, 2).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
    assert!(first.items.iter().all(|image| image.digest != rest.items[0].digest));
}
