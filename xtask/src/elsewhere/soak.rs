//! The programs under real faults on real backends, for as long as is asked for.

use std::path::Path;
use std::process::Command;

use clap::Args;

/// How long, and which faults.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// How long things happen on each backend, in minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// What happens
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Only on backends whose name holds this: `one_machine`, `aws`
    #[arg(long)]
    on: Option<String>,
}

/// Runs it in release; true where nothing was lost.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<bool, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--release", "--locked", "--package", "cve-monitor-bins", "--test", "soak", "--"]);
    cargo.args(wanted.on.as_deref()).arg("--nocapture").current_dir(root);
    cargo.env("CVE_MONITOR_SOAK_SECONDS", (wanted.minutes * 60).to_string());
    cargo.env("CVE_MONITOR_SOAK_SEED", wanted.seed.to_string());
    let status = cargo.status().map_err(|error| format!("cargo could not be started: {error}"))?;
    Ok(status.success())
}
