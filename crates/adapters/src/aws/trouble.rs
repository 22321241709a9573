//! What a failed call means: each port's adapter translates this into its own errors.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The longest text of a service that is repeated, in characters.
const MAX_QUOTED: usize = 300;

/// The kinds of trouble, by what the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Slow down and try again.
    Throttled,
    /// Try again: nobody answered, or the service failed. The effect may have taken place.
    Transient,
    /// Credentials or rights are missing.
    Denied,
    /// The service refuses this very call; the code says why.
    Refused,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {detail}")]
pub struct Trouble {
    /// By what the caller does next.
    pub kind: Kind,
    /// The service's code, `ConditionalCheckFailedException`, say; empty where no service answered.
    pub code: String,
    /// The operation.
    pub operation: &'static str,
    /// What happened, for people; without addresses and credentials.
    pub detail: String,
}

/// Codes that ask to slow down, in the words of the four services (their API references, "Common Errors").
const THROTTLED: [&str; 17] = [
    "BandwidthLimitExceeded",
    "KMS.ThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Codes of what passes, whatever status they come with: broken transfers, clocks and credentials that are being renewed, two
/// who do the same at once.
const TRANSIENT: [&str; 9] = [
    "BadDigest",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteBody",
    "OperationAborted",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "XAmzContentSHA256Mismatch",
];

/// Codes that say that credentials or rights are missing.
const DENIED: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "KMS.AccessDeniedException",
];

/// What the failure of an operation means.
#[must_use]
pub fn trouble<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let at = |kind, detail: String| Trouble { kind, code: String::new(), operation, detail };
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or_default();
            let said = first_line(answer.err().message().unwrap_or_default());
            let detail =
                if code.is_empty() { format!("HTTP {status} {said}") } else { format!("{code}: {said}") };
            Trouble { kind: kind(code, status), code: code.to_owned(), operation, detail }
        }
        SdkError::ConstructionFailure(_) => {
            at(Kind::Refused, format!("the call cannot be made: {}", roots(error)))
        }
        // No credentials at all end here as well: they may be there in a moment, an instance's always are late.
        _ => at(Kind::Transient, roots(error)),
    }
}

/// Where a signature is refused, the lines after the first repeat the request, with the token of its session.
fn first_line(message: &str) -> String {
    message.trim_start().lines().next().unwrap_or_default().chars().take(MAX_QUOTED).collect()
}

fn kind(code: &str, status: u16) -> Kind {
    if THROTTLED.contains(&code) || status == 429 || (status == 503 && code == "SlowDown") {
        Kind::Throttled
    } else if TRANSIENT.contains(&code) {
        Kind::Transient
    } else if DENIED.contains(&code) {
        Kind::Denied
    } else if status >= 500 || status == 408 {
        Kind::Transient
    } else if status == 401 || status == 403 {
        Kind::Denied
    } else {
        Kind::Refused
    }
}

/// The innermost causes: what wraps them says nothing ("dispatch failure").
fn roots(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut inner = error.source();
    while let Some(cause) = inner {
        let said = cause.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        inner = cause.source();
    }
    words.chars().take(MAX_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_service_says_the_first_line_is_repeated_up_to_its_bound() {
        assert_eq!(first_line("It does not match.\n\nPOST\nx-amz-security-token:t"), "It does not match.");
        assert_eq!(first_line(&"x".repeat(MAX_QUOTED)), "x".repeat(MAX_QUOTED));
        assert_eq!(first_line(&"x".repeat(MAX_QUOTED + 1)), "x".repeat(MAX_QUOTED));
        assert_eq!(first_line(""), "");
    }

    #[test]
    fn the_code_decides_before_the_status() {
        for (code, status, expected) in [
            ("ThrottlingException", 400, Kind::Throttled),
            ("SlowDown", 503, Kind::Throttled),
            ("", 429, Kind::Throttled),
            ("AccessDeniedException", 400, Kind::Denied),
            ("RequestTimeout", 400, Kind::Transient),
            ("ExpiredTokenException", 400, Kind::Transient),
            ("", 403, Kind::Denied),
            ("InternalError", 500, Kind::Transient),
            ("", 503, Kind::Transient),
            ("ConditionalCheckFailedException", 400, Kind::Refused),
            ("NoSuchKey", 404, Kind::Refused),
        ] {
            assert_eq!(kind(code, status), expected, "{code} {status}");
        }
    }
}
