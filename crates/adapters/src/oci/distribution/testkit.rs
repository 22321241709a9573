//! What is made of a registry's headers and refusals, as functions of bytes.

use std::time::SystemTime;

use cve_monitor_core::ports::RegistryError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

use super::challenge::Challenge;
use super::listing::next_link;
use crate::http::translate;

/// Where a token is to be had, as the demand for credentials says; none where a password is demanded.
///
/// # Errors
/// Where the demand cannot be met, or is no header at all.
pub fn demanded(value: &[u8]) -> Result<Option<String>, String> {
    match Challenge::of(&header(&WWW_AUTHENTICATE, value))? {
        Challenge::Basic => Ok(None),
        Challenge::Bearer { realm, .. } => Ok(Some(realm)),
    }
}

/// The next page of a listing, as its `Link` says.
#[must_use]
pub fn next_page(link: &str) -> Option<String> {
    next_link(link)
}

/// What an answer that is no success means, where it tells when to come again; none where there is no such status.
#[must_use]
pub fn refused(status: u16, retry_after: &[u8], body: &[u8]) -> Option<RegistryError> {
    let status = StatusCode::from_u16(status).ok()?;
    Some(translate(status, &header(&RETRY_AFTER, retry_after), Some(body), "it", SystemTime::UNIX_EPOCH))
}

/// What cannot be sent in a header is left out.
fn header(name: &HeaderName, value: &[u8]) -> HeaderMap {
    HeaderValue::from_bytes(value).into_iter().map(|value| (name.clone(), value)).collect()
}
