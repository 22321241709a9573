//! One HTTP client for both versions of Clair: bounds on everything, the status before the body, requests signed
//! where there is a key. Headers and queries are in no error and in no log.

#[cfg(test)]
pub(super) mod announcing;
mod body;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, PRAGMA};
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use url::Url;

use super::psk::Signer;
use crate::http::client;

pub(super) use body::BodyStream;
pub(super) use words::quoted;

/// How long Clair may be silent, unless a request says otherwise.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest answer, in bytes, unless a request says otherwise.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Where a service of Clair is reached, and how its requests are signed.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Scheme, host and port; a path where a proxy puts Clair under one.
    pub url: Url,
    /// A file of PEM certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Signs each request, where Clair has a key.
    pub signer: Option<Signer>,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings of Clair cannot be used: {0}")]
pub struct InvalidSettings(pub(super) String);

/// Why there is no answer to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// It answered with a status that is no success, and these words: the message of its error where there is one,
    /// else the beginning of the body. The body of an error may be cut: then there are none.
    #[error("{request}: {status}{}{message}", if message.is_empty() { "" } else { ": " })]
    Status {
        /// Method and path.
        request: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// No connection was made.
    #[error("{request}: no connection: {detail}")]
    Unreachable {
        /// Method and path.
        request: String,
        /// What happened.
        detail: String,
    },
    /// There was no answer, or it broke off.
    #[error("{request}: {detail}")]
    Broken {
        /// Method and path.
        request: String,
        /// What happened.
        detail: String,
    },
    /// The answer is longer than expected.
    #[error("{request}: the answer is longer than {max} bytes")]
    TooLong {
        /// Method and path.
        request: String,
        /// The bound.
        max: usize,
    },
    /// The answer is not what was asked for.
    #[error("{request}: the answer cannot be read: {detail}")]
    Unreadable {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl HttpError {
    /// Status and words, where there was an answer that is no success.
    pub(super) fn status_and_message(&self) -> Option<(u16, &str)> {
        match self {
            Self::Status { status, message, .. } => Some((*status, message)),
            _ => None,
        }
    }
}

/// What to ask for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    method: Method,
    path: &'a str,
    body: Option<Vec<u8>>,
    silence: Duration,
    max_bytes: usize,
}

impl<'a> Request<'a> {
    /// A GET of a path with its query.
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None, silence: SILENCE, max_bytes: MAX_ANSWER_BYTES }
    }

    /// A DELETE.
    pub(super) fn delete(path: &'a str) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// A POST of JSON text.
    pub(super) fn post(path: &'a str, json: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(json), ..Self::get(path) }
    }

    /// How long Clair may be silent: before its answer begins, and between two parts of it.
    pub(super) fn silence(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// The longest answer.
    pub(super) fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// As errors name it: without the query.
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// An answer with a status of success.
#[derive(Debug)]
pub(super) struct Answer {
    request: String,
    /// The status: 200 to 299.
    pub(super) status: u16,
    /// Its validator, without the quotes and the mark of a weak one.
    pub(super) etag: Option<String>,
    /// The whole body.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, whatever its content type says: Clair's cannot be trusted.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| HttpError::Unreadable {
            request: self.request.clone(),
            // Where, and of what kind; the parser's own words may quote content.
            detail: format!("{:?} at line {}, column {}", error.classify(), error.line(), error.column()),
        })
    }
}

/// One service of Clair.
#[derive(Debug, Clone)]
pub(super) struct HttpClient {
    client: Client,
    base: String,
    signer: Option<Signer>,
}

impl HttpClient {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, InvalidSettings> {
        let Endpoint { url, ca_file, signer } = endpoint;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(InvalidSettings("its address begins with http:// or https://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            let why = "its address carries credentials or a query: a key is given as `auth.psk` has it";
            return Err(InvalidSettings(why.to_owned()));
        }
        let client = client::builder(ca_file.as_deref()).map_err(InvalidSettings)?;
        let client = client.build().map_err(|e| InvalidSettings(e.to_string()))?;
        Ok(Self { client, base: url.as_str().trim_end_matches('/').to_owned(), signer: signer.clone() })
    }

    /// Asks, and reads a bounded answer.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Answer, HttpError> {
        let (name, max, silence) = (request.name(), request.max_bytes, request.silence);
        let response = self.open(request).await?;
        let status = response.status().as_u16();
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
        // A proxy that compresses makes it weak; it names the same.
        let etag = etag.map(|text| text.strip_prefix("W/").unwrap_or(text).trim_matches('"').to_owned());
        let body = body::whole(response, max, silence, &name).await?;
        Ok(Answer { request: name, status, etag, body })
    }

    /// Asks, and reads a bounded answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, HttpError> {
        self.send(request).await?.json()
    }

    /// Asks, and hands the body on as it arrives: of any length, but never silent for longer than asked for.
    pub(super) async fn stream(&self, request: Request<'_>) -> Result<BodyStream, HttpError> {
        let (name, silence) = (request.name(), request.silence);
        let response = self.open(request).await?;
        Ok(body::chunks(response, silence, name))
    }

    /// The beginning of a successful answer; anything else becomes an error here.
    async fn open(&self, request: Request<'_>) -> Result<Response, HttpError> {
        let name = request.name();
        let broken = |detail: String| HttpError::Broken { request: name.clone(), detail };
        let url = format!("{}{}", self.base, request.path);
        let mut builder = self
            .client
            .request(request.method.clone(), url)
            // Clair strictly negotiates where it does at all; no cache between us and it may answer for it.
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"))
            .header(PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some(signer) = &self.signer {
            let bearer = signer.bearer().map_err(|_| broken("the request cannot be signed".to_owned()))?;
            let mut value = HeaderValue::try_from(bearer.expose())
                .map_err(|_| broken("the request cannot be signed".to_owned()))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        if let Some(json) = request.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(json);
        }
        let sent = tokio::time::timeout(request.silence, builder.send()).await;
        let response = sent
            .map_err(|_| broken(format!("no answer within {} seconds", request.silence.as_secs())))?
            .map_err(|error| match error.is_connect() {
                true => HttpError::Unreachable { request: name.clone(), detail: client::cause(error) },
                false => broken(client::cause(error)),
            })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        // Clair cuts the connection under the body of an error: the status counts without it.
        let body = body::beginning(response).await;
        Err(HttpError::Status { request: name, status, message: words::message(&body) })
    }
}
