//! The HTTP client of mirrors.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, NoProxy, Proxy};

use super::{MirrorError, MirrorSettings};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a mirror may be silent; an archive as a whole may take as long as it is large.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
const USER_AGENT: &str = concat!("cve-monitor/", env!("CARGO_PKG_VERSION"));

pub(super) fn client(settings: &MirrorSettings) -> Result<Client, MirrorError> {
    let insecure = settings.insecure;
    let redirects = Policy::custom(move |attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("more redirects than are followed")
        } else if attempt.url().scheme() != "https" && !insecure {
            attempt.error("it redirects to an address that is not encrypted")
        } else {
            attempt.follow()
        }
    });
    let mut builder = Client::builder()
        // The environment is not asked: what the caller says counts, also where it says nothing.
        .no_proxy()
        .redirect(redirects)
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(IDLE_TIMEOUT);
    let direct = settings.no_proxy.as_deref().and_then(NoProxy::from_string);
    // The address may carry a password: the error of the parser is not repeated.
    let unusable = |key: &str| MirrorError::Settings(format!("its `{key}` is no address"));
    if let Some(address) = &settings.http_proxy {
        let proxy = Proxy::http(address).map_err(|_| unusable("http_proxy"))?;
        builder = builder.proxy(proxy.no_proxy(direct.clone()));
    }
    if let Some(address) = &settings.https_proxy {
        let proxy = Proxy::https(address).map_err(|_| unusable("https_proxy"))?;
        builder = builder.proxy(proxy.no_proxy(direct));
    }
    if let Some(file) = &settings.ca_file {
        let named = |e: String| MirrorError::Settings(format!("its `ca_file` {}: {e}", file.display()));
        let pem = std::fs::read(file).map_err(|e| named(e.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|e| named(e.to_string()))?;
        if certificates.is_empty() {
            return Err(named("no PEM certificate is in it".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|e| MirrorError::Settings(e.to_string()))
}
