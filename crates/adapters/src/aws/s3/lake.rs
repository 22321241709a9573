//! Reports in a bucket, for those who read them.

use aws_config::SdkConfig;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};

use super::S3Settings;
use super::bucket::{Bucket, Failure};
use crate::lake::{Body, Entry, LakeError};

/// Reads what a [`super::S3Sink`] writes. A page of a thousand names costs a LIST ($5 a million), a report a GET.
#[derive(Debug, Clone)]
pub struct S3Lake {
    bucket: Bucket,
}

impl S3Lake {
    /// The reports in this bucket.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: S3Settings) -> Self {
        Self { bucket: Bucket::new(config, settings) }
    }

    /// What lies right under a folder of it (`""` is the root), sorted. One that is not there has nothing in it.
    #[must_use]
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry, LakeError>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let begin = (self.bucket.clone(), Some(None));
        let pages = stream::try_unfold(begin, move |(bucket, next): (Bucket, Option<Option<String>>)| {
            let prefix = prefix.clone();
            async move {
                let Some(token) = next else { return Ok(None) };
                // The SDK's futures are nested so deep that a compiler gives up on those that hold them.
                let (entries, next) = bucket.page(&prefix, token).boxed().await?;
                Ok::<_, LakeError>(Some((
                    stream::iter(entries.into_iter().map(Ok)),
                    (bucket, next.map(Some)),
                )))
            }
        });
        pages.try_flatten().boxed()
    }

    /// Begins to read an object; none where it is not there any more.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn read(&self, key: &str) -> Result<Option<Body>, LakeError> {
        let body = self.bucket.stream(key).boxed().await?;
        Ok(body.map(|body| Box::pin(body.into_async_read()) as Body))
    }

    /// Where an object lies, for people.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket.name())
    }
}

impl From<Failure> for LakeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient(problem) | Failure::Permanent(problem) => Self(problem),
        }
    }
}
