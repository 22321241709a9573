//! Proves who asks: passwords, and tokens out of the service that the registry names (Distribution token
//! authentication specification). Tokens are kept per scope until shortly before they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::RepositoryName;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::challenge::Challenge;
use super::settings::{CredentialSource, Credentials, Secret};
use crate::http::outbound::Outbound;
use crate::http::{broken, denied, expect_success, read_bounded};

/// How long a token lasts if its service does not say (token specification, `expires_in`).
const DEFAULT_TOKEN_LIFE: Duration = Duration::from_secs(60);
/// How long before its end a token is used no more; half its life where that is shorter.
const TOKEN_MARGIN: Duration = Duration::from_secs(15);
/// The longest answer of a token service, in bytes.
pub const MAX_TOKEN_BYTES: usize = 256 * 1024;
/// How many scopes tokens are kept for; past that all are asked for anew.
const MAX_TOKENS: usize = 1024;
/// Who we are to a token service.
const CLIENT_ID: &str = "cve-monitor";

/// What a request needs to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Catalogue,
    Pull(RepositoryName),
}

impl Scope {
    fn text(&self) -> String {
        match self {
            Self::Catalogue => "registry:catalog:*".to_owned(),
            Self::Pull(repository) => format!("repository:{repository}:pull"),
        }
    }
}

/// A header that proves who asks, and when it stops doing so.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// Marked as sensitive: its Debug prints nothing.
    pub(super) header: HeaderValue,
    pub(super) expires: Option<Instant>,
    /// From when on another one is fetched instead.
    renew: Option<Instant>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Proof>>>;

/// The state of the conversation with one registry about who asks.
#[derive(Debug)]
pub(super) struct Authorization {
    outbound: Outbound,
    /// The registry itself.
    base: Url,
    source: CredentialSource,
    /// The name under which credentials are kept.
    host: String,
    /// What the registry demanded last; none while it has demanded nothing.
    challenge: RwLock<Option<Challenge>>,
    credentials: tokio::sync::Mutex<Option<Option<Credentials>>>,
    tokens: Mutex<HashMap<Scope, Slot>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Authorization {
    pub(super) fn new(outbound: Outbound, base: Url, source: CredentialSource, host: String) -> Self {
        Self {
            outbound,
            base,
            source,
            host,
            challenge: RwLock::new(None),
            credentials: tokio::sync::Mutex::new(None),
            tokens: Mutex::new(HashMap::new()),
        }
    }

    /// What to send with a request; nothing while the registry has demanded nothing, or nobody has credentials.
    pub(super) async fn proof(&self, scope: &Scope) -> Result<Option<Proof>, RegistryError> {
        let challenge = self.challenge.read().unwrap_or_else(PoisonError::into_inner).clone();
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => match self.credentials().await? {
                Some(Credentials::Basic { username, password }) => {
                    Ok(Some(Proof { header: basic(&username, &password)?, expires: None, renew: None }))
                }
                Some(Credentials::IdentityToken(_)) => Err(RegistryError::Denied(format!(
                    "{} demands a password and there is only an identity token for it",
                    self.host
                ))),
                None => Ok(None),
            },
            Some(Challenge::Bearer { realm, service }) => {
                let slot = self.slot(scope);
                let mut kept = slot.lock().await;
                if let Some(proof) = kept.as_ref().filter(|proof| proof.is_fresh()) {
                    return Ok(Some(proof.clone()));
                }
                let proof = self.fetch(&realm, service.as_deref(), scope).await?;
                *kept = Some(proof.clone());
                Ok(Some(proof))
            }
        }
    }

    /// Learns from a refusal what to send instead of `sent`. After this the request is tried once more.
    pub(super) async fn refused(
        &self,
        headers: &HeaderMap,
        scope: &Scope,
        sent: Option<&Proof>,
    ) -> Result<(), RegistryError> {
        let challenge = Challenge::of(headers)
            .map_err(|why| RegistryError::Denied(format!("{} refuses the request: {why}", self.host)))?;
        *self.challenge.write().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        if let Some(sent) = sent {
            *self.credentials.lock().await = None;
            let slot = self.slot(scope);
            let mut kept = slot.lock().await;
            // Another request may have bought a new token meanwhile: that one stays.
            if kept.as_ref().is_some_and(|kept| kept.header == sent.header) {
                *kept = None;
            }
        }
        Ok(())
    }

    fn slot(&self, scope: &Scope) -> Slot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS && !tokens.contains_key(scope) {
            tokens.clear();
        }
        Arc::clone(tokens.entry(scope.clone()).or_default())
    }

    async fn credentials(&self) -> Result<Option<Credentials>, RegistryError> {
        let mut kept = self.credentials.lock().await;
        if let Some(known) = kept.as_ref() {
            return Ok(known.clone());
        }
        let found = match &self.source {
            CredentialSource::Anonymous => None,
            CredentialSource::Fixed(credentials) => Some(credentials.clone()),
            CredentialSource::Docker(config) => {
                // Something to be put right by a person, who may do so while the image waits.
                config.credentials(&self.host).await.map_err(|e| RegistryError::Denied(e.to_string()))?
            }
        };
        *kept = Some(found.clone());
        Ok(found)
    }

    async fn fetch(&self, realm: &str, service: Option<&str>, scope: &Scope) -> Result<Proof, RegistryError> {
        let what = format!("the token service of {}", self.host);
        let realm: Url =
            realm.parse().map_err(|_| RegistryError::Denied(format!("{what}: its address is none")))?;
        let asked = Instant::now();
        let request = self.request(realm, service, scope, &what).await?;
        let response = request.send().await.map_err(|e| broken(e, &what))?;
        let response = expect_success(response, &what).await.map_err(|e| token_error(e, &what))?;
        let body = read_bounded(response, MAX_TOKEN_BYTES).await?;
        // The error of the parser may quote the token: it is not repeated.
        let answer: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|_| RegistryError::Transient(format!("{what} answered something else than a token")))?;
        let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| RegistryError::Denied(format!("{what} gave no token")))?;
        let life = answer.expires_in.filter(|s| *s > 0).map_or(DEFAULT_TOKEN_LIFE, Duration::from_secs);
        // Counted from before the question, so that a slow answer is never taken for fresher than it is.
        let expires = asked.checked_add(life);
        let renew = asked.checked_add(life.saturating_sub(TOKEN_MARGIN.min(life / 2)));
        Ok(Proof { header: sensitive(&format!("Bearer {token}"))?, expires, renew })
    }

    /// An identity token is exchanged (OAuth2 form); a password, or nobody's name, asks (plain form).
    async fn request(
        &self,
        mut realm: Url,
        service: Option<&str>,
        scope: &Scope,
        what: &str,
    ) -> Result<RequestBuilder, RegistryError> {
        let client = self.outbound.client_for(&realm, [&self.base]).map_err(|e| denied(&e, what))?;
        let mut fields = vec![("scope", scope.text())];
        fields.extend(service.map(|service| ("service", service.to_owned())));
        let credentials = self.credentials().await?;
        if let Some(Credentials::IdentityToken(token)) = credentials {
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("client_id", CLIENT_ID.to_owned()));
            fields.push(("refresh_token", token.expose().to_owned()));
            return Ok(client.post(realm).form(&fields));
        }
        realm.query_pairs_mut().extend_pairs(&fields);
        let request = client.get(realm);
        Ok(match credentials {
            Some(Credentials::Basic { username, password }) => {
                request.header(AUTHORIZATION, basic(&username, &password)?)
            }
            _ => request,
        })
    }
}

impl Proof {
    fn is_fresh(&self) -> bool {
        self.renew.is_none_or(|renew| Instant::now() < renew)
    }
}

/// "Not found" and the like from a token service say nothing of the image.
fn token_error(error: RegistryError, what: &str) -> RegistryError {
    match error {
        RegistryError::NotFound(_) | RegistryError::Unsupported(_) => {
            RegistryError::Transient(format!("{what} is not where the registry says"))
        }
        other => other,
    }
}

fn basic(username: &str, password: &Secret) -> Result<HeaderValue, RegistryError> {
    let text = format!("{username}:{}", password.expose());
    sensitive(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))
}

fn sensitive(text: &str) -> Result<HeaderValue, RegistryError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| RegistryError::Denied("the credentials cannot be written as a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_kept_for_so_many_scopes_and_no_more() {
        let outbound = Outbound::new(&crate::ProxySettings::default(), None, true, true).unwrap();
        let base = "http://r.example/".parse().unwrap();
        let of = Authorization::new(outbound, base, CredentialSource::Anonymous, "r.example".to_owned());
        let scope = |number: usize| Scope::Pull(format!("team/app-{number}").parse().unwrap());
        let kept = |of: &Authorization| of.tokens.lock().unwrap().len();
        for number in 0..MAX_TOKENS {
            of.slot(&scope(number));
        }
        of.slot(&scope(0));
        assert_eq!(kept(&of), MAX_TOKENS);
        of.slot(&scope(MAX_TOKENS));
        assert_eq!(kept(&of), 1);
    }
}
