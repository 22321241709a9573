//! Where reports are delivered to.

use std::sync::Arc;

use cve_monitor_adapters::aws::s3::S3Sink;
use cve_monitor_adapters::embedded::FolderSink;
use cve_monitor_core::ports::ReportSink;

use super::super::aws::Aws;
use super::super::{WiringError, folder};
use super::store::bucket;
use crate::config::Reports;

pub(in super::super) async fn sink(
    settings: &Reports,
    aws: &Aws,
) -> Result<Arc<dyn ReportSink>, WiringError> {
    match settings {
        Reports::Folder(path) => {
            folder(path)?;
            Ok(Arc::new(FolderSink::open(path).map_err(WiringError::of)?))
        }
        Reports::S3(settings) => Ok(Arc::new(S3Sink::new(aws.in_region().await?, bucket(settings)))),
    }
}
