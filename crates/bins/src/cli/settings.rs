//! Commands that look after the installation: what can be rebuilt, the store, the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::values::Format;

/// Make again, from the events, what was lost.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// What to make again
    #[arg(value_enum)]
    pub what: RebuildWhat,
}

/// What can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RebuildWhat {
    /// Which images have which layers
    Index,
    /// The states of the images
    Heads,
    /// The delivered reports, out of the archive
    Lake,
}

const DB_HELP: &str = "\
Examples:
  cve-monitor db stats
  cve-monitor db backup /backup/state.db       a copy in one consistent state, while all goes on
  cve-monitor db prune                         remove what [retention] no longer keeps";

/// Look after the store.
#[derive(Debug, Args)]
#[command(after_help = DB_HELP)]
pub struct Db {
    /// What to do
    #[command(subcommand)]
    pub command: DbCommand,
}

/// What can be done about the store.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Show what is in it
    Stats {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Copy it while it is in use
    Backup {
        /// The new file
        #[arg(value_name = "PATH")]
        path: PathBuf,
    },
    /// Remove what is older than `retention` keeps
    Prune,
}

const CONFIG_HELP: &str = "\
Examples:
  cve-monitor config init
  cve-monitor config show                      every value with where it comes from; secrets masked
  cve-monitor config check                     every problem at once; exit 2 where there is one";

/// Write, show or check the configuration.
#[derive(Debug, Args)]
#[command(after_help = CONFIG_HELP)]
pub struct ConfigCommand {
    /// What to do
    #[command(subcommand)]
    pub command: ConfigAction,
}

/// What can be done about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Write a commented file; never over one that is there
    Init {
        /// Where [default: ./cve-monitor.toml]
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
    /// Print every value with its origin, secrets masked
    Show,
    /// Say whether the configuration holds, with every problem at once
    Check,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
