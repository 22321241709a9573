//! Commands about AWS.

use clap::{Args, Subcommand};

const AWS_HELP: &str = "\
Examples:
  cve-monitor aws init --dry-run
  cve-monitor aws init                         for a trial; terraform/ has modules for real";

/// Look after what the configuration names on AWS.
#[derive(Debug, Args)]
#[command(after_help = AWS_HELP)]
pub struct AwsCommand {
    /// What to do
    #[command(subcommand)]
    pub command: AwsAction,
}

/// What can be done about AWS.
#[derive(Debug, Subcommand)]
pub enum AwsAction {
    /// Create the queues, tables and buckets that are missing
    Init {
        /// Print their names, and ask nobody
        #[arg(long)]
        dry_run: bool,
    },
}
