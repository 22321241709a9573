//! The command lines of the programs.

mod advisories;
mod aws;
mod questions;
mod report;
mod scan;
mod services;
mod settings;
mod values;
mod version;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::config::{LogFormat, Override, Overrides};

pub use advisories::{AdvisoriesAction, AdvisoriesCommand};
pub use aws::{AwsAction, AwsCommand};
pub use questions::{Affected, Coverage, History, Queue, QueueCommand, Tags};
pub use report::{Report, ReportQuestion, RowFormat};
pub use scan::{Inventory, InventoryFormat, Reconcile, Scan, Watch};
pub use services::{IngestCli, NotifierCli, ReconcilerCli};
pub use settings::{Completions, ConfigAction, ConfigCommand, Db, DbCommand, Rebuild, RebuildWhat};
pub use values::{Format, SeverityFilter};
pub use version::version;

/// Done.
pub const EXIT_OK: u8 = 0;
/// Something went wrong.
pub const EXIT_ERROR: u8 = 1;
/// The command line or the configuration is wrong; nothing was done.
pub const EXIT_USAGE: u8 = 2;
/// `scan --fail-on` found what it was asked to fail on.
pub const EXIT_FAIL_ON: u8 = 3;
/// `scan --fail-on` or `--fail-on-incomplete`: nothing to fail on was found, but the look was not complete.
pub const EXIT_INCOMPLETE: u8 = 4;

const PROGRAM_HELP: &str = "\
Examples:
  cve-monitor scan debian:12                     look into one image
  cve-monitor scan --fail-on high app:v1         in a pipeline: exit 3 on high or critical
  cve-monitor config init                        write a configuration to start from
  cve-monitor watch                              look after the configured registries
  cve-monitor affected CVE-2024-56406            which images have it

Exit codes:
  0  done
  1  something went wrong
  2  the command line or the configuration is wrong; nothing was done
  3  scan: what --fail-on names was found
  4  scan: with --fail-on or --fail-on-incomplete, the look was not complete";

/// Scans every container image that is pushed, and tells at once when a new CVE affects a known one.
#[derive(Debug, Parser)]
#[command(name = "cve-monitor", version = version(), after_help = PROGRAM_HELP, max_term_width = 110)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// The configuration file [default: $CVE_MONITOR_CONFIG, ./cve-monitor.toml,
    /// ~/.config/cve-monitor/config.toml, /etc/cve-monitor/config.toml; the first that is there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// Set a key of the configuration, as in --set ingest.concurrency=8; wins over the file and the environment
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = values::assignment, help_heading = "Common options")]
    pub set: Vec<(String, String)>,
    /// How log lines on standard error look
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Common options")]
    pub log_format: Option<LogFormat>,
    /// Log more: -v debug, -vv trace
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
}

impl Common {
    /// What these flags say about the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let mut overrides = Overrides { file: self.config.clone(), settings: vec![] };
        for (key, value) in &self.set {
            overrides.give(key, value.clone(), "--set");
        }
        let format = self.log_format.map(|format| match format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        });
        if let Some(format) = format {
            overrides.give("log.format", format.to_owned(), "--log-format");
        }
        match self.verbose {
            0 => {}
            1 => overrides.give("log.level", "debug".to_owned(), "-v"),
            _ => overrides.give("log.level", "trace".to_owned(), "-vv"),
        }
        overrides
    }
}

impl Overrides {
    fn give(&mut self, key: &str, value: String, flag: &str) {
        self.settings.push(Override { key: key.to_owned(), value, flag: flag.to_owned() });
    }
}

/// What `cve-monitor` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look into images and print what is found
    Scan(Scan),
    /// List what is in an image: packages, as a table, JSON, CycloneDX or SPDX
    Inventory(Inventory),
    /// Bring advisories in, list what is there, carry it to where no network is
    Advisories(AdvisoriesCommand),
    /// Look after the configured registries: receive notifications, scan, follow new advisories
    Watch(Watch),
    /// Ask the `watch` that runs here with this configuration whether it is alive: for health checks
    Healthy,
    /// Compare the registries with what is known, and queue what is missing
    Reconcile(Reconcile),
    /// Show which images are covered, and which are not
    Coverage(Coverage),
    /// Show what was known about an image, and when
    History(History),
    /// List the images that a vulnerability affects
    Affected(Affected),
    /// Show the current tags of digests
    Tags(Tags),
    /// Ask the lake of reports: critical, new, where, time-to-report, stale, trend, incomplete
    Report(Report),
    /// Look at the queue and at what was given up
    Queue(Queue),
    /// Make again, from the events, what was lost
    Rebuild(Rebuild),
    /// Look after the store
    Db(Db),
    /// Create what the configuration names on AWS
    Aws(AwsCommand),
    /// Write, show or check the configuration
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions(Completions),
}

impl Cli {
    /// What the flags say about the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.common.overrides();
        if let Command::Watch(Watch { listen: Some(listen), .. }) = &self.command {
            overrides.give("watch.listen", listen.to_string(), "--listen");
        }
        overrides
    }
}

/// The completion script of `cve-monitor` for a shell.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cve-monitor", &mut script);
    script
}

#[cfg(test)]
mod tests;
