//! Works through the queue until a signal.

use std::process::ExitCode;

use clap::Parser as _;
use cve_monitor_bins::cli::IngestCli;
use cve_monitor_bins::{command, runtime};

fn main() -> ExitCode {
    let cli = IngestCli::parse();
    runtime::run(command::ingest(cli))
}
