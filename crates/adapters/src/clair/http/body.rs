//! Reads bodies: within bounds, and never waiting for ever.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use reqwest::Response;

use super::HttpError;
use crate::http::client;

/// How much of an error's body is read, in bytes.
pub(super) const MAX_ERROR_BYTES: usize = 16 * 1024;
/// How long the body of an error may be silent.
const ERROR_SILENCE: Duration = Duration::from_secs(5);

/// The bytes of a body as they arrive.
pub(in crate::clair) type BodyStream = BoxStream<'static, Result<Bytes, HttpError>>;

/// The body part by part; it ends with an error where it breaks off or is silent for too long.
pub(super) fn chunks(response: Response, silence: Duration, request: String) -> BodyStream {
    let stream = response.bytes_stream();
    let parts = futures::stream::try_unfold(stream, move |mut stream| {
        let request = request.clone();
        async move {
            let broken = |detail: String| HttpError::Broken { request, detail };
            match tokio::time::timeout(silence, stream.next()).await {
                Ok(None) => Ok(None),
                Ok(Some(Ok(chunk))) => Ok(Some((chunk, stream))),
                Ok(Some(Err(error))) => Err(broken(client::cause(error))),
                Err(_) => {
                    Err(broken(format!("the answer broke off: silent for {} seconds", silence.as_secs())))
                }
            }
        }
    });
    parts.boxed()
}

/// A body that is expected to be no longer than `max` bytes.
pub(super) async fn whole(
    response: Response,
    max: usize,
    silence: Duration,
    request: &str,
) -> Result<Vec<u8>, HttpError> {
    let too_long = || HttpError::TooLong { request: request.to_owned(), max };
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(too_long());
    }
    let mut stream = chunks(response, silence, request.to_owned());
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > max {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The beginning of a body, as much of it as comes.
pub(super) async fn beginning(response: Response) -> Vec<u8> {
    let mut stream = chunks(response, ERROR_SILENCE, String::new());
    let mut body = Vec::new();
    while let Some(Ok(chunk)) = stream.next().await {
        let room = MAX_ERROR_BYTES - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() == MAX_ERROR_BYTES {
            break;
        }
    }
    body
}
