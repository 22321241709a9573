//! Layers, from pre-signed addresses or from the registry's endpoint.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{BlobStream, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, RepositoryName};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::api::Api;
use super::settings::LayerSource;
use super::token::Tokens;
use crate::http::outbound::Outbound;
use crate::http::{Blob, broken, denied, expect_success, read};

/// The way to layers.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) api: Arc<Api>,
    pub(super) outbound: Outbound,
    pub(super) source: LayerSource,
    pub(super) endpoint: Url,
    pub(super) tokens: Tokens,
}

/// Opens a layer or a config.
pub(super) async fn open(
    layers: Arc<Layers>,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<BlobStream, RegistryError> {
    let what = format!("blob {} of {repository}", blob.digest);
    read(OfStore { layers, repository: repository.clone(), digest: blob.digest.clone(), what }, blob).await
}

struct OfStore {
    layers: Arc<Layers>,
    repository: RepositoryName,
    digest: Digest,
    what: String,
}

#[async_trait]
impl Blob for OfStore {
    fn what(&self) -> &str {
        &self.what
    }

    /// An address that the store refuses has expired, most likely: another is asked for, once.
    async fn open(&self, range: Option<HeaderValue>) -> Result<Response, RegistryError> {
        let mut answer = self.ask(range.as_ref()).await?;
        if answer.status() == StatusCode::FORBIDDEN {
            answer = self.ask(range.as_ref()).await?;
        }
        match answer.status() {
            // What the store says of it repeats the address.
            StatusCode::FORBIDDEN => Err(RegistryError::Denied(format!(
                "{}: the layer store refuses the address that ECR gave for it",
                self.what
            ))),
            StatusCode::SERVICE_UNAVAILABLE => Err(RegistryError::Throttled {
                retry_after: None,
                detail: format!("{}: the layer store says {}", self.what, answer.status()),
            }),
            _ => expect_success(answer, &self.what).await,
        }
    }
}

impl OfStore {
    /// The store's answer, of any status; the registry's own where it does not lead to one.
    async fn ask(&self, range: Option<&HeaderValue>) -> Result<Response, RegistryError> {
        let mut headers = HeaderMap::new();
        // Something between that compresses would change the bytes and lose the places in them.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.extend(range.map(|range| (RANGE, range.clone())));
        let url = match self.layers.source {
            LayerSource::Presigned => {
                self.layers.api.layer_url(&self.repository, &self.digest, &self.what).await?
            }
            LayerSource::Endpoint => {
                let answer = self.ask_registry(&headers).await?;
                match leads_to(&answer) {
                    Some(target) => target,
                    None => return self.served(answer).await,
                }
            }
        };
        // The address is signed: with an Authorization besides, S3 refuses it, and another host would learn it.
        self.layers.get(url, headers, &self.what).await
    }

    /// The registry's answer to its token; to a new one where it refuses that.
    async fn ask_registry(&self, headers: &HeaderMap) -> Result<Response, RegistryError> {
        let path = format!("v2/{}/blobs/{}", self.repository, self.digest);
        let url = self.layers.endpoint.join(&path);
        let url = url.map_err(|e| RegistryError::Unsupported(format!("{}: {e}", self.what)))?;
        let mut headers = headers.clone();
        let first = self.layers.tokens.header(None).await?;
        headers.insert(AUTHORIZATION, first.clone());
        let answer = self.layers.get(url.clone(), headers.clone(), &self.what).await?;
        // ECR answers an expired token with 403, a missing one with 401.
        if ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status()) {
            return Ok(answer);
        }
        headers.insert(AUTHORIZATION, self.layers.tokens.header(Some(&first)).await?);
        self.layers.get(url, headers, &self.what).await
    }

    /// A blob, or an error in the registry's own words.
    async fn served(&self, answer: Response) -> Result<Response, RegistryError> {
        match expect_success(answer, &self.what).await {
            Err(missing @ RegistryError::NotFound(_)) => {
                Err(self.layers.api.archived_or(&self.repository, &self.digest, missing).await)
            }
            outcome => outcome,
        }
    }
}

impl Layers {
    /// # Errors
    /// `Denied` where nothing is to be fetched from there.
    pub(super) fn client_for(&self, url: &Url, what: &str) -> Result<&Client, RegistryError> {
        self.outbound.client_for(url, [&self.endpoint]).map_err(|refused| denied(&refused, what))
    }

    async fn get(&self, url: Url, headers: HeaderMap, what: &str) -> Result<Response, RegistryError> {
        self.client_for(&url, what)?
            .get(url)
            .headers(headers)
            .send()
            .await
            .map_err(|error| broken(error, what))
    }
}

/// Where a redirect leads.
fn leads_to(answer: &Response) -> Option<Url> {
    let target = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection())?;
    answer.url().join(target.to_str().ok()?).ok()
}
