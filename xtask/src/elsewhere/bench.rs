//! The benchmarks: figures for people, from one run on this machine.

mod advisories;
mod child;
mod inventory;
mod layout;
mod scanner;

use std::path::Path;
use std::process::Command;

use clap::Subcommand;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// The pipeline, from the queue to delivered reports: `target/bench/figures.json`
    Pipeline,
    /// The scanner: images beside syft, layers beside inflating them alone, the advisory database:
    /// `target/bench/scanner.json`
    Scanner(scanner::Wanted),
}

/// Runs it in release; the table is its output, the file under `target/bench` its record.
pub(crate) fn run(root: &Path, what: Option<What>) -> Result<bool, String> {
    match what.unwrap_or(What::Pipeline) {
        What::Pipeline => pipeline(root),
        What::Scanner(wanted) => scanner::run(root, &wanted).map(|()| true),
    }
}

fn pipeline(root: &Path) -> Result<bool, String> {
    let arguments = ["--package", "cve-monitor-adapters", "--example", "bench", "--", "examples"];
    let status = cargo(root, "run").args(arguments).status().map_err(not_started)?;
    Ok(status.success())
}

/// Builds these in release.
fn build(root: &Path, targets: &[&str]) -> Result<(), String> {
    let status = cargo(root, "build").args(targets).status().map_err(not_started)?;
    if status.success() { Ok(()) } else { Err("the build failed".to_owned()) }
}

fn cargo(root: &Path, chore: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([chore, "--release", "--locked"]).current_dir(root);
    cargo
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn not_started(error: std::io::Error) -> String {
    format!("cargo could not be started: {error}")
}
