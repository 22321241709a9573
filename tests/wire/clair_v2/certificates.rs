//! HTTPS to Clair: who is believed.

use std::sync::Arc;

use cve_monitor_adapters::clair::v2::{ClairV2Scanner, ClairV2Settings};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::MemoryEventStore;

use super::stored;
use crate::tls_server::TlsServer;

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_once_it_is_named() {
    let server = TlsServer::start(stored().body()).await;
    let folder = tempfile::tempdir().unwrap();
    let connect = async |settings: &ClairV2Settings| {
        let (events, time) = (Arc::<MemoryEventStore>::default(), Arc::<ManualClock>::default());
        let registries = Registries::new([]);
        ClairV2Scanner::connect(settings, registries, events, time).await.map(drop)
    };
    let mut settings = ClairV2Settings::new(format!("https://{}/", server.host).parse().unwrap());
    let stranger = connect(&settings).await.unwrap_err().to_string();
    assert!(stranger.contains("UnknownIssuer") && stranger.contains("`ca_file`"), "{stranger}");
    settings.ca_file = Some(server.authority_file(folder.path()));
    connect(&settings).await.unwrap();
}
