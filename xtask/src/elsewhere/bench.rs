//! The benchmarks: figures for people, from one run on this machine.

mod advisories;
mod child;
mod growth;
mod inventory;
mod large;
mod layout;
mod page;
mod row;
mod scanner;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use self::large::Only;

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// How many images the made-up registry has
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    images: u64,
    /// This benchmark alone; repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<Only>,
    /// How many changes the fan-out looks for candidates of
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    changes: u64,
    /// Take the programs and examples of this folder, as cargo leaves them, and build none
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The scanner: images beside syft, layers beside inflating them alone, the advisory database:
    /// `target/bench/scanner.json`
    Scanner(scanner::Wanted),
    /// A year of a busy registry: what events, archive, index and folder take, with and without retention
    Growth(growth::Wanted),
}

/// Runs it in release; the table is its output, the files under `target/bench` its record.
pub(crate) fn run(root: &Path, asked: &Asked) -> Result<bool, String> {
    match &asked.what {
        Some(What::Scanner(wanted)) => scanner::run(root, wanted).map(|()| true),
        Some(What::Growth(wanted)) => growth::run(root, wanted),
        None => large::run(root, asked).map(|()| true),
    }
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
