//! Redirects: followed by hand, without what belongs to the registry alone.

use cve_monitor_adapters::oci::bounds::MAX_REDIRECTS;
use cve_monitor_adapters::oci::{CredentialSource, Credentials, DistributionRegistry, ProxySettings, Secret};
use cve_monitor_core::ports::{Registry as _, RegistryError};

use super::{MANIFEST, descriptor, image, read, registry, repository, settings};
use crate::fake_server::{FakeServer, Reply, Seen};

const LAYER: &[u8] = b"a layer";

fn guarded(location: String) -> impl Fn(&Seen) -> Reply {
    move |seen| match seen.header("authorization") {
        Some(_) => Reply::status(307).header("location", location.clone()),
        None => Reply::status(401).header("www-authenticate", "Basic realm=x"),
    }
}

fn with_password(server: &FakeServer) -> DistributionRegistry {
    let mut settings = settings(server);
    settings.credentials = CredentialSource::Fixed(Credentials::basic("u", "p"));
    DistributionRegistry::new(settings).unwrap()
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let store = FakeServer::start(|_| Reply::ok(LAYER)).await;
    let server = FakeServer::start(guarded(store.url("/bucket/layer?signature=s"))).await;
    assert_eq!(read(&with_password(&server), &descriptor(LAYER)).await, Ok(LAYER.to_vec()));
    let seen = store.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].target, "/bucket/layer?signature=s");
    assert!(["authorization", "cookie", "referer"].iter().all(|name| seen[0].header(name).is_none()));
}

#[tokio::test]
async fn credentials_do_follow_a_redirect_within_the_registry() {
    let server = FakeServer::start(|seen| match (seen.path(), seen.header("authorization")) {
        ("/moved", Some(_)) => Reply::ok(LAYER),
        (_, Some(_)) => Reply::status(302).header("location", "/moved"),
        (_, None) => Reply::status(401).header("www-authenticate", "Basic realm=x"),
    })
    .await;
    assert_eq!(read(&with_password(&server), &descriptor(LAYER)).await, Ok(LAYER.to_vec()));
}

#[tokio::test]
async fn so_many_redirects_are_followed_and_no_more() {
    for (hops, good) in [(MAX_REDIRECTS, true), (MAX_REDIRECTS + 1, false)] {
        let server = FakeServer::start(move |seen| {
            let at: usize = seen.path().strip_prefix("/hop/").and_then(|n| n.parse().ok()).unwrap_or(0);
            if at == hops {
                Reply::ok(LAYER)
            } else {
                Reply::status(302).header("location", format!("/hop/{}", at + 1))
            }
        })
        .await;
        let answer = read(&registry(&server), &descriptor(LAYER)).await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
    }
}

#[tokio::test]
async fn redirects_to_the_local_segment_are_refused() {
    for target in ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "file:///etc/passwd"] {
        let server = FakeServer::start(move |_| Reply::status(302).header("location", target)).await;
        let error = read(&registry(&server), &descriptor(LAYER)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Denied(_)), "{target}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_no_answer() {
    let server = FakeServer::start(|_| Reply::status(302)).await;
    let answer = registry(&server).manifest(&image(&server)).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{answer:?}");
}

#[tokio::test]
async fn a_store_that_has_lost_a_blob_does_not_make_it_gone() {
    let store =
        FakeServer::start(|_| Reply::ok("<Error><Code>NoSuchKey</Code></Error>").with_status(404)).await;
    let target = store.url("/x");
    let server = FakeServer::start(move |_| Reply::status(307).header("location", target.clone())).await;
    let answer = read(&registry(&server), &descriptor(LAYER)).await;
    assert!(matches!(answer, Err(RegistryError::Transient(_))), "{answer:?}");
}

#[tokio::test]
async fn a_location_is_the_registry_s_own_address_even_where_it_redirects() {
    let server = FakeServer::start(|_| Reply::status(307).header("location", "http://store.invalid/x")).await;
    let location = registry(&server).location(&repository(), &descriptor(LAYER)).await.unwrap();
    assert!(location.uri.starts_with(&server.url("/v2/team/app/blobs/sha256:")), "{}", location.uri);
}

#[tokio::test]
async fn a_proxy_is_asked_for_everything_but_what_is_named() {
    let proxy = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let direct = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let mut through = settings(&direct);
    through.proxy = ProxySettings { http: Some(Secret::new(proxy.url(""))), ..ProxySettings::default() };
    let mut around = through.clone();
    around.proxy.no_proxy = Some("127.0.0.1,other.example".to_owned());
    DistributionRegistry::new(through).unwrap().manifest(&image(&direct)).await.unwrap();
    assert_eq!((proxy.seen().len(), direct.seen().len()), (1, 0));
    DistributionRegistry::new(around).unwrap().manifest(&image(&direct)).await.unwrap();
    assert_eq!((proxy.seen().len(), direct.seen().len()), (1, 1));
}
