//! Where reports are delivered to.

use std::sync::Arc;

use cve_monitor_adapters::embedded::FolderSink;
use cve_monitor_core::ports::ReportSink;

use super::super::{WiringError, folder};
use crate::config::Reports;

pub(in super::super) fn sink(settings: &Reports) -> Result<Arc<dyn ReportSink>, WiringError> {
    folder(&settings.folder)?;
    Ok(Arc::new(FolderSink::open(&settings.folder).map_err(WiringError::of)?))
}
