//! What ECR's answers mean to the caller: the one place where its codes become errors.

use std::error::Error;

use aws_sdk_ecr::types::ImageFailureCode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cve_monitor_core::ports::RegistryError;

use super::super::assume_role::RoleTrouble;
use super::super::trouble::{Kind, Trouble, trouble};

/// Codes that say that something is not there (ECR API reference, errors of each operation). A layer that no image names
/// is "inaccessible", and may be gone at any moment.
const NOT_FOUND: [&str; 4] = [
    "ImageNotFoundException",
    "LayerInaccessibleException",
    "LayersNotFoundException",
    "RepositoryNotFoundException",
];

/// A failed call as an error. `what` names what was asked for.
pub(super) fn translate<E>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
    what: &str,
) -> RegistryError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(role) = role(error) {
        let detail = role.to_string();
        return match role.trouble.kind {
            Kind::Denied | Kind::Refused => RegistryError::Denied(detail),
            Kind::Throttled => RegistryError::Throttled { retry_after: None, detail },
            Kind::Transient => RegistryError::Transient(detail),
        };
    }
    by_trouble(&trouble(operation, error), what)
}

fn by_trouble(trouble: &Trouble, what: &str) -> RegistryError {
    let detail = format!("{what}: {trouble}");
    match trouble.kind {
        Kind::Throttled => RegistryError::Throttled { retry_after: None, detail },
        Kind::Denied => RegistryError::Denied(detail),
        Kind::Refused if NOT_FOUND.contains(&trouble.code.as_str()) => {
            RegistryError::NotFound(what.to_owned())
        }
        // The key of the repository cannot be used: rights, or the key itself, are a person's to mend.
        Kind::Refused if trouble.code == "KmsException" => RegistryError::Denied(detail),
        // Another request would get the same answer; but an adapter that is wrong about that only repeats itself,
        // within the bounds of the caller's policy.
        Kind::Refused | Kind::Transient => RegistryError::Transient(detail),
    }
}

/// The role that could not be assumed, where that is the reason.
fn role<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a RoleTrouble> {
    let mut cause: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(role) = inner.downcast_ref() {
            return Some(role);
        }
        cause = inner.source();
    }
    None
}

/// What a failure of BatchGetImage for one image means; none where it may be archived, or really not there.
pub(super) fn failed(code: Option<&ImageFailureCode>, reason: &str, what: &str) -> Option<RegistryError> {
    let word = code.map_or("no code", ImageFailureCode::as_str);
    let detail = format!("{what}: {word}: {reason}");
    Some(match code {
        Some(ImageFailureCode::ImageNotFound | ImageFailureCode::ImageInaccessible) => return None,
        Some(ImageFailureCode::KmsError | ImageFailureCode::UpstreamAccessDenied) => {
            RegistryError::Denied(detail)
        }
        Some(ImageFailureCode::UpstreamTooManyRequests) => {
            RegistryError::Throttled { retry_after: None, detail }
        }
        Some(ImageFailureCode::InvalidImageDigest | ImageFailureCode::InvalidImageTag) => {
            RegistryError::Unsupported(detail)
        }
        _ => RegistryError::Transient(detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: Kind, code: &str) -> RegistryError {
        let (code, detail) = (code.to_owned(), "said".to_owned());
        by_trouble(&Trouble { kind, code, operation: "Op", detail }, "it")
    }

    #[test]
    fn codes_say_what_the_caller_does_next() {
        for code in NOT_FOUND {
            assert_eq!(refused(Kind::Refused, code), RegistryError::NotFound("it".to_owned()));
        }
        assert!(matches!(refused(Kind::Refused, "KmsException"), RegistryError::Denied(_)));
        assert!(matches!(refused(Kind::Refused, "InvalidParameterException"), RegistryError::Transient(_)));
        assert!(matches!(refused(Kind::Denied, "AccessDeniedException"), RegistryError::Denied(_)));
        assert!(matches!(
            refused(Kind::Throttled, "ThrottlingException"),
            RegistryError::Throttled { retry_after: None, .. }
        ));
    }

    #[test]
    fn each_failure_of_an_image_is_told_apart() {
        let failed = |code: &str| failed(Some(&ImageFailureCode::from(code)), "why", "it");
        for code in ["ImageNotFound", "ImageInaccessible"] {
            assert_eq!(failed(code), None, "{code}");
        }
        for code in ["KmsError", "UpstreamAccessDenied"] {
            assert!(matches!(failed(code), Some(RegistryError::Denied(_))), "{code}");
        }
        for code in ["InvalidImageDigest", "InvalidImageTag"] {
            assert!(matches!(failed(code), Some(RegistryError::Unsupported(_))), "{code}");
        }
        assert!(matches!(failed("UpstreamTooManyRequests"), Some(RegistryError::Throttled { .. })));
        for code in ["UpstreamUnavailable", "ImageTagDoesNotMatchDigest", "MissingDigestAndTag", "New"] {
            let Some(RegistryError::Transient(text)) = failed(code) else { panic!("{code}") };
            assert!(text.contains(code) && text.contains("why"), "{text}");
        }
    }
}
