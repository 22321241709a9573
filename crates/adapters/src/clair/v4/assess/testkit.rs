//! What is made of reports and of failed indexes, as functions of bytes.

use cve_monitor_core::ports::ScannerError;
use cve_monitor_core::vocabulary::{Assessment, LayerKey};

use super::{Report, assessment, package_keys};
use crate::clair::v4::error::index_trouble;
use crate::clair::v4::operations::Operations;

/// What a report says while these are the latest operations, and the keys that its packages give the image; none where
/// one of them is not what it should be.
#[must_use]
pub fn assessed(report: &[u8], operations: &[u8]) -> Option<(Assessment, Vec<LayerKey>)> {
    let report: Report = serde_json::from_slice(report).ok()?;
    let operations: Operations = serde_json::from_slice(operations).ok()?;
    Some((assessment(&report, &operations.into_latest(), &[]), package_keys(&report)))
}

/// What is told of the text of a failed index.
#[must_use]
pub fn told(text: &str) -> String {
    ScannerError::from(index_trouble(text)).to_string()
}
