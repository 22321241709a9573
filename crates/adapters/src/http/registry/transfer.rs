//! The bytes of a blob: hashed as they pass, and taken up again where a connection breaks.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use cve_monitor_core::ports::{BlobStream, RegistryError};
use cve_monitor_core::vocabulary::Descriptor;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{CONTENT_RANGE, HeaderValue};
use reqwest::{Response, StatusCode};

use super::error::broken;
use crate::verifier::{Verifier, corrupt};

/// How often the transfer of one blob is taken up again.
pub const MAX_RESUMES: u32 = 5;
/// How long to wait before the first time; twice as long before each further one.
const RESUME_PAUSE: Duration = Duration::from_millis(100);

type Source = BoxStream<'static, reqwest::Result<Bytes>>;

/// A blob that can be asked for.
#[async_trait]
pub(crate) trait Blob: Send + Sync + 'static {
    /// What is asked for, in the words of errors.
    fn what(&self) -> &str;

    /// Asks for it, or with `Range` for the rest of it; a success, or what the answer means. Whoever does not know parts
    /// sends the whole.
    async fn open(&self, range: Option<HeaderValue>) -> Result<Response, RegistryError>;
}

/// Opens a blob: its bytes, which end in an error where they are not what was promised.
pub(crate) async fn read(source: impl Blob, blob: &Descriptor) -> Result<BlobStream, RegistryError> {
    let response = source.open(None).await?;
    if let Some(length) = response.content_length().filter(|length| *length != blob.size) {
        return Err(corrupt(blob, &format!("the registry announces {length} bytes")));
    }
    let transfer = Transfer {
        blob: source,
        source: chunks(response),
        verifier: Verifier::new(blob.clone()),
        skip: 0,
        resumes: 0,
        size: blob.size,
    };
    Ok(futures::stream::try_unfold(transfer, Transfer::next).boxed())
}

/// A blob that is under way.
struct Transfer<B> {
    blob: B,
    source: Source,
    verifier: Verifier,
    /// How many bytes of the source have passed before, in an earlier connection.
    skip: u64,
    resumes: u32,
    size: u64,
}

impl<B: Blob> Transfer<B> {
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
                Err(error) => self.resume(broken(error, self.blob.what())).await?,
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
            match rest(&self.blob, self.verifier.seen(), self.size).await {
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
async fn rest(blob: &impl Blob, from: u64, size: u64) -> Result<(Source, u64), RegistryError> {
    let range = (from > 0).then(|| format!("bytes={from}-{}", size.saturating_sub(1)));
    let response = blob.open(range.and_then(|range| HeaderValue::try_from(range).ok())).await?;
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Ok((chunks(response), from));
    }
    let told = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(start);
    if told == Some(from) {
        Ok((chunks(response), 0))
    } else {
        Err(RegistryError::Transient(format!("{}: another part came than was asked for", blob.what())))
    }
}

fn chunks(response: Response) -> Source {
    response.bytes_stream().boxed()
}

/// The first place of `Content-Range: bytes 5-9/10` (RFC 9110, section 14.4).
fn start(value: &str) -> Option<u64> {
    value.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
