//! What the adapters and the programs read: events, notifications, configurations, reports for people.

use std::path::PathBuf;
use std::sync::OnceLock;

use cve_monitor_adapters::aws::ecr_event as eventbridge;
use cve_monitor_adapters::clair::{v2, v4};
use cve_monitor_adapters::oci::{self, ImageSource};
use cve_monitor_bins::config::{Overrides, Variables, load_with};
use cve_monitor_bins::present::ReportView;
use cve_monitor_core::vocabulary::RegistryName;
use tempfile::TempDir;

pub(crate) fn image_config(bytes: &[u8]) {
    if let Ok(config) = oci::image_config::parse(bytes)
        && let Some(platform) = config.platform
    {
        assert!(!platform.os.is_empty() && !platform.architecture.is_empty());
    }
}

/// A notification of a registry, one of Clair 4, one of Clair 2.
pub(crate) fn notification(bytes: &[u8]) {
    static NAME: OnceLock<RegistryName> = OnceLock::new();
    let name = NAME.get_or_init(|| "fuzzed".parse().expect("a name"));
    let _ = oci::notification::parse(bytes, name);
    let _ = v4::parse_bell(bytes);
    if let Ok(name) = v2::notification_name(bytes) {
        assert!(!name.is_empty());
    }
}

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

/// Where an image is, as somebody writes it.
pub(crate) fn source(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = text.parse::<ImageSource>() {
        assert!(!error.to_string().is_empty());
    }
}

pub(crate) fn config(bytes: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
    let file: PathBuf = folder.join("cve-monitor.toml");
    std::fs::write(&file, bytes).expect("the file can be written");
    let overrides = Overrides { file: Some(file), settings: vec![] };
    if let Err(error) = load_with(&overrides, &Variables::of(&[]), folder) {
        assert!(!error.to_string().is_empty());
    }
}
