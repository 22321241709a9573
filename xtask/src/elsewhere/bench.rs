//! The benchmark: figures for people, from one run on this machine.

use std::path::Path;
use std::process::Command;

/// Runs it in release; the table is its output, `target/bench/figures.json` its record.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "run",
            "--release",
            "--locked",
            "--package",
            "cve-monitor-adapters",
            "--example",
            "bench",
            "--",
            "examples",
        ])
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    Ok(status.success())
}
