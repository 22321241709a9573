//! HTTPS to Clair: who is believed.

use cve_monitor_adapters::clair::Endpoint;
use cve_monitor_adapters::clair::v4::ClairV4Settings;

use super::{Clair, captured};
use crate::tls_server::TlsServer;

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_once_it_is_named() {
    let server = TlsServer::start(captured("index-state").body()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut clair = Clair::start().await;
    let url = format!("https://{}/", server.host).parse().unwrap();
    let mut endpoint = Endpoint { url, ca_file: None, signer: None };
    clair.settings = ClairV4Settings::new(endpoint.clone());
    let stranger = clair.connect(None).await.unwrap_err().to_string();
    assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    endpoint.ca_file = Some(server.authority_file(folder.path()));
    clair.settings = ClairV4Settings::new(endpoint);
    clair.connect(None).await.unwrap();
}
