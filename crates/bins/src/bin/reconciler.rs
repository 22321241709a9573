//! Compares the registries with what is known: once, or on a schedule until a signal.

use std::process::ExitCode;

use clap::Parser as _;
use cve_monitor_bins::cli::ReconcilerCli;
use cve_monitor_bins::{command, runtime};

fn main() -> ExitCode {
    let cli = ReconcilerCli::parse();
    runtime::run(command::reconciler(cli))
}
