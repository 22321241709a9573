//! Receives pushes, refreshes the advisories and follows what has changed, until a signal.

use std::process::ExitCode;

use clap::Parser as _;
use cve_monitor_bins::cli::NotifierCli;
use cve_monitor_bins::{command, runtime};

fn main() -> ExitCode {
    let cli = NotifierCli::parse();
    runtime::run(command::notifier(cli))
}
