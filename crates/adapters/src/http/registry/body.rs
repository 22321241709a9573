//! Bodies that are expected to be small.

use cve_monitor_core::ports::RegistryError;
use futures::StreamExt as _;
use reqwest::Response;

use super::error::broken;

/// Reads a body that is expected to be small.
///
/// # Errors
/// `Unsupported` where it is longer than `max` bytes, `Transient` where it breaks off.
pub(crate) async fn read_bounded(response: Response, max: usize) -> Result<Vec<u8>, RegistryError> {
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
