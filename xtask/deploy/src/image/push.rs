//! The registry protocol, as far as pushing needs it: what is there is not sent again.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::{Blob, Image};

/// How long a layer may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A repository of a registry, and what opens it.
pub(crate) struct Repository {
    /// Where the registry is: `https://HOST`.
    pub(crate) endpoint: Url,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("endpoint", &self.endpoint.as_str())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) bytes: usize,
    /// Blobs that were there already.
    pub(crate) there: usize,
}

impl Repository {
    /// Sends what the repository lacks of an image; the tag goes to it only if the image was not there.
    pub(crate) async fn push(&self, image: &Image, tag: &str) -> Result<Sent, String> {
        let host = self.endpoint.host_str().unwrap_or_default();
        let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if self.endpoint.scheme() != "https" && !loopback {
            return Err(format!("{} is not https: a password is not sent there", self.endpoint));
        }
        let client = Client::builder().timeout(TIMEOUT).build().map_err(|error| error.to_string())?;
        let mut sent = Sent::default();
        let by_digest = format!("manifests/{}", image.digest());
        if self.has(&client, &by_digest, image.manifest.media_type).await? {
            sent.there = image.blobs.len() + 1;
            return Ok(sent);
        }
        for blob in &image.blobs {
            if self.has(&client, &format!("blobs/{}", blob.digest), "*/*").await? {
                sent.there += 1;
            } else {
                self.upload(&client, blob).await?;
                sent.bytes += blob.bytes.len();
            }
        }
        let manifest = &image.manifest;
        let request = self.request(&client, Method::PUT, self.url(&format!("manifests/{tag}"))?);
        let request = request.header(CONTENT_TYPE, manifest.media_type).body(manifest.bytes.clone());
        let answer = self.send(request, "the manifest", &[StatusCode::CREATED]).await?;
        let named = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        match named.filter(|named| *named != manifest.digest) {
            Some(other) => {
                Err(format!("the registry calls the image {other}, and it is {}", manifest.digest))
            }
            None => Ok(sent),
        }
    }

    async fn has(&self, client: &Client, path: &str, accept: &str) -> Result<bool, String> {
        let request = self.request(client, Method::HEAD, self.url(path)?).header(ACCEPT, accept);
        let answer = self.send(request, path, &[StatusCode::OK, StatusCode::NOT_FOUND]).await?;
        Ok(answer.status() == StatusCode::OK)
    }

    /// As docker does it: begin, send, finish. The shorter forms are not taken by every registry.
    async fn upload(&self, client: &Client, blob: &Blob) -> Result<(), String> {
        let what = format!("layer {}", blob.digest);
        let begin = self.request(client, Method::POST, self.url("blobs/uploads/")?);
        let begun = self.send(begin, &what, &[StatusCode::ACCEPTED]).await?;
        let place = self.place(&begun)?;
        let patch = self.request(client, Method::PATCH, place);
        let patch = patch.header(CONTENT_TYPE, "application/octet-stream").body(blob.bytes.clone());
        let taken = self.send(patch, &what, &[StatusCode::ACCEPTED, StatusCode::CREATED]).await?;
        let mut place = self.place(&taken)?;
        place.query_pairs_mut().append_pair("digest", &blob.digest);
        let finish = self.request(client, Method::PUT, place);
        self.send(finish, &what, &[StatusCode::CREATED]).await.map(drop)
    }

    fn request(&self, client: &Client, method: Method, url: Url) -> RequestBuilder {
        client.request(method, url).basic_auth(&self.user, Some(&self.password))
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        self.endpoint.join(&format!("/v2/{}/{path}", self.name)).map_err(|error| error.to_string())
    }

    /// Where an upload goes on: with the registry itself, or the password would go elsewhere.
    fn place(&self, answer: &Response) -> Result<Url, String> {
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or("the registry does not say where to send a layer")?;
        let place = self.endpoint.join(location).map_err(|error| error.to_string())?;
        if place.origin() != self.endpoint.origin() {
            return Err(format!(
                "the registry sends layers elsewhere, to {}",
                place.host_str().unwrap_or_default()
            ));
        }
        Ok(place)
    }

    async fn send(
        &self,
        request: RequestBuilder,
        what: &str,
        good: &[StatusCode],
    ) -> Result<Response, String> {
        let registry = self.endpoint.host_str().unwrap_or_default();
        // An address may hold a token: errors are told without it.
        let answer = request
            .send()
            .await
            .map_err(|error| format!("{registry} does not answer: {}", error.without_url()))?;
        if good.contains(&answer.status()) {
            return Ok(answer);
        }
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        Err(format!("{registry} refuses {what} of {} ({status}): {}", self.name, said.trim()))
    }
}

#[cfg(test)]
mod tests;
