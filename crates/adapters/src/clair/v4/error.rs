//! What Clair's failures mean to the caller: the one place where its statuses and texts become errors.

use std::time::Duration;

use cve_monitor_core::ports::{RegistryError, ScannerError};

use super::super::http::{HttpError, quoted};

/// How long to leave an indexer alone that has as many requests as it takes (429): it does not say.
const BUSY_WAIT: Duration = Duration::from_secs(30);

/// What hindered Clair in reading an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IndexTrouble {
    /// The registry refused Clair: with an address or a header that has expired, or that never was good.
    Refused(String),
    /// The registry does not have a layer.
    Absent(String),
    /// A layer is not what its digest promises.
    Damaged(String),
    /// A layer is of a form that Clair does not read, and another try would find the same; in words of ours, so that
    /// reports do not change with Clair's.
    Unreadable(&'static str),
    /// Anything else: the network, a database, a source of Clair's own.
    Other(String),
}

/// Reads the text of a failed index (claircore 1.5.48: `libindex/fetcher.go`, `layer.go`, `pkg/tarfs`). Only the
/// beginning of a registry's answer is in it, quoted, behind what is looked for here. What is repeated of it is cleaned
/// as any error's text: addresses stand in it with their signatures.
pub(super) fn index_trouble(text: &str) -> IndexTrouble {
    let said = |words: &str| text.contains(words);
    let of_layer_type =
        said("unknown content-type \"application/vnd.") || said("unknown content-type \\\"application/vnd.");
    if said("unexpected status code: 401") || said("unexpected status code: 403") {
        IndexTrouble::Refused(quoted(text))
    } else if said("unexpected status code: 404") {
        IndexTrouble::Absent(quoted(text))
    } else if said("fetcher: validation failed: got") {
        IndexTrouble::Damaged(quoted(text))
    } else if said("unable to create fs.FS: tarfs:") {
        IndexTrouble::Unreadable("a layer is no tar archive")
    } else if said("fetcher: disallowed compression kind") {
        IndexTrouble::Unreadable("a layer is compressed in a way that Clair does not read")
    } else if of_layer_type || said("fetcher: mismatched compression") {
        IndexTrouble::Unreadable("a layer is of a media type that Clair does not read")
    } else {
        IndexTrouble::Other(quoted(text))
    }
}

impl From<IndexTrouble> for ScannerError {
    fn from(trouble: IndexTrouble) -> Self {
        match trouble {
            IndexTrouble::Refused(text) => Self::Denied(text),
            IndexTrouble::Absent(text) => Self::Gone(text),
            IndexTrouble::Damaged(text) => Self::Corrupt(text),
            IndexTrouble::Unreadable(text) => Self::Permanent(text.to_owned()),
            IndexTrouble::Other(detail) => Self::Transient { retry_after: None, detail },
        }
    }
}

impl From<HttpError> for ScannerError {
    fn from(error: HttpError) -> Self {
        let detail = error.to_string();
        match error {
            HttpError::Status { status: 401, .. } => Self::Denied(format!(
                "{detail}: Clair refuses our signature: give the key of its `auth.psk` and an issuer that it accepts, \
                 and look at the clocks"
            )),
            HttpError::Status { status: 429, .. } => Self::Transient { retry_after: Some(BUSY_WAIT), detail },
            HttpError::Status { status: 404, message, .. } if message.contains("page not found") => {
                Self::Transient {
                    retry_after: None,
                    detail: format!("{detail}: this service of Clair is not at this address"),
                }
            }
            HttpError::Unreachable { .. } => Self::Unreachable(detail),
            HttpError::TooLong { .. } => Self::Permanent(detail),
            // A proxy or a Clair in trouble says many things; what stays wrong ends with the attempts.
            HttpError::Status { .. } | HttpError::Broken { .. } | HttpError::Unreadable { .. } => {
                Self::Transient { retry_after: None, detail }
            }
        }
    }
}

/// A registry's failure, while it is asked where Clair can fetch a layer.
pub(super) fn of_registry(error: &RegistryError) -> ScannerError {
    let detail = error.to_string();
    match error {
        RegistryError::NotFound(_) | RegistryError::Archived(_) => ScannerError::Gone(detail),
        RegistryError::Denied(_) => ScannerError::Denied(detail),
        RegistryError::Throttled { retry_after, .. } => {
            ScannerError::Transient { retry_after: *retry_after, detail }
        }
        RegistryError::Transient(_) => ScannerError::Transient { retry_after: None, detail },
        RegistryError::Corrupt(_) => ScannerError::Corrupt(detail),
        RegistryError::Unsupported(_) => ScannerError::Permanent(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_failed_index_is_short_and_carries_no_signature() {
        let address = "Get \"https://b.example/l?a=1&X-Amz-Signature=s3cret\":";
        let padding = "x".repeat(10_000);
        for why in ["unexpected status code: 403", "unexpected status code: 404", "EOF"] {
            let text = format!("fetcher: {address} {why} {padding}");
            let error = ScannerError::from(index_trouble(&text)).to_string();
            assert!(error.contains("https://b.example/l"), "{error}");
            assert!(!error.contains("s3cret") && error.len() < 1000, "{error}");
        }
    }

    #[test]
    fn the_texts_of_a_failed_index_are_understood() {
        let refused = IndexTrouble::Refused;
        for (text, expected) in [
            (
                "fetcher: encountered errors: unexpected status code: 401 Unauthorized",
                refused as fn(String) -> _,
            ),
            (
                "fetcher: encountered errors: unexpected status code: 403 Forbidden (body starts: \"\")",
                refused,
            ),
            ("unexpected status code: 404 Not Found (body starts: \"…\")", IndexTrouble::Absent),
            ("fetcher: validation failed: got \"aa\", expected \"bb\"", IndexTrouble::Damaged),
            ("unexpected status code: 500 Internal Server Error", IndexTrouble::Other),
            (
                "fetcher: request failed: Get \"http://r/\": dial tcp: connect: connection refused",
                IndexTrouble::Other,
            ),
            ("layer \"sha256:…\": rhel: unable to create a mappingFile object", IndexTrouble::Other),
            ("fetcher: unknown content-type \"text/html\"", IndexTrouble::Other),
        ] {
            assert_eq!(index_trouble(text), expected(text.to_owned()));
        }
        for text in [
            "claircore: layer sha256:…: unable to create fs.FS: tarfs: error finding segments: unexpected EOF",
            "fetcher: disallowed compression kind: \"bzip2\"",
            "fetcher: unknown content-type \"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\"",
            "fetcher: mismatched compression (\"none\") and content-type (\"application/gzip\")",
        ] {
            assert!(matches!(index_trouble(text), IndexTrouble::Unreadable(_)), "{text}");
        }
    }
}
