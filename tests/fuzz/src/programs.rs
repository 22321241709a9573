//! What the programs and the adapters of AWS read: events of EventBridge, configurations, reports for people.

use cve_monitor_adapters::aws::ecr_event as eventbridge;
use cve_monitor_bins::config::{Overrides, Variables, load_with};
use cve_monitor_bins::present::ReportView;

/// What EventBridge puts into a queue.
pub(crate) fn ecr_event(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if eventbridge::is_event(&text) {
        let _ = eventbridge::read(&text);
    }
}

/// The archive's bodies, as people see them.
pub(crate) fn report_view(bytes: &[u8]) {
    if let Err(problem) = ReportView::parse(bytes) {
        assert!(!problem.is_empty());
    }
}

pub(crate) fn config(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cve-monitor.toml");
    std::fs::write(&file, bytes).expect("the file can be written");
    let overrides = Overrides { file: Some(file), settings: vec![] };
    if let Err(error) = load_with(&overrides, &Variables::of(&[]), folder.path()) {
        assert!(!error.to_string().is_empty());
    }
}
