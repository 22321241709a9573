//! Sends requests: one client, proofs of who asks, redirects followed by hand, bounds on everything.

use std::time::Duration;

use cve_monitor_core::ports::RegistryError;
use futures::StreamExt as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Method, NoProxy, Proxy, Response, StatusCode};
use url::Url;

use super::authorization::{Authorization, Proof, Scope};
use super::destination::{self, GuardedResolver, same_origin};
use super::error::{broken, retry_after};
use super::limit::{Limit, Permit};
use super::settings::{DistributionSettings, InvalidSettings};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may be silent; a blob as a whole may take as long as it is long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects of one request are followed; stores need one, a mirror before them two.
const MAX_REDIRECTS: usize = 5;
const USER_AGENT: &str = concat!("cve-monitor/", env!("CARGO_PKG_VERSION"));

/// One registry over HTTP.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    base: Url,
    insecure: bool,
    authorization: Authorization,
    limit: Limit,
}

/// What to ask for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query, from the root of the server.
    pub(super) path: String,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What is asked for, in the words of errors.
    pub(super) what: String,
}

/// What came: an answer of any status, and the place among the requests under way that it holds.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// What was sent to the registry itself.
    pub(super) proof: Option<Proof>,
    /// Kept while a small body is read. A blob gives it back: its reader may take its time.
    pub(super) permit: Permit,
}

impl Transport {
    pub(super) fn new(settings: &DistributionSettings) -> Result<Self, InvalidSettings> {
        let base = settings.base()?;
        let client = client(settings)?;
        let host = settings.name.to_string();
        let authorization =
            Authorization::new(client.clone(), settings.credentials.clone(), host, settings.insecure);
        let limit = Limit::new(settings.max_in_flight);
        Ok(Self { client, base, insecure: settings.insecure, authorization, limit })
    }

    /// The address of a path.
    pub(super) fn address(&self, path: &str) -> Result<Url, RegistryError> {
        let url = self.base.join(path).map_err(|e| RegistryError::Transient(format!("{path}: {e}")))?;
        // A path that begins with two slashes would name another host.
        if same_origin(&self.base, &url) {
            Ok(url)
        } else {
            Err(RegistryError::Corrupt(format!("`{path}` leads away from the registry")))
        }
    }

    /// Asks and follows redirects.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, RegistryError> {
        let Answer { mut response, proof, permit } = self.send_direct(ask).await?;
        let mut url = self.address(&ask.path)?;
        let mut hops = 0;
        while is_redirect(response.status()) {
            let Some(next) = location(&url, &response) else { break };
            hops += 1;
            if hops > MAX_REDIRECTS {
                let why = format!("{}: more than {MAX_REDIRECTS} redirects", ask.what);
                return Err(RegistryError::Transient(why));
            }
            destination::check(&next, self.insecure, &ask.what)?;
            let proof = proof.as_ref().filter(|_| same_origin(&self.base, &next));
            response = self.hop(ask, next.clone(), proof).await?;
            self.note(&response);
            url = next;
        }
        Ok(Answer { response, proof, permit })
    }

    /// Asks the registry itself; proves who asks where it demands that, and once more where a proof is refused.
    pub(super) async fn send_direct(&self, ask: &Ask) -> Result<Answer, RegistryError> {
        let permit = self.limit.admit().await?;
        let url = self.address(&ask.path)?;
        let proof = self.authorization.proof(&ask.scope).await?;
        let response = self.hop(ask, url.clone(), proof.as_ref()).await?;
        self.note(&response);
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(Answer { response, proof, permit });
        }
        self.authorization.refused(response.headers(), &ask.scope, proof.as_ref()).await?;
        let again = self.authorization.proof(&ask.scope).await?;
        if again.is_none() {
            return Ok(Answer { response, proof, permit });
        }
        let response = self.hop(ask, url, again.as_ref()).await?;
        self.note(&response);
        Ok(Answer { response, proof: again, permit })
    }

    async fn hop(&self, ask: &Ask, url: Url, proof: Option<&Proof>) -> Result<Response, RegistryError> {
        let mut headers: HeaderMap = ask.headers.iter().cloned().collect();
        headers.extend(proof.map(|proof| (AUTHORIZATION, proof.header.clone())));
        let request = self.client.request(ask.method.clone(), url).headers(headers);
        request.send().await.map_err(|e| broken(e, &ask.what))
    }

    fn note(&self, response: &Response) {
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            self.limit.throttled(retry_after(response.headers(), std::time::SystemTime::now()));
        } else {
            self.limit.answered();
        }
    }
}

/// Reads a body that is expected to be small.
///
/// # Errors
/// `Unsupported` where it is longer than `max` bytes, `Transient` where it breaks off.
pub(super) async fn read_bounded(response: Response, max: usize) -> Result<Vec<u8>, RegistryError> {
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

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn location(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

fn client(settings: &DistributionSettings) -> Result<Client, InvalidSettings> {
    let fail = |reason: String| InvalidSettings { registry: settings.name.to_string(), reason };
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
    let direct = settings.proxy.no_proxy.as_deref().and_then(NoProxy::from_string);
    // The address may carry a password: the error of the parser is not repeated.
    let unusable = |_| fail("its proxy is no address".to_owned());
    if let Some(address) = &settings.proxy.http {
        let proxy = Proxy::http(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct.clone()));
    }
    if let Some(address) = &settings.proxy.https {
        let proxy = Proxy::https(address.expose()).map_err(unusable)?;
        builder = builder.proxy(proxy.no_proxy(direct));
    }
    if let Some(file) = &settings.ca_file {
        let named = |e: String| fail(format!("its `ca_file` {}: {e}", file.display()));
        let pem = std::fs::read(file).map_err(|e| named(e.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|e| named(e.to_string()))?;
        if certificates.is_empty() {
            return Err(named("no PEM certificate is in it".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|e| fail(e.to_string()))
}
