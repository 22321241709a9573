//! `report`: questions to the lake of reports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::lake::{Day, Question};

/// After how many days without a report an image is stale, unless that is said.
const STALE_DAYS: &str = "30";

const REPORT_HELP: &str = "\
The questions are the named queries that terraform gives to Athena, under the same names and with the same columns; --sql
prints them. Deleted images stay in the lake: `coverage` and `affected` ask the registry and the store instead.
What cannot be read is named on standard error, and the exit code is then 1: the answer is not whole.

Examples:
  cve-monitor report critical
  cve-monitor report new --since 2026-02-01 --format csv
  cve-monitor report where CVE-2025-5278 --folder /srv/reports
  cve-monitor report trend --sql                 for Athena or Trino";

/// Ask the lake of reports, in a folder or a bucket.
#[derive(Debug, Args)]
#[command(after_help = REPORT_HELP)]
pub struct Report {
    /// The question
    #[command(subcommand)]
    pub question: ReportQuestion,
    /// Reports in this folder [default: where the configured reports go]
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "bucket")]
    pub folder: Option<PathBuf>,
    /// Reports in this bucket of S3
    #[arg(long, global = true, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Count reports of this day (UTC) and later [default: new: the day before --until; time-to-report, trend: 30 days;
    /// otherwise: all that there are]
    #[arg(long, global = true, value_name = "YYYY-MM-DD")]
    pub since: Option<Day>,
    /// Count reports up to this day (UTC): answer as of then [default: today]
    #[arg(long, global = true, value_name = "YYYY-MM-DD")]
    pub until: Option<Day>,
    /// How to print
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: RowFormat,
    /// Print the question in SQL instead, as Athena and Trino understand it
    #[arg(long, global = true)]
    pub sql: bool,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ReportQuestion {
    /// Images with a critical finding: of each image, its newest report decides
    Critical,
    /// What reports found that the report before them had not
    New,
    /// Where a vulnerability is, with tags: of each image, its newest report decides
    Where {
        /// The CVE, an alias, or the id of an advisory
        #[arg(value_name = "CVE")]
        cve: String,
    },
    /// From advisory to report, at least: how old the ecosystem's newest advisory was when something new was reported
    TimeToReport,
    /// Images whose newest report is old: nothing changed, or nobody looked
    Stale {
        /// How old, in days
        #[arg(long, value_name = "DAYS", default_value = STALE_DAYS, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Findings by day, repository and severity: of each image, its newest report up to that day
    Trend,
    /// Images that were not looked at completely, and why: of each image, its newest report decides
    Incomplete,
}

impl ReportQuestion {
    /// The question, as the lake has it.
    #[must_use]
    pub fn question(&self) -> Question {
        match self {
            Self::Critical => Question::Critical,
            Self::New => Question::New,
            Self::Where { .. } => Question::Where,
            Self::TimeToReport => Question::TimeToReport,
            Self::Stale { .. } => Question::Stale,
            Self::Trend => Question::Trend,
            Self::Incomplete => Question::Incomplete,
        }
    }
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RowFormat {
    /// For people
    #[default]
    Table,
    /// An object a line
    Json,
    /// With a line of names
    Csv,
}
