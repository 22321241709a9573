//! What the scanner's errors become at its port.

use cve_monitor_core::ports::{RegistryError, ScannerError};

use crate::embedded::DatabaseError;
use crate::embedded::advisories::AdvisoryError;

/// A registry's refusal keeps its class.
pub(super) fn refused(error: RegistryError) -> ScannerError {
    match error {
        RegistryError::NotFound(what) | RegistryError::Archived(what) => ScannerError::Gone(what),
        RegistryError::Denied(what) => ScannerError::Denied(what),
        RegistryError::Throttled { retry_after, detail } => ScannerError::Transient { retry_after, detail },
        RegistryError::Transient(detail) => ScannerError::Transient { retry_after: None, detail },
        RegistryError::Corrupt(what) => ScannerError::Corrupt(what),
        RegistryError::Unsupported(what) => ScannerError::Permanent(what),
    }
}

pub(super) fn transient(detail: impl std::fmt::Display) -> ScannerError {
    ScannerError::Transient { retry_after: None, detail: detail.to_string() }
}

impl From<DatabaseError> for ScannerError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(_) | DatabaseError::Closed => transient(error),
            other => Self::Permanent(other.to_string()),
        }
    }
}

// Advisories that cannot be read are not loaded: the next refresh loads them, and no attempt is spent until then.
impl From<AdvisoryError> for ScannerError {
    fn from(error: AdvisoryError) -> Self {
        match error {
            AdvisoryError::Io { .. } | AdvisoryError::BrokenOff(_) => transient(error),
            other => Self::Loading(other.to_string()),
        }
    }
}
