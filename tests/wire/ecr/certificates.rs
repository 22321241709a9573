//! HTTPS to the store behind pre-signed addresses: who is believed.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::Credentials;
use cve_monitor_adapters::aws::ecr_registry::{EcrRegistry, EcrSettings};
use cve_monitor_core::ports::RegistryError;
use cve_monitor_tests::fakes::ecr::Pushed;
use serde_json::json;

use super::{ACCOUNT, REGION, layer, read};
use crate::fake_server::{FakeServer, Reply};
use crate::tls_server::TlsServer;

#[tokio::test]
async fn for_layers_an_authority_of_one_s_own_is_believed_once_it_is_named() {
    let (wanted, bytes) = (layer("app"), Pushed::of_seed("app").blobs[1].clone());
    let store = TlsServer::start(bytes).await;
    let address = format!("https://{}/layer?X-Amz-Signature=s3cret", store.host);
    let answer = json!({ "downloadUrl": address, "layerDigest": wanted.digest.to_string() }).to_string();
    let api = FakeServer::start(move |_| Reply::ok(answer.clone())).await;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(api.url(""))
        .region(Region::new(REGION))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new("AKIA", "s3cret", None, None, "tests"))
        .load()
        .await;
    let name = format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com");
    let mut settings = EcrSettings { allow_private: true, ..EcrSettings::new(name.parse().unwrap()) };
    let stranger = read(&EcrRegistry::new(&config, settings.clone()).unwrap(), &wanted).await;
    let Err(RegistryError::Transient(said)) = stranger else { panic!("{stranger:?}") };
    assert!(
        said.contains("UnknownIssuer") && said.contains("`ca_file`") && !said.contains("s3cret"),
        "{said}"
    );
    let folder = tempfile::tempdir().unwrap();
    settings.ca_file = Some(store.authority_file(folder.path()));
    let known = read(&EcrRegistry::new(&config, settings).unwrap(), &wanted).await;
    assert_eq!(known, Ok(wanted.digest));
}
