//! The only place that names both ports and adapters: settings become a system.

mod advisories;
mod aws;
mod bells;
mod one_scan;
mod pushes;
mod registries;
mod scanner;
mod scope;
mod storage;
mod system;

use std::fmt::Display;
use std::path::Path;

use cve_monitor_adapters::embedded::Database;

pub use advisories::{Lacking, Refreshed, Said, Stock, StockList, StockRow};
pub use aws::{Made, Resources};
pub use bells::{BellError, Bells};
pub use one_scan::{AsOfClock, Asked, OneScan};
pub use pushes::{PushError, Pushes};
pub use storage::Lake;
pub use system::System;

/// Why a system cannot be put together, or does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringError {
    problem: String,
    transient: bool,
}

impl WiringError {
    fn of(problem: impl Display) -> Self {
        Self { problem: problem.to_string(), transient: false }
    }

    fn away(problem: impl Display) -> Self {
        Self { problem: problem.to_string(), transient: true }
    }

    /// Whether it may go well later without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl Display for WiringError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

async fn open_database(path: &Path) -> Result<Database, WiringError> {
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    let path = path.to_owned();
    blocking(move || Database::open(&path).map_err(WiringError::of)).await
}

fn folder(path: &Path) -> Result<(), WiringError> {
    std::fs::create_dir_all(path)
        .map_err(|error| WiringError::of(format!("the folder {} cannot be made: {error}", path.display())))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WiringError> + Send + 'static,
) -> Result<T, WiringError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(WiringError::of(error)))
}
