//! What a registry's answers mean to the caller: the one place where status codes become errors.

use std::time::{Duration, SystemTime};

use cve_monitor_core::ports::RegistryError;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::body::read_bounded;
use crate::http::client::cause;
use crate::http::outbound::Refused;

/// How much of an error's body is read, in bytes.
pub const MAX_ERROR_BYTES: usize = 16 * 1024;
/// How much of a foreign text an error repeats, in characters.
const MAX_QUOTED: usize = 200;
/// The longest wait that a registry is taken at its word for.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    message: serde_json::Value,
}

/// Passes a success on; reads what anything else says and translates it. `what` names what was asked for.
pub(crate) async fn expect_success(response: Response, what: &str) -> Result<Response, RegistryError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read_bounded(response, MAX_ERROR_BYTES).await.ok();
    Err(translate(status, &headers, body.as_deref(), what, SystemTime::now()))
}

/// An answer that is no success, as an error; without a body where it could not be read: it is too long, or broke off.
///
/// A 404 is "not found" where the registry says so in its own words (distribution-spec, "Error Codes") or says
/// nothing. A page in other words, or one without end, comes from something before the registry, a proxy that has lost its way to it:
/// were that taken for "not found", an outage would delete images.
pub(crate) fn translate(
    status: StatusCode,
    headers: &HeaderMap,
    body: Option<&[u8]>,
    what: &str,
    now: SystemTime,
) -> RegistryError {
    let errors = body.and_then(|body| serde_json::from_slice::<Errors>(body).ok()).map(|all| all.errors);
    let said = said(errors.as_deref());
    let detail = format!("{what}: {status}{said}");
    let coded = |code: &str| errors.iter().flatten().any(|e| e.code.as_str() == Some(code));
    match status.as_u16() {
        429 => RegistryError::Throttled { retry_after: retry_after(headers, now), detail },
        401 | 403 => RegistryError::Denied(detail),
        404 if errors.is_some() || body.is_some_and(<[u8]>::is_empty) => {
            RegistryError::NotFound(format!("{what}{said}"))
        }
        404 => RegistryError::Transient(format!(
            "{what}: something before the registry answered 404 ({})",
            headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("of no type")
        )),
        // The status of a limit counts less than its code: some registries send it with others.
        _ if coded("TOOMANYREQUESTS") => {
            RegistryError::Throttled { retry_after: retry_after(headers, now), detail }
        }
        405 | 501 | 410 => RegistryError::Unsupported(detail),
        400 if coded("UNSUPPORTED") => RegistryError::Unsupported(detail),
        503 if headers.contains_key(RETRY_AFTER) => {
            RegistryError::Throttled { retry_after: retry_after(headers, now), detail }
        }
        408 | 425 | 500..=599 => RegistryError::Transient(detail),
        300..=399 => RegistryError::Transient(format!("{detail}: a redirect that leads nowhere")),
        // Another request would get the same answer; but an adapter that is wrong about that only repeats itself,
        // within the bounds of the caller's policy.
        _ => RegistryError::Transient(detail),
    }
}

/// A failure below HTTP, as an error.
pub(crate) fn broken(error: reqwest::Error, what: &str) -> RegistryError {
    if let Some(refused) = Refused::beneath(&error) {
        return denied(refused, what);
    }
    RegistryError::Transient(format!("{what}: {}", cause(error)))
}

/// An address that a registry named and nothing is sent to, as an error.
pub(crate) fn denied(refused: &Refused, what: &str) -> RegistryError {
    RegistryError::Denied(format!("{what}: the registry leads to {refused}"))
}

/// What the registry said in its own words, bounded.
fn said(errors: Option<&[Detail]>) -> String {
    let Some(first) = errors.and_then(<[Detail]>::first) else { return String::new() };
    let words = [&first.code, &first.message].into_iter().filter_map(|value| value.as_str());
    let text: String = words.collect::<Vec<_>>().join(": ");
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_QUOTED).collect();
    if text.is_empty() { text } else { format!(" ({text})") }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds or a date. A date is held against the server's own clock
/// where it tells it.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = date(text)?;
            let told = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(date);
            let from = told.unwrap_or_else(|| OffsetDateTime::from(now));
            Duration::try_from(until - from).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// An HTTP date; its preferred form is one of RFC 2822 too.
fn date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(error: &RegistryError) -> &'static str {
        match error {
            RegistryError::NotFound(_) => "not found",
            RegistryError::Denied(_) => "denied",
            RegistryError::Throttled { .. } => "throttled",
            RegistryError::Transient(_) => "transient",
            RegistryError::Corrupt(_) => "corrupt",
            RegistryError::Archived(_) => "archived",
            RegistryError::Unsupported(_) => "unsupported",
        }
    }

    fn coded(code: &str) -> String {
        format!(r#"{{"errors":[{{"code":"{code}","message":"said so","detail":null}}]}}"#)
    }

    fn translated(status: u16, headers: &[(&'static str, &str)], body: &str) -> RegistryError {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let (status, body) = (StatusCode::from_u16(status).unwrap(), Some(body.as_bytes()));
        translate(status, &map, body, "it", SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn every_answer_has_its_meaning() {
        for (status, headers, body, expected) in [
            (404, vec![], coded("MANIFEST_UNKNOWN"), "not found"),
            (404, vec![], coded("NAME_UNKNOWN"), "not found"),
            (404, vec![], String::new(), "not found"),
            (404, vec![("content-type", "text/html")], "<html>".to_owned(), "transient"),
            (404, vec![], "404 page not found".to_owned(), "transient"),
            (404, vec![], "{}".to_owned(), "transient"),
            (401, vec![], coded("UNAUTHORIZED"), "denied"),
            (403, vec![], coded("DENIED"), "denied"),
            (429, vec![], String::new(), "throttled"),
            (400, vec![], coded("TOOMANYREQUESTS"), "throttled"),
            (503, vec![("retry-after", "5")], String::new(), "throttled"),
            (503, vec![], String::new(), "transient"),
            (500, vec![], coded("UNKNOWN"), "transient"),
            (502, vec![], "<html>".to_owned(), "transient"),
            (408, vec![], String::new(), "transient"),
            (405, vec![], coded("UNSUPPORTED"), "unsupported"),
            (501, vec![], String::new(), "unsupported"),
            (400, vec![], coded("UNSUPPORTED"), "unsupported"),
            (302, vec![], String::new(), "transient"),
            (418, vec![], String::new(), "transient"),
        ] {
            assert_eq!(class(&translated(status, &headers, &body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn what_the_registry_says_is_repeated_within_bounds() {
        let error = translated(403, &[], &coded("DENIED")).to_string();
        assert!(error.contains("it: 403") && error.contains("DENIED: said so"), "{error}");
        let around = translated(403, &[], &coded("")).to_string().len() - ": said so".len();
        for length in [MAX_QUOTED, MAX_QUOTED + 1, 10_000] {
            let told = translated(403, &[], &coded(&"x".repeat(length))).to_string();
            assert_eq!(told.matches('x').count(), MAX_QUOTED, "{told}");
            assert_eq!(told.len(), around + MAX_QUOTED, "{told}");
        }
    }

    #[test]
    fn a_body_that_could_not_be_read_is_not_an_empty_one() {
        for (status, expected) in
            [(404, "transient"), (403, "denied"), (429, "throttled"), (500, "transient")]
        {
            let status = StatusCode::from_u16(status).unwrap();
            let error = translate(status, &HeaderMap::new(), None, "it", SystemTime::UNIX_EPOCH);
            assert_eq!(class(&error), expected, "{error}");
        }
    }

    #[test]
    fn waits_are_read_as_seconds_and_as_dates() {
        for (headers, expected) in [
            (vec![("retry-after", "7")], Some(7)),
            (vec![("retry-after", "0")], Some(0)),
            (vec![("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT")], Some(60)),
            (
                vec![
                    ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"),
                    ("date", "Wed, 21 Oct 2015 07:28:00 GMT"),
                ],
                Some(30),
            ),
            (vec![("retry-after", "Thu, 01 Jan 1969 00:00:00 GMT")], Some(0)),
            (vec![("retry-after", "99999999999")], Some(MAX_RETRY_AFTER.as_secs())),
            (vec![("retry-after", "later")], None),
            (vec![], None),
        ] {
            let RegistryError::Throttled { retry_after, .. } = translated(429, &headers, "") else {
                panic!("not throttled")
            };
            assert_eq!(retry_after.map(|wait| wait.as_secs()), expected, "{headers:?}");
        }
    }
}
