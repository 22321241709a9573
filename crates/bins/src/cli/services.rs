//! The programs that each run one part: `ingest`, `notifier`, `reconciler`.

use std::time::Duration;

use clap::Parser;

use super::{Common, version};
use crate::config::{Overrides, parse_duration, write_duration};

const EXITS: &str = "\
Exit codes:
  0  done, or stopped by a signal after the work in flight was handed back
  1  something went wrong
  2  the command line or the configuration is wrong; nothing was done";

/// Works on queued requests: reads layers once, assesses, delivers reports.
#[derive(Debug, Parser)]
#[command(name = "ingest", version = version(), after_help = EXITS, max_term_width = 110)]
pub struct IngestCli {
    /// What every program takes.
    #[command(flatten)]
    pub common: Common,
    /// Ask the program that runs here with this configuration whether it is alive, and leave: for health checks
    #[arg(long)]
    pub healthy: bool,
}

/// Follows what the scanner learns, and queues the images that it affects; wakes those whose wait is over.
#[derive(Debug, Parser)]
#[command(name = "notifier", version = version(), after_help = EXITS, max_term_width = 110)]
pub struct NotifierCli {
    /// What every program takes.
    #[command(flatten)]
    pub common: Common,
    /// Follow the feed to its end once, wake what is due, and leave
    #[arg(long)]
    pub once: bool,
    /// Ask the program that runs here with this configuration whether it is alive, and leave: for health checks
    #[arg(long, conflicts_with = "once")]
    pub healthy: bool,
}

/// Compares the registries with what is known, and queues what is missing.
#[derive(Debug, Parser)]
#[command(name = "reconciler", version = version(), after_help = EXITS, max_term_width = 110)]
pub struct ReconcilerCli {
    /// What every program takes.
    #[command(flatten)]
    pub common: Common,
    /// One round over every registry, and leave
    #[arg(long, conflicts_with = "every")]
    pub once: bool,
    /// How often to begin a round [config: reconcile.every]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub every: Option<Duration>,
    /// List what would be queued, and queue nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Ask the program that runs here with this configuration whether it is alive, and leave: for health checks
    #[arg(long, conflicts_with_all = ["once", "every", "dry_run"])]
    pub healthy: bool,
}

impl IngestCli {
    /// What the flags say about the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        self.common.overrides()
    }
}

impl NotifierCli {
    /// What the flags say about the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        self.common.overrides()
    }
}

impl ReconcilerCli {
    /// What the flags say about the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.common.overrides();
        if let Some(every) = self.every {
            overrides.give("reconcile.every", write_duration(every), "--every");
        }
        overrides
    }
}
