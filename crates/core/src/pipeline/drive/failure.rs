//! What the failure of a port means for the rules.

use crate::ports::{
    ArchiveError, LayerIndexError, QueueError, RegistryError, ScannerError, SinkError, StoreError,
};
use crate::scan::{Failure, FailureClass};

pub(super) fn failure(class: FailureClass, detail: String) -> Failure {
    Failure { class, detail, retry_after: None }
}

pub(super) fn permanent(detail: String) -> Failure {
    failure(FailureClass::Permanent, detail)
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let detail = error.to_string();
        match error {
            RegistryError::Throttled { retry_after, .. } => {
                Self { class: FailureClass::Throttled, detail, retry_after }
            }
            RegistryError::Denied(_) => failure(FailureClass::Denied, detail),
            RegistryError::Corrupt(_) | RegistryError::NotFound(_) => failure(FailureClass::Corrupt, detail),
            RegistryError::Archived(_) => failure(FailureClass::Archived, detail),
            RegistryError::Transient(_) => failure(FailureClass::Transient, detail),
            RegistryError::Unsupported(_) => permanent(detail),
        }
    }
}

impl From<ScannerError> for Failure {
    fn from(error: ScannerError) -> Self {
        let detail = error.to_string();
        match error {
            ScannerError::Transient { retry_after, .. } => {
                Self { class: FailureClass::Transient, detail, retry_after }
            }
            // As patient as with one that asks for patience.
            ScannerError::Unreachable(_) => failure(FailureClass::Throttled, detail),
            ScannerError::Loading(_) => failure(FailureClass::Loading, detail),
            ScannerError::Behind => failure(FailureClass::Behind, detail),
            ScannerError::NotIndexed => failure(FailureClass::NotIndexed, detail),
            ScannerError::Denied(_) => failure(FailureClass::Denied, detail),
            ScannerError::Corrupt(_) | ScannerError::Gone(_) => failure(FailureClass::Corrupt, detail),
            ScannerError::Permanent(_) => permanent(detail),
        }
    }
}

macro_rules! transient_or_permanent {
    ($error:ident) => {
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let detail = error.to_string();
                match error {
                    $error::Transient(_) => failure(FailureClass::Transient, detail),
                    _ => permanent(detail),
                }
            }
        }
    };
}

transient_or_permanent!(LayerIndexError);
transient_or_permanent!(QueueError);
transient_or_permanent!(ArchiveError);
transient_or_permanent!(SinkError);
transient_or_permanent!(StoreError);
