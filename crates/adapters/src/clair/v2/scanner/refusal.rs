//! What it means that Clair did not store a layer: the one place where its statuses and words become errors.
//!
//! | answer | what it means | what follows |
//! |---|---|---|
//! | 400 `could not find layer` | it could not fetch the layer, for any reason | a fresh address; then the registry is asked |
//! | 400 `worker: parent layer is unknown…` | a layer below was deleted meanwhile | the whole chain again |
//! | 400 anything else | the request is wrong | an error |
//! | 422 `…could not extract the archive` | no archive that it knows, damaged, or cut short | once more; then noted |
//! | 422 `…file too big` | a package database of more than 200 MiB | noted |
//! | 422 `worker: OS and/or package manager are not supported` | packages of an unknown distribution | noted |
//! | 503 `…within the configured timeout window` | it goes on in the background | wait for the layer |
//! | 500, other 503, 5xx | its database, or something before it | try again later |
//! | 307, 404, 405 | this is not the API of Clair v2 | try again later, and say so |

use cve_monitor_core::ports::ScannerError;

use crate::clair::http::HttpError;
use crate::clair::v2::chain::Unread;

/// Why a layer was not stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Clair could not fetch it.
    NotFetched,
    /// The layer below it is not there.
    ParentUnknown,
    /// It cannot be read. Where it was perhaps only cut short, it may be tried once more.
    Unread(Unread),
    /// Clair still works on it.
    StillWorking,
    /// Something else.
    Failed(ScannerError),
}

/// What a refused layer means.
pub(super) fn refusal(error: HttpError) -> Refusal {
    let HttpError::Status { status, message, .. } = &error else { return Refusal::Failed(failed(error)) };
    match status {
        400 if message == "could not find layer" => Refusal::NotFetched,
        400 if message.contains("parent layer is unknown") => Refusal::ParentUnknown,
        422 if message.contains("OS and/or package manager") => Refusal::Unread(Unread::System),
        422 if message.contains("file too big") => Refusal::Unread(Unread::TooLarge),
        422 => Refusal::Unread(Unread::Archive),
        503 if message.contains("within the configured timeout window") => Refusal::StillWorking,
        _ => Refusal::Failed(failed(error)),
    }
}

/// Any other failure of a request.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn failed(error: HttpError) -> ScannerError {
    let detail = error.to_string();
    match error {
        HttpError::Status { status: 401 | 403, .. } => ScannerError::Denied(detail),
        HttpError::Status { status: 400, .. } | HttpError::TooLong { .. } => ScannerError::Permanent(detail),
        HttpError::Unreachable { .. } => ScannerError::Unreachable(detail),
        HttpError::Status { status: 300..=399 | 404 | 405, .. } => transient(format!(
            "{detail} (this is not the API of Clair v2: its address ends before `/v1`, and nothing between may rewrite it)"
        )),
        _ => transient(detail),
    }
}

pub(super) fn transient(detail: String) -> ScannerError {
    ScannerError::Transient { retry_after: None, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clair::v2::captured::captured;

    fn error((status, body): (u16, &str)) -> HttpError {
        let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let message = json["Error"]["Message"].as_str().unwrap_or(body).to_owned();
        HttpError::Status { request: "POST /v1/layers".to_owned(), status, message }
    }

    #[test]
    fn every_reason_not_to_fetch_reads_alike() {
        for answer in [
            captured!("11-post-fetch-404"),
            captured!("12-post-fetch-401"),
            captured!("13-post-fetch-500"),
            captured!("14-post-conn-refused"),
        ] {
            assert_eq!(refusal(error(answer)), Refusal::NotFetched);
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        for (answer, expected) in [
            (captured!("15-post-garbage-blob"), Unread::Archive),
            (captured!("16-post-truncated-gzip"), Unread::Archive),
            (captured!("17-post-zstd-layer"), Unread::Archive),
            (captured!("21-post-packages-without-os"), Unread::System),
            (captured!("c2-reanalyse-child-with-dpkg-db"), Unread::System),
            (
                (422, "tarutil: could not extract one or more files from the archive: file too big"),
                Unread::TooLarge,
            ),
        ] {
            assert_eq!(refusal(error(answer)), Refusal::Unread(expected), "{answer:?}");
        }
    }

    #[test]
    fn a_missing_parent_and_work_that_goes_on_are_no_failures() {
        assert_eq!(refusal(error(captured!("10-post-unknown-parent"))), Refusal::ParentUnknown);
        assert_eq!(refusal(error(captured!("d1-api-timeout"))), Refusal::StillWorking);
        let proxy = refusal(error((503, "upstream connect error")));
        assert!(matches!(proxy, Refusal::Failed(ScannerError::Transient { .. })), "{proxy:?}");
    }

    #[test]
    fn a_wrong_request_is_not_repeated_and_a_database_in_trouble_is_waited_for() {
        for answer in [
            captured!("26-post-bad-format"),
            captured!("27-post-no-name"),
            captured!("28-post-no-path"),
            captured!("29-post-no-format"),
            captured!("30-post-no-layer"),
            captured!("31-post-not-json"),
            captured!("32-post-empty-body"),
            captured!("33-post-body-over-1MiB"),
        ] {
            let refused = refusal(error(answer));
            assert!(
                matches!(refused, Refusal::Failed(ScannerError::Permanent(_))),
                "{answer:?}: {refused:?}"
            );
        }
        let database = refusal(error(captured!("34-post-name-129-chars")));
        assert!(matches!(database, Refusal::Failed(ScannerError::Transient { .. })), "{database:?}");
    }

    #[test]
    fn an_address_that_is_no_clair_v2_is_said_so() {
        for answer in
            [captured!("53-404-route"), captured!("55-method-not-allowed"), captured!("57-trailing-slash")]
        {
            let Refusal::Failed(ScannerError::Transient { detail, .. }) = refusal(error(answer)) else {
                panic!("{answer:?}")
            };
            assert!(detail.contains("not the API of Clair v2"), "{detail}");
        }
        let denied = refusal(error((403, "forbidden")));
        assert!(matches!(denied, Refusal::Failed(ScannerError::Denied(_))), "{denied:?}");
    }
}
