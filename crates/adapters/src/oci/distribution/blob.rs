//! The bytes of a blob: hashed as they pass, and taken up again where a connection breaks.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use cve_monitor_core::ports::{BlobStream, RegistryError};
use cve_monitor_core::vocabulary::{Descriptor, RepositoryName};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};

use super::super::verifier::{Verifier, corrupt};
use super::authorization::Scope;
use super::error::{broken, expect_success};
use super::transport::{Ask, Transport};

/// How often the transfer of one blob is taken up again.
const MAX_RESUMES: u32 = 5;
/// How long to wait before the first time; twice as long before each further one.
const RESUME_PAUSE: Duration = Duration::from_millis(100);

type Source = BoxStream<'static, reqwest::Result<Bytes>>;

/// What to ask for to get a blob.
pub(super) fn ask(method: Method, repository: &RepositoryName, blob: &Descriptor) -> Ask {
    Ask {
        method,
        path: format!("/v2/{repository}/blobs/{}", blob.digest),
        scope: Scope::Pull(repository.clone()),
        // A proxy that compresses would change the bytes and lose the places in them.
        headers: vec![(ACCEPT_ENCODING, HeaderValue::from_static("identity"))],
        what: format!("blob {} of {repository}", blob.digest),
    }
}

/// Opens a blob. It does not stand among the requests under way while it is read.
pub(super) async fn open(
    transport: Arc<Transport>,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<BlobStream, RegistryError> {
    let ask = ask(Method::GET, repository, blob);
    let answer = transport.send(&ask).await?;
    let response = expect_success(answer.response, &ask.what).await?;
    if let Some(length) = response.content_length().filter(|length| *length != blob.size) {
        return Err(corrupt(blob, &format!("the registry announces {length} bytes")));
    }
    let verifier = Verifier::new(blob.clone());
    let transfer =
        Transfer { transport, ask, source: chunks(response), verifier, skip: 0, resumes: 0, size: blob.size };
    Ok(futures::stream::try_unfold(transfer, Transfer::next).boxed())
}

/// A blob that is under way.
struct Transfer {
    transport: Arc<Transport>,
    ask: Ask,
    source: Source,
    verifier: Verifier,
    /// How many bytes of the source have passed before, in an earlier connection.
    skip: u64,
    resumes: u32,
    size: u64,
}

impl Transfer {
    /// The next bytes; none at the end, where they are what was promised.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, RegistryError> {
        loop {
            match self.source.try_next().await {
                Ok(Some(mut chunk)) => {
                    let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
                    chunk.advance(known);
                    self.skip -= known as u64;
                    if chunk.is_empty() {
                        continue;
                    }
                    self.verifier.take(&chunk)?;
                    return Ok(Some((chunk, self)));
                }
                Ok(None) => return self.verifier.finish().map(|()| None),
                // All of it came, and only the goodbye is missing.
                Err(_) if self.verifier.is_full() => return self.verifier.finish().map(|()| None),
                Err(error) => self.resume(broken(error, &self.ask.what)).await?,
            }
        }
    }

    /// Asks for the rest, or for the whole again where the server does not know parts.
    async fn resume(&mut self, mut cause: RegistryError) -> Result<(), RegistryError> {
        loop {
            if self.resumes == MAX_RESUMES {
                return Err(cause);
            }
            tokio::time::sleep(RESUME_PAUSE * 2_u32.pow(self.resumes)).await;
            self.resumes += 1;
            match rest(&self.transport, self.ask.clone(), self.verifier.seen(), self.size).await {
                Ok((source, skip)) => {
                    (self.source, self.skip) = (source, skip);
                    return Ok(());
                }
                Err(error @ RegistryError::Transient(_)) => cause = error,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The bytes from a place on: the source, and how many of its first bytes come before that place.
async fn rest(
    transport: &Transport,
    mut ask: Ask,
    from: u64,
    size: u64,
) -> Result<(Source, u64), RegistryError> {
    if from > 0 {
        let range = HeaderValue::try_from(format!("bytes={from}-{}", size.saturating_sub(1)));
        ask.headers.extend(range.ok().map(|range| (RANGE, range)));
    }
    let answer = transport.send(&ask).await?;
    let response = expect_success(answer.response, &ask.what).await?;
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Ok((chunks(response), from));
    }
    let start = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(start);
    if start == Some(from) {
        Ok((chunks(response), 0))
    } else {
        Err(RegistryError::Transient(format!("{}: another part came than was asked for", ask.what)))
    }
}

fn chunks(response: Response) -> Source {
    response.bytes_stream().boxed()
}

/// The first place of `Content-Range: bytes 5-9/10` (RFC 9110, section 14.4).
fn start(value: &str) -> Option<u64> {
    value.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
