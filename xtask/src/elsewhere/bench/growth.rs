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
    /// How many images it has at a time; a tenth of them come and go each day
    #[arg(long, default_value_t = 1000)]
    live: u64,
}

pub(super) fn run(root: &Path, wanted: &Wanted) -> Result<bool, String> {
    let arguments = ["--package", "cve-monitor-adapters", "--example", "growth", "--"];
    let how_much = [wanted.days, wanted.live].map(|number| number.to_string());
    let status = cargo(root, "run").args(arguments).args(how_much).status().map_err(not_started)?;
    Ok(status.success())
}
