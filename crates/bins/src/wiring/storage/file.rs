//! The SQLite file, which is opened only where something is kept in it.

use std::path::PathBuf;

use cve_monitor_adapters::embedded::Database;
use tokio::sync::OnceCell;

use super::super::{WiringError, open_database};

/// Opened by the first who keeps something in it.
#[derive(Debug)]
pub(in super::super) struct StateFile {
    path: PathBuf,
    opened: OnceCell<Database>,
}

impl StateFile {
    pub(in super::super) fn at(path: PathBuf) -> Self {
        Self { path, opened: OnceCell::new() }
    }

    /// The file, made where it is missing.
    pub(in super::super) async fn database(&self) -> Result<Database, WiringError> {
        self.opened.get_or_try_init(|| open_database(&self.path)).await.cloned()
    }

    /// The file, if anybody keeps something in it.
    pub(in super::super) fn if_used(self) -> Option<Database> {
        self.opened.into_inner()
    }
}
