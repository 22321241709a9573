//! The lake of reports, for those who read it: a folder or a bucket.

use cve_monitor_adapters::aws::s3::S3Lake;
use cve_monitor_adapters::embedded::FolderLake;
use cve_monitor_adapters::lake::{Body, Entry, LakeError};
use futures::FutureExt as _;
use futures::stream::BoxStream;

use super::super::WiringError;
use super::super::aws::Aws;
use super::store::bucket;
use crate::config::{self, Reports};

/// A lake of reports.
#[derive(Debug, Clone)]
pub enum Lake {
    /// In a folder.
    Folder(FolderLake),
    /// In a bucket of S3.
    Bucket(S3Lake),
}

impl Lake {
    /// The lake at this place.
    ///
    /// # Errors
    /// Where there is no such folder, or AWS cannot be reached for want of a region.
    pub async fn open(at: &Reports, aws: &config::Aws) -> Result<Self, WiringError> {
        match at {
            Reports::Folder(folder) => FolderLake::open(folder).map(Self::Folder).map_err(WiringError::of),
            Reports::S3(settings) => {
                let aws = Aws::new(aws.clone());
                Ok(Self::Bucket(S3Lake::new(aws.in_region().await?, bucket(settings))))
            }
        }
    }

    /// What lies right under a folder of it; `""` is the root.
    #[must_use]
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry, LakeError>> {
        match self {
            Self::Folder(lake) => lake.list(folder),
            Self::Bucket(lake) => lake.list(folder),
        }
    }

    /// Begins to read an object; none where it is not there any more.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn read(&self, key: &str) -> Result<Option<Body>, LakeError> {
        match self {
            Self::Folder(lake) => lake.read(key).await,
            Self::Bucket(lake) => lake.read(key).boxed().await,
        }
    }

    /// Where something lies, for people.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        match self {
            Self::Folder(lake) => lake.place(key),
            Self::Bucket(lake) => lake.place(key),
        }
    }
}
