//! Commands that look after advisories.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::Format;

const ADVISORIES_HELP: &str = "\
Advisories come from advisories.sources (OSV's public exports, if nobody names others) and are kept in advisories.folder. Nobody has
to run these commands: `scan` and the services fetch what images need by themselves.

Examples:
  cve-monitor advisories update                  bring everything that is here up to date
  cve-monitor advisories update Debian npm       have these at hand, before the network goes
  cve-monitor advisories list
  cve-monitor advisories export bundle.tar       on a machine with a network
  cve-monitor advisories import bundle.tar       on one without; then `scan --offline`, or set advisories.offline = true";

/// Bring advisories in, list what is there, carry it to where no network is.
#[derive(Debug, Args)]
#[command(after_help = ADVISORIES_HELP)]
pub struct AdvisoriesCommand {
    /// What to do
    #[command(subcommand)]
    pub command: AdvisoriesAction,
}

/// What can be done about advisories.
#[derive(Debug, Subcommand)]
pub enum AdvisoriesAction {
    /// Ask the sources now, and put what they have in use
    ///
    /// A source that cannot be read, or that has shrunk suspiciously, is refused: what was there stays in use.
    Update {
        /// Ask for these only, by the names of OSV's exports, such as Debian, "Red Hat", npm, crates.io [default: all
        /// that are here, and those that any image needed that was looked at]
        #[arg(value_name = "ECOSYSTEM")]
        ecosystems: Vec<String>,
        /// How to print what is there afterwards
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List sources and ecosystems: how many records, how new, and when the mirror was last asked
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write what is kept of mirrors into one file, with a manifest and hashes, to be carried elsewhere
    ///
    /// Folders and .zip files among the sources are left out: they are files already.
    Export {
        /// The file; one that is there is replaced
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take over such a file and put it in use, without asking any mirror
    ///
    /// Everything in it is verified first: of a damaged or truncated file nothing is used, and what was there stays.
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
