//! SQS, DynamoDB, S3 and ECR.
//!
//! Every adapter takes an [`SdkConfig`]: who embeds the library brings credentials, endpoint, time limits and retry
//! settings of their own.

pub mod assume_role;
mod backoff;
mod created;
pub mod dynamodb;
pub mod ecr_event;
pub mod ecr_registry;
mod quiet;
pub mod s3;
pub mod sqs_queue;
pub mod trouble;

pub use crate::ProxySettings;
pub use aws_config::SdkConfig;

pub use self::created::Created;
