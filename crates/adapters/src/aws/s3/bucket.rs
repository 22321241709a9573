//! Objects of one bucket, and what their failures mean.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::S3Settings;
use crate::aws::backoff::Backoff;
use crate::aws::quiet::Quiet;
use crate::aws::trouble::{Kind, Trouble, trouble};
use crate::lake::Entry;

/// How often an upload that met another one of the same key is tried again.
const CONFLICT_ATTEMPTS: u32 = 4;
/// The longest wait before the first of these.
const CONFLICT_BASE: Duration = Duration::from_millis(50);
/// The longest wait before any of them.
const CONFLICT_CAP: Duration = Duration::from_secs(1);

/// The code with which S3 answers one of several uploads of a key at a time (409; user guide, "Conditional writes").
const CONFLICT: &str = "ConditionalRequestConflict";
/// The code for a condition that does not hold (412).
const PRECONDITION: &str = "PreconditionFailed";

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    client: Quiet<Client>,
    settings: S3Settings,
}

/// What a call came to that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Try again.
    Transient(String),
    /// Trying again will not help.
    Permanent(String),
}

/// What became of an upload that replaces nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// The object is there now.
    Written,
    /// An object was there.
    Occupied,
}

/// What lies under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// These bytes.
    Bytes(Bytes),
    /// More than anybody put there.
    TooLong,
    /// Nothing.
    Nothing,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, settings: S3Settings) -> Self {
        Self { client: Quiet(super::client(config)), settings }
    }

    /// Writes an object, whatever was there.
    pub(super) async fn put(&self, key: &str, kind: &str, body: Bytes) -> Result<(), Failure> {
        let sent = self.upload(key, kind, body).send().await;
        sent.map(drop).map_err(|error| self.failed(&trouble("PutObject", &error)))
    }

    /// Writes an object where none is there.
    pub(super) async fn put_new(&self, key: &str, kind: &str, body: Bytes) -> Result<Placed, Failure> {
        let mut backoff = Backoff::new(CONFLICT_BASE, CONFLICT_CAP, CONFLICT_ATTEMPTS);
        loop {
            let sent = self.upload(key, kind, body.clone()).if_none_match("*").send().await;
            let problem = match sent {
                Ok(_) => return Ok(Placed::Written),
                Err(error) => trouble("PutObject", &error),
            };
            match problem.code.as_str() {
                PRECONDITION => return Ok(Placed::Occupied),
                CONFLICT => match backoff.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(Failure::Transient(self.said(&problem))),
                },
                _ => return Err(self.failed(&problem)),
            }
        }
    }

    fn upload(&self, key: &str, kind: &str, body: Bytes) -> PutObjectFluentBuilder {
        let upload = self.client.put_object().bucket(&self.settings.bucket).key(key).content_type(kind);
        let upload = upload.body(ByteStream::from(body));
        match &self.settings.kms_key {
            None => upload,
            Some(key) => upload
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key)
                // One call of KMS for many objects.
                .bucket_key_enabled(true),
        }
    }

    /// Reads an object of at most so many bytes.
    pub(super) async fn get(&self, key: &str, most: usize) -> Result<Found, Failure> {
        let asked = self.client.get_object().bucket(&self.settings.bucket).key(key).send().await;
        let object = match asked {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(self.failed(&trouble("GetObject", &error))),
        };
        if object.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |l| l > most)) {
            return Ok(Found::TooLong);
        }
        // Bounded while it is read: what stands in for S3 need not announce a length.
        let read = at_most(object.body.into_async_read(), most).await;
        let bucket = &self.settings.bucket;
        let read = read.map_err(|error| {
            Failure::Transient(format!("an object of the bucket `{bucket}` broke off: {error}"))
        });
        Ok(read?.map_or(Found::TooLong, Found::Bytes))
    }

    /// Begins to read an object, however long it is; none where there is none.
    pub(super) async fn stream(&self, key: &str) -> Result<Option<ByteStream>, Failure> {
        match self.client.get_object().bucket(&self.settings.bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.body)),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(self.failed(&trouble("GetObject", &error))),
        }
    }

    /// What lies right under a prefix that ends with `/` (or is empty), page by page; with where to go on, if there is more.
    pub(super) async fn page(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> Result<(Vec<Entry>, Option<String>), Failure> {
        let asked = self.client.list_objects_v2().bucket(&self.settings.bucket);
        let asked = asked.prefix(prefix).delimiter("/").set_continuation_token(after).send().await;
        // Named as the right is that it takes.
        let page = asked.map_err(|error| self.failed(&trouble("ListBucket", &error)))?;
        let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
        let folders = folders.map(|key| Entry::Folder(key.trim_end_matches('/').to_owned()));
        let objects = page.contents().iter().filter_map(|object| object.key());
        // A key that ends with `/` is what consoles make for an empty folder.
        let objects = objects.filter(|key| !key.ends_with('/')).map(|key| Entry::Object(key.to_owned()));
        let next = page.next_continuation_token().filter(|_| page.is_truncated() == Some(true));
        Ok((folders.chain(objects).collect(), next.map(str::to_owned)))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.settings.bucket
    }

    /// Removes an object, if there is one.
    pub(super) async fn remove(&self, key: &str) -> Result<(), Failure> {
        let sent = self.client.delete_object().bucket(&self.settings.bucket).key(key).send().await;
        sent.map(drop).map_err(|error| self.failed(&trouble("DeleteObject", &error)))
    }

    fn failed(&self, problem: &Trouble) -> Failure {
        let said = self.said(problem);
        match (problem.kind, problem.code.as_str()) {
            (Kind::Throttled | Kind::Transient, _) => Failure::Transient(said),
            // Somebody will allow it, or has just done so: IAM takes its time to tell all of AWS.
            (Kind::Denied, _) => Failure::Transient(format!(
                "{said}; allow this program's role s3:{} there, s3:ListBucket on the bucket, and kms:GenerateDataKey and \
                 kms:Decrypt on the key that objects are encrypted with",
                problem.operation
            )),
            (Kind::Refused, "NoSuchBucket") => Failure::Permanent(format!(
                "{said}; make it (`cve-monitor aws init`, or terraform), or name another"
            )),
            (Kind::Refused, _) => Failure::Permanent(said),
        }
    }

    fn said(&self, problem: &Trouble) -> String {
        format!("the bucket `{}`: {problem}", self.settings.bucket)
    }
}

/// The bytes of a body; none where there are more.
async fn at_most(body: impl AsyncRead + Unpin, most: usize) -> std::io::Result<Option<Bytes>> {
    let mut bytes = vec![];
    body.take(most as u64 + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() <= most).then(|| bytes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_bounded_while_it_is_read() {
        assert_eq!(at_most(&b"1234567"[..], 7).await.unwrap().as_deref(), Some(&b"1234567"[..]));
        assert_eq!(at_most(&b"1234567"[..], 6).await.unwrap(), None);
        assert_eq!(at_most(tokio::io::repeat(b'x'), 6).await.unwrap(), None);
    }
}
