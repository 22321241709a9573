//! S3: the archive of report bodies, and the lake of reports.
//!
//! Calls and prices (us-east-1): a put costs a PUT ($5 a million), a get a GET ($0.40 a million); a report delivered again
//! costs one of each.

mod archive;
mod bucket;
mod create;
mod lake;
mod sink;

pub use self::archive::{MAX_OBJECT_BYTES, S3Archive};
pub use self::create::create_bucket;
pub use self::lake::S3Lake;
pub use self::sink::S3Sink;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, ResponseChecksumValidation};

/// Where objects lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The name of the bucket, whole: such names are global.
    pub bucket: String,
    /// The key of KMS (id, alias or ARN) that objects are encrypted with; none for what the bucket says, which is at least
    /// S3's own encryption.
    pub kms_key: Option<String>,
}

/// A client. With an endpoint of one's own, buckets are named in the path: an emulator has no host for each.
fn client(config: &SdkConfig) -> Client {
    let builder = Builder::from(config)
        .force_path_style(config.endpoint_url().is_some())
        // What is read is held against SHA-256 or against the bytes themselves, which tells damage from a bad line.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    Client::from_conf(builder.build())
}
