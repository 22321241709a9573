//! HTTPS: who signs a registry's certificate, and who is believed.

use std::sync::Arc;

use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::ports::{Registry as _, RegistryError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 22\r\n\r\n{\"repositories\":[\"a\"]}";

/// Starts a registry over TLS; its host, and the certificate of the authority that signed its own.
async fn start() -> (String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().unwrap();
    let server_params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = server_params.signed_by(&server_key, &issuer).unwrap();
    let private = PrivateKeyDer::try_from(server_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(connection).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(ANSWER).await;
            let _ = stream.shutdown().await;
        }
    });
    (host, authority.pem())
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_believed_once_it_is_named() {
    let (host, authority) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let mut settings = DistributionSettings::new(host.parse().unwrap());
    let stranger = DistributionRegistry::new(settings.clone()).unwrap().repositories(None, 9).await;
    let told = stranger.unwrap_err();
    assert!(matches!(&told, RegistryError::Transient(text) if text.contains("`ca_file`")), "{told}");
    settings.ca_file = Some(file);
    let known = DistributionRegistry::new(settings).unwrap().repositories(None, 9).await;
    assert_eq!(known.map(|page| page.items), Ok(vec!["a".parse().unwrap()]));
}
