//! Sends requests: one client, proofs of who asks, redirects followed by hand, bounds on everything.

use cve_monitor_core::ports::RegistryError;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::authorization::{Authorization, Proof, Scope};
use super::limit::{Limit, Permit};
use super::settings::{DistributionSettings, InvalidSettings};
use crate::http::outbound::{Outbound, same_origin};
use crate::http::{broken, denied, retry_after};

/// How many redirects of one request are followed; stores need one, a mirror before them two.
pub const MAX_REDIRECTS: usize = 5;

/// One registry over HTTP.
#[derive(Debug)]
pub(super) struct Transport {
    outbound: Outbound,
    base: Url,
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
        let DistributionSettings { proxy, ca_file, insecure, allow_private, .. } = settings;
        let outbound = Outbound::new(proxy, ca_file.as_deref(), *insecure, *allow_private)
            .map_err(|reason| InvalidSettings { registry: settings.name.to_string(), reason })?;
        let host = settings.name.to_string();
        let authorization =
            Authorization::new(outbound.clone(), base.clone(), settings.credentials.clone(), host);
        let limit = Limit::new(settings.max_in_flight);
        Ok(Self { outbound, base, authorization, limit })
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
        let client = self.outbound.client_for(&url, [&self.base]).map_err(|e| denied(&e, &ask.what))?;
        let request = client.request(ask.method.clone(), url).headers(headers);
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

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn location(from: &Url, response: &Response) -> Option<Url> {
    from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}
