//! Where answers of a registry may lead: not into networks that are not public, unless that was allowed.

use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::{Registry as _, RegistryError};
use cve_monitor_core::vocabulary::{Digest, ImageId, Manifest};

use super::{descriptor, image, read, repository};
use crate::fake_server::{FakeServer, Reply};

const LAYER: &[u8] = b"a layer";

/// A registry as it is without a word about private addresses.
fn strict(server: &FakeServer) -> DistributionSettings {
    DistributionSettings { allow_private: false, ..super::settings(server) }
}

fn assert_denied<T: std::fmt::Debug>(answer: Result<T, RegistryError>, target: &str) {
    let error = answer.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, RegistryError::Denied(_)) && told.contains("allow_private"), "{target}: {told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused_by_number_and_by_name() {
    let inside = FakeServer::start(|_| Reply::ok(LAYER)).await;
    let by_number = inside.url("/layer?signature=s3cret");
    let by_name = by_number.replace("127.0.0.1", "localhost");
    let others = ["http://10.0.0.1/", "http://[::1]/", "http://[fd12::1]/", "http://100.64.0.1/"];
    for target in [by_number, by_name].into_iter().chain(others.map(str::to_owned)) {
        let to = target.clone();
        let server = FakeServer::start(move |_| Reply::status(307).header("location", to.clone())).await;
        let registry = DistributionRegistry::new(strict(&server)).unwrap();
        assert_denied(read(&registry, &descriptor(LAYER)).await, &target);
        assert_denied(registry.manifest(&image(&server)).await, &target);
    }
    assert_eq!(inside.seen().len(), 0);
}

#[tokio::test]
async fn a_token_service_at_a_private_address_is_not_asked_and_learns_no_password() {
    let inside = FakeServer::start(|_| Reply::ok(r#"{"token":"t"}"#)).await;
    let realm = format!("Bearer realm=\"{}\"", inside.url("/token").replace("127.0.0.1", "localhost"));
    let server =
        FakeServer::start(move |_| Reply::status(401).header("www-authenticate", realm.clone())).await;
    let registry = DistributionRegistry::new(strict(&server)).unwrap();
    assert_denied(registry.manifest(&image(&server)).await, "the realm");
    assert_eq!(inside.seen().len(), 0);
}

#[tokio::test]
async fn the_registry_itself_may_be_anywhere_by_number_and_by_name() {
    let server = FakeServer::start(|seen| match seen.path() {
        "/moved" => Reply::ok(LAYER),
        _ => Reply::status(302).header("location", "/moved"),
    })
    .await;
    let mut settings = strict(&server);
    for url in [server.url("/"), server.url("/").replace("127.0.0.1", "localhost")] {
        settings.endpoint = Some(url.parse().unwrap());
        let registry = DistributionRegistry::new(settings.clone()).unwrap();
        assert_eq!(read(&registry, &descriptor(LAYER)).await, Ok(LAYER.to_vec()), "{url}");
    }
}

#[tokio::test]
async fn the_addresses_that_a_manifest_names_for_a_layer_are_not_asked() {
    let elsewhere = FakeServer::start(|_| Reply::ok(LAYER)).await;
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}",
        "config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{digest}","size":7}},
        "layers":[{{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{digest}",
        "size":7,"urls":["{url}"]}}]}}"#,
        digest = Digest::of(LAYER),
        url = elsewhere.url("/layer"),
    );
    let digest = Digest::of(manifest.as_bytes());
    let server = FakeServer::start(move |seen| match seen.path().contains("/manifests/") {
        true => Reply::ok(manifest.clone()).header("content-type", kind),
        false => Reply::error(404, "BLOB_UNKNOWN"),
    })
    .await;
    let registry = DistributionRegistry::new(super::settings(&server)).unwrap();
    let image = ImageId { digest, repository: repository(), ..image(&server) };
    let Ok(Manifest::Image(read_as)) = registry.manifest(&image).await.unwrap().parse() else {
        panic!("no image")
    };
    let answer = read(&registry, &read_as.layers[0]).await;
    assert!(matches!(answer, Err(RegistryError::NotFound(_))), "{answer:?}");
    assert_eq!(elsewhere.seen().len(), 0);
}
