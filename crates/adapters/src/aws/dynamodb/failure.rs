//! Why DynamoDB did not do it, before a port's error is made of it.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use cve_monitor_core::ports::{LayerIndexError, StoreError};

use crate::aws::trouble::{Kind, trouble};

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Do the same again.
    Unavailable(String),
    /// Trying again will not help.
    Refused(String),
    /// What is stored cannot be read.
    Damaged(String),
}

/// What the failure of an operation on a table means.
pub(super) fn failed<E>(operation: &'static str, table: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let trouble = trouble(operation, error);
    match trouble.kind {
        Kind::Throttled | Kind::Transient => Failure::Unavailable(format!("table {table}: {trouble}")),
        // Somebody will grant them, or has just done so: IAM takes its time to tell all of AWS.
        Kind::Denied => Failure::Unavailable(format!(
            "table {table}: {trouble}: give the role of this program the rights on this table"
        )),
        Kind::Refused if trouble.code == "ResourceNotFoundException" => Failure::Refused(format!(
            "there is no table {table} in this account and region: make it with `cve-monitor aws init` or with \
             the terraform module `store`, or name the right prefix"
        )),
        Kind::Refused => Failure::Refused(format!("table {table}: {trouble}")),
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(problem) => Self::Transient(problem),
            Failure::Refused(problem) => Self::Permanent(problem),
            Failure::Damaged(problem) => Self::Corrupt(problem),
        }
    }
}

impl From<Failure> for LayerIndexError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(problem) => Self::Transient(problem),
            Failure::Refused(problem) | Failure::Damaged(problem) => Self::Permanent(problem),
        }
    }
}
