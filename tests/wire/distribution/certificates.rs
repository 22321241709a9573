//! HTTPS: who signs a registry's certificate, and who is believed.

use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::{Registry as _, RegistryError};

use crate::tls_server::TlsServer;

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_once_it_is_named() {
    let server = TlsServer::start(r#"{"repositories":["a"]}"#).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = DistributionSettings::new(server.host.parse().unwrap());
    let stranger = DistributionRegistry::new(settings.clone()).unwrap().repositories(None, 9).await;
    let told = stranger.unwrap_err();
    assert!(matches!(&told, RegistryError::Transient(text) if text.contains("`ca_file`")), "{told}");
    settings.ca_file = Some(server.authority_file(folder.path()));
    let known = DistributionRegistry::new(settings).unwrap().repositories(None, 9).await;
    assert_eq!(known.map(|page| page.items), Ok(vec!["a".parse().unwrap()]));
}
