//! The simulation: many seeds, or the story of one.

use std::path::Path;
use std::process::Command;

use clap::Args;

/// How many seeds, of how many events, from which on.
#[derive(Debug, Args)]
pub(crate) struct Seeds {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// Events of each before its faults end.
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tell what happens, event by event.
    #[arg(long)]
    story: bool,
    /// Seeds played at a time; as many as there are cores if nobody says.
    #[arg(long)]
    jobs: Option<u64>,
}

/// Runs them in release; true where every one ends as it must.
pub(crate) fn run(root: &Path, wanted: &Seeds) -> Result<bool, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--release", "--locked", "--package", "cve-monitor-simulation", "--"]);
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = if wanted.story { 1 } else { wanted.jobs.unwrap_or_else(cores) };
    let numbers =
        [("--seeds", wanted.seeds), ("--events", wanted.events), ("--seed", wanted.seed), ("--jobs", jobs)];
    for (name, value) in numbers {
        cargo.args([name, &value.to_string()]);
    }
    cargo.args(wanted.story.then_some("--story")).current_dir(root);
    let status = cargo.status().map_err(|error| format!("cargo could not be started: {error}"))?;
    Ok(status.success())
}
