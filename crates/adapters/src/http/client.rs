//! What all clients over HTTP have in common: whom they believe, and what it means where they get no answer.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("cve-monitor/", env!("CARGO_PKG_VERSION"));

/// A client that follows nobody, repeats nothing, and believes the authorities of this file of PEM certificates besides those
/// of the system.
pub(crate) fn builder(ca_file: Option<&Path>) -> Result<ClientBuilder, String> {
    let builder = Client::builder()
        // The environment is not asked: what the caller says counts, also where it says nothing.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT);
    let Some(file) = ca_file else { return Ok(builder) };
    let named = |e: String| format!("its `ca_file` {}: {e}", file.display());
    let pem = std::fs::read(file).map_err(|e| named(e.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|e| named(e.to_string()))?;
    if certificates.is_empty() {
        return Err(named("no PEM certificate is in it".to_owned()));
    }
    Ok(builder.tls_certs_merge(certificates))
}

/// A failure below HTTP with all its causes, since the outermost says no more than that a request failed; and what can be done
/// about it. Of the address only the host is told, since the rest may carry a signature.
pub(crate) fn cause(error: reqwest::Error) -> String {
    let host = error.url().and_then(|url| url.host_str()).map(str::to_owned);
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        cause = inner.source();
    }
    if detail.contains("UnknownIssuer") {
        detail.push_str(
            " (its certificate is signed by nobody known here: name the authority's file as `ca_file`)",
        );
    } else if let Some(host) = host.filter(|_| error.is_connect()) {
        detail = format!(
            "{host} cannot be reached: look at its name, at the network, and at the proxy where one is the way out ({detail})"
        );
    }
    detail
}
