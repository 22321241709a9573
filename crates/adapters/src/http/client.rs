//! The client for registries and their stores, and bodies that are expected to be small.

use std::path::Path;
use std::time::Duration;

use cve_monitor_core::ports::RegistryError;
use futures::StreamExt as _;
use reqwest::{Certificate, Client, NoProxy, Proxy, Response};

use super::destination::GuardedResolver;
use super::error::broken;
use crate::Secret;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may be silent; a blob as a whole may take as long as it is long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("cve-monitor/", env!("CARGO_PKG_VERSION"));

/// Proxies, as the variables of the same names hold them; the caller reads those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `HTTP_PROXY`: for addresses that begin with `http:`.
    pub http: Option<Secret>,
    /// `HTTPS_PROXY`: for addresses that begin with `https:`.
    pub https: Option<Secret>,
    /// `NO_PROXY`: hosts, domains and networks that are reached directly, separated by commas.
    pub no_proxy: Option<String>,
}

/// A client that asks nobody's environment, follows no redirect and repeats no request by itself.
///
/// # Errors
/// What is wrong with the proxy or the file of certificates, without the proxy's address.
pub(crate) fn client(settings: &ProxySettings, ca_file: Option<&Path>) -> Result<Client, String> {
    let mut builder = Client::builder()
        // The environment is not asked: what the caller says counts, also where it says nothing.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(IDLE_TIMEOUT)
        .dns_resolver(GuardedResolver);
    let direct = settings.no_proxy.as_deref().and_then(NoProxy::from_string);
    // The address may carry a password: the error of the parser is not repeated.
    let unusable = |_| "its proxy is no address".to_owned();
    if let Some(address) = &settings.http {
        let proxy = Proxy::http(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct.clone()));
    }
    if let Some(address) = &settings.https {
        let proxy = Proxy::https(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct));
    }
    if let Some(file) = ca_file {
        let named = |e: String| format!("its `ca_file` {}: {e}", file.display());
        let pem = std::fs::read(file).map_err(|e| named(e.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|e| named(e.to_string()))?;
        if certificates.is_empty() {
            return Err(named("no PEM certificate is in it".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|e| e.to_string())
}

/// Reads a body that is expected to be small.
///
/// # Errors
/// `Unsupported` where it is longer than `max` bytes, `Transient` where it breaks off.
pub(crate) async fn read_bounded(response: Response, max: usize) -> Result<Vec<u8>, RegistryError> {
    let too_long = || RegistryError::Unsupported(format!("the answer is longer than {max} bytes"));
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(too_long());
    }
    let mut stream = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| broken(e, "an answer broke off"))?;
        if body.len() + chunk.len() > max {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
