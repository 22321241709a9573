//! Commands that ask what is known; they change nothing, but for redriving.

use clap::{Args, Subcommand};
use cve_monitor_core::vocabulary::{Digest, RegistryName};

use super::values::Format;

const COVERAGE_HELP: &str = "\
A registry that cannot be listed is shown as unknown, never as covered.

Examples:
  cve-monitor coverage
  cve-monitor coverage --registry ghcr.io --all --format json";

/// Show which images are covered, and which are not.
#[derive(Debug, Args)]
#[command(after_help = COVERAGE_HELP)]
pub struct Coverage {
    /// Only these of the configured registries; repeatable
    #[arg(long, value_name = "NAME")]
    pub registry: Vec<RegistryName>,
    /// List every image, also those that are current
    #[arg(long)]
    pub all: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

const HISTORY_HELP: &str = "\
Examples:
  cve-monitor history registry.example/team/app:v1
  cve-monitor history registry.example/team/app@sha256:…";

/// Show what was known about an image, and when.
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub struct History {
    /// The image, by tag or digest
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

const AFFECTED_HELP: &str = "\
Examples:
  cve-monitor affected CVE-2024-56406
  cve-monitor affected DEBIAN-CVE-2024-56406 --format json";

/// List the images that a vulnerability affects.
#[derive(Debug, Args)]
#[command(after_help = AFFECTED_HELP)]
pub struct Affected {
    /// The CVE, an alias, or the id of an advisory
    #[arg(value_name = "CVE")]
    pub name: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Show the current tags of digests.
#[derive(Debug, Args)]
pub struct Tags {
    /// The digests of images or indexes
    #[arg(required = true, value_name = "DIGEST")]
    pub digests: Vec<Digest>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

const QUEUE_HELP: &str = "\
Examples:
  cve-monitor queue stats
  cve-monitor queue dead
  cve-monitor queue redrive --all";

/// Look at the queue and at what was given up.
#[derive(Debug, Args)]
#[command(after_help = QUEUE_HELP)]
pub struct Queue {
    /// What to do
    #[command(subcommand)]
    pub command: QueueCommand,
}

/// What can be done about the queue.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Count the messages of each lane
    Stats {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List the requests that were given up, with the reasons
    Dead {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Queue given-up requests again
    Redrive {
        /// The id of one, as `queue dead` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}
