//! How the store grows in a year: an example of the adapters.

use std::path::Path;

use clap::Args;

use super::{cargo, not_started};

/// For how long.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Days of the simulated registry
    #[arg(long, default_value_t = 365)]
    days: u64,
}

pub(super) fn run(root: &Path, wanted: &Wanted) -> Result<bool, String> {
    let arguments = ["--package", "cve-monitor-adapters", "--example", "growth", "--"];
    let days = wanted.days.to_string();
    let status = cargo(root, "run").args(arguments).arg(days).status().map_err(not_started)?;
    Ok(status.success())
}
