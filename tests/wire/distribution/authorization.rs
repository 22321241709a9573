//! Who asks: nobody, a user with a password, one who holds a token.

use std::sync::atomic::{AtomicUsize, Ordering};

use cve_monitor_adapters::oci::bounds::MAX_TOKEN_BYTES;
use cve_monitor_adapters::oci::{
    CredentialSource, Credentials, DistributionRegistry, DistributionSettings, DockerConfig, Secret,
};
use cve_monitor_core::ports::{Registry as _, RegistryError};

use super::{MANIFEST, descriptor, image, registry, repository, settings, tag};
use crate::fake_server::{FakeServer, Reply, Seen};

/// `u:p`.
const BASIC: &str = "Basic dTpw";

fn fixed(server: &FakeServer, credentials: Credentials) -> DistributionSettings {
    let mut settings = settings(server);
    settings.credentials = CredentialSource::Fixed(credentials);
    settings
}

/// Wants a token, and gives `token-1`, `token-2`, … to whoever asks; `accept` says which are good.
async fn token_registry(
    life: u64,
    accept: impl Fn(&str, &Seen) -> bool + Send + Sync + 'static,
) -> FakeServer {
    let given = AtomicUsize::new(0);
    FakeServer::start(move |seen| {
        if seen.path() == "/token" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::ok(format!(r#"{{"token":"token-{number}","expires_in":{life}}}"#));
        }
        let held = seen.header("authorization").unwrap_or_default();
        if accept(held, seen) {
            return Reply::ok(MANIFEST);
        }
        let host = seen.header("host").unwrap_or_default();
        let demand =
            format!(r#"Bearer realm="http://{host}/token",service="fake",scope="repository:x:push""#);
        Reply::error(401, "UNAUTHORIZED").header("www-authenticate", demand)
    })
    .await
}

#[tokio::test]
async fn nobody_asks_without_a_header_where_none_is_demanded() {
    let server = FakeServer::start(|_| Reply::ok(MANIFEST)).await;
    let mut settings = fixed(&server, Credentials::basic("u", "p"));
    settings.max_in_flight = 1;
    let registry = DistributionRegistry::new(settings).unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_password_is_sent_once_it_is_demanded_and_then_at_once() {
    let server = FakeServer::start(|seen| match seen.header("authorization") {
        Some(BASIC) => Reply::ok(MANIFEST),
        _ => Reply::error(401, "UNAUTHORIZED").header("www-authenticate", r#"Basic realm="fake""#),
    })
    .await;
    let registry = DistributionRegistry::new(fixed(&server, Credentials::basic("u", "p"))).unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    let sent: Vec<bool> = server.seen().iter().map(|seen| seen.header("authorization").is_some()).collect();
    assert_eq!(sent, [false, true, true]);
}

#[tokio::test]
async fn a_wrong_password_is_denied_after_one_more_try() {
    let server = FakeServer::start(|_| {
        Reply::error(401, "UNAUTHORIZED").header("www-authenticate", r#"Basic realm="fake""#)
    })
    .await;
    let registry = DistributionRegistry::new(fixed(&server, Credentials::basic("u", "s3cret"))).unwrap();
    let error = registry.manifest(&image(&server)).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Denied(text) if !text.contains("s3cret")), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_demand_without_credentials_is_denied_and_not_repeated() {
    let server =
        FakeServer::start(|_| Reply::status(401).header("www-authenticate", r#"Basic realm="x""#)).await;
    assert!(matches!(registry(&server).manifest(&image(&server)).await, Err(RegistryError::Denied(_))));
    assert_eq!(server.seen().len(), 1);
    let negotiate = FakeServer::start(|_| Reply::status(401).header("www-authenticate", "Negotiate")).await;
    let error = registry(&negotiate).manifest(&image(&negotiate)).await.unwrap_err();
    assert!(error.to_string().contains("Negotiate"), "{error}");
}

#[tokio::test]
async fn a_token_is_asked_for_pulling_alone_and_kept_per_repository() {
    let server = token_registry(300, |held, _| held.starts_with("Bearer token-")).await;
    let registry = DistributionRegistry::new(fixed(&server, Credentials::basic("u", "p"))).unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    let mut other = image(&server);
    other.repository = "other".parse().unwrap();
    registry.manifest(&other).await.unwrap();
    let asked = server.seen_at("/token");
    assert_eq!(asked.len(), 2);
    // What the registry suggests (to push) is not what we ask for.
    assert_eq!(asked[0].target, "/token?scope=repository%3Ateam%2Fapp%3Apull&service=fake");
    assert!(asked[1].target.contains("repository%3Aother%3Apull"), "{}", asked[1].target);
    assert_eq!(asked[0].header("authorization"), Some(BASIC));
    let refused = server.seen_at(image(&server).digest.as_str());
    assert_eq!(refused.iter().filter(|seen| seen.header("authorization").is_none()).count(), 1);
}

#[tokio::test]
async fn nobody_gets_a_token_too() {
    let server = token_registry(300, |held, _| held == "Bearer token-1").await;
    registry(&server).manifest(&image(&server)).await.unwrap();
    assert_eq!(server.seen_at("/token")[0].header("authorization"), None);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_then_it_is_denied() {
    let server = token_registry(300, |held, _| held == "Bearer token-2").await;
    let registry = DistributionRegistry::new(fixed(&server, Credentials::basic("u", "p"))).unwrap();
    assert!(matches!(registry.manifest(&image(&server)).await, Err(RegistryError::Denied(_))));
    assert_eq!(registry.manifest(&image(&server)).await.map(|m| m.bytes), Ok(MANIFEST.to_vec()));
    assert_eq!(server.seen_at("/token").len(), 2);
}

#[tokio::test]
async fn a_token_at_its_end_is_used_no_more() {
    let server = token_registry(1, |held, _| held.starts_with("Bearer token-")).await;
    let registry = registry(&server);
    registry.manifest(&image(&server)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    registry.manifest(&image(&server)).await.unwrap();
    assert_eq!(server.seen_at("/token").len(), 2);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_and_never_part_of_an_address() {
    let server = token_registry(300, |held, _| held.starts_with("Bearer token-")).await;
    let identity = Credentials::IdentityToken(Secret::new("it".to_owned()));
    let registry = DistributionRegistry::new(fixed(&server, identity)).unwrap();
    registry.manifest(&image(&server)).await.unwrap();
    let asked = &server.seen_at("/token")[0];
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/token"));
    for part in ["grant_type=refresh_token", "refresh_token=it", "service=fake", "client_id="] {
        assert!(body.contains(part), "{body}");
    }
}

#[tokio::test]
async fn credentials_of_docker_login_are_used_and_read_again_when_refused() {
    let server = FakeServer::start(|seen| match seen.header("authorization") {
        Some(BASIC) => Reply::ok(MANIFEST),
        _ => Reply::error(401, "UNAUTHORIZED").header("www-authenticate", r#"Basic realm="fake""#),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let write = |auth: &str| {
        let json = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, server.host);
        std::fs::write(&file, json).unwrap();
    };
    write("b2xkOm9sZA==");
    let mut settings = settings(&server);
    settings.credentials = CredentialSource::Docker(DockerConfig { file: file.clone(), environment: vec![] });
    let registry = DistributionRegistry::new(settings).unwrap();
    assert!(matches!(registry.manifest(&image(&server)).await, Err(RegistryError::Denied(_))));
    write("dTpw");
    assert!(registry.manifest(&image(&server)).await.is_ok());
}

#[tokio::test]
async fn a_token_service_that_fails_says_nothing_of_the_image() {
    for (reply, expected) in [
        (Reply::error(404, "NAME_UNKNOWN"), "transient"),
        (Reply::status(500), "transient"),
        (Reply::ok("no json, s3cret"), "transient"),
        (Reply::status(401), "denied"),
        (Reply::ok("{}"), "denied"),
        (Reply::status(429).header("retry-after", "9"), "throttled"),
        (Reply::status(302).header("location", "/elsewhere"), "transient"),
    ] {
        let server = FakeServer::start(move |seen| {
            if seen.path() == "/token" {
                return reply.clone();
            }
            let host = seen.header("host").unwrap_or_default();
            Reply::status(401).header("www-authenticate", format!(r#"Bearer realm="http://{host}/token""#))
        })
        .await;
        let error = registry(&server).manifest(&image(&server)).await.unwrap_err();
        let class = match &error {
            RegistryError::Transient(_) => "transient",
            RegistryError::Denied(_) => "denied",
            RegistryError::Throttled { .. } => "throttled",
            _ => "another",
        };
        assert_eq!(class, expected, "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn no_token_is_asked_of_a_metadata_service() {
    let server = FakeServer::start(|_| {
        Reply::status(401).header("www-authenticate", r#"Bearer realm="http://169.254.169.254/token""#)
    })
    .await;
    let error = registry(&server).manifest(&image(&server)).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Denied(text) if text.contains("local segment")), "{error}");
}

#[tokio::test]
async fn a_location_carries_the_proof_and_prints_nothing_of_it() {
    let server = token_registry(300, |held, _| held.starts_with("Bearer token-")).await;
    let location = registry(&server).location(&repository(), &descriptor(b"layer")).await.unwrap();
    let digest = descriptor(b"layer").digest;
    assert_eq!(location.uri, server.url(&format!("/v2/team/app/blobs/{digest}")));
    assert_eq!(location.headers, [("authorization".to_owned(), "Bearer token-1".to_owned())]);
    assert!(location.expires.is_some());
    assert!(!format!("{location:?}").contains("token-1"));
}

#[tokio::test]
async fn the_debug_form_of_a_registry_in_use_shows_no_secret() {
    let server = token_registry(300, |held, _| held.starts_with("Bearer token-")).await;
    let registry = DistributionRegistry::new(fixed(&server, Credentials::basic("u", "s3cret"))).unwrap();
    registry.resolve(&repository(), &tag("v1")).await.unwrap();
    let printed = format!("{registry:?}");
    assert!(!printed.contains("s3cret") && !printed.contains("token-1"), "{printed}");
}

#[tokio::test]
async fn the_answer_of_a_token_service_may_have_so_many_bytes_and_no_more() {
    for (length, good) in [(MAX_TOKEN_BYTES, true), (MAX_TOKEN_BYTES + 1, false)] {
        let server = FakeServer::start(move |seen| match (seen.path(), seen.header("authorization")) {
            ("/token", _) => {
                let mut answer = br#"{"token":"t"}"#.to_vec();
                answer.resize(length, b' ');
                Reply::ok(answer)
            }
            (_, Some(_)) => Reply::ok(MANIFEST),
            (_, None) => {
                let host = seen.header("host").unwrap_or_default();
                let demand = format!(r#"Bearer realm="http://{host}/token""#);
                Reply::error(401, "UNAUTHORIZED").header("www-authenticate", demand)
            }
        })
        .await;
        let answer = registry(&server).manifest(&image(&server)).await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
    }
}
