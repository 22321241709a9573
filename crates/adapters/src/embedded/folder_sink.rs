//! Reports in a folder, under the keys that they would have in a bucket.

mod place;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use cve_monitor_core::ports::{MAX_BODY_BYTES, ReportObject, ReportSink, SinkError};

/// The longest name of a sink, in bytes.
const MAX_NAME_BYTES: usize = 32;
/// The longest id of a report that becomes a file's name, in bytes.
const MAX_ID_BYTES: usize = 128;
/// The name under which `Delivered` events remember the sink, unless it is given another.
const DEFAULT_NAME: &str = "folder";

/// A [`ReportSink`] in a folder: `year=YYYY/month=MM/day=DD/<id>.json` from its root, one line of JSON and a line end.
///
/// A file is written whole under a hidden name beside its place (`.….tmp`), made durable, and only then given its name,
/// which never replaces another. A hidden file that a crash leaves behind is no report and stands in nobody's way.
#[derive(Debug, Clone)]
pub struct FolderSink {
    name: String,
    root: PathBuf,
}

impl FolderSink {
    /// The sink `folder` under this root, which must exist.
    ///
    /// # Errors
    /// Where the root is not a folder.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, SinkError> {
        Self::named(DEFAULT_NAME, root)
    }

    /// A sink under another name: two folders are two sinks.
    ///
    /// # Errors
    /// Where the root is not a folder, or the name is empty or longer than 32 bytes.
    pub fn named(name: &str, root: impl AsRef<Path>) -> Result<Self, SinkError> {
        let root = root.as_ref();
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(SinkError::Permanent(format!(
                "`{name}` does not name a sink: from 1 to {MAX_NAME_BYTES} bytes are taken"
            )));
        }
        if !root.is_dir() {
            return Err(SinkError::Permanent(format!("{} is not a folder: make it first", root.display())));
        }
        Ok(Self { name: name.to_owned(), root: root.to_owned() })
    }
}

fn check(report: &ReportObject) -> Result<(), SinkError> {
    let id = &report.id.0;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(plain) {
        let shown: String = id.chars().take(MAX_ID_BYTES).collect();
        return Err(SinkError::Permanent(format!("the report id `{shown}` cannot name a file")));
    }
    if report.body.len() > MAX_BODY_BYTES {
        let length = report.body.len();
        return Err(SinkError::Permanent(format!(
            "report {id} has {length} bytes; at most {MAX_BODY_BYTES} are taken"
        )));
    }
    if report.body.contains(&b'\n') {
        return Err(SinkError::Permanent(format!("report {id} is not one line")));
    }
    Ok(())
}

#[async_trait]
impl ReportSink for FolderSink {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        check(report)?;
        let (root, key, id) = (self.root.clone(), report.key(), report.id.0.clone());
        let mut line = Vec::with_capacity(report.body.len() + 1);
        line.extend_from_slice(&report.body);
        line.push(b'\n');
        let placed = tokio::task::spawn_blocking(move || place::place(&root, &key, &id, &line));
        placed
            .await
            .unwrap_or_else(|error| Err(SinkError::Transient(format!("the delivery broke off: {error}"))))
    }
}
