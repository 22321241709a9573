//! The commands of `cve-monitor`: what each does once its line has been read.

mod advisories;
mod aws;
mod database;
mod questions;
mod queue;
mod reconcile;
mod scan;
mod services;
mod settings;

use std::io::{self, Write as _};

use serde::Serialize;

use crate::cli::{Cli, Command, Format};
use crate::config::{self, Loaded, Overrides};
use crate::present;
use crate::runtime::{Failure, log_to_stderr};

pub use services::{ingest, notifier, reconciler};

/// Does what the line asks for; the exit code.
///
/// # Errors
/// Where it could not be done.
pub async fn perform(cli: Cli) -> Result<u8, Failure> {
    match &cli.command {
        Command::Completions(asked) => return settings::completions(asked),
        Command::Config(asked) => return settings::config(&cli, asked),
        _ => {}
    }
    let loaded = load(&cli)?;
    match cli.command {
        Command::Scan(asked) => scan::scan(&loaded, &asked).await,
        Command::Inventory(asked) => scan::inventory(&loaded, &asked).await,
        Command::Advisories(asked) => advisories::advisories(&loaded, &asked.command).await,
        Command::Watch(asked) => services::watch(&loaded, &asked).await,
        Command::Healthy => services::watch_healthy(&loaded).await,
        Command::Reconcile(asked) => reconcile::reconcile(&loaded, &asked).await,
        Command::Coverage(asked) => questions::coverage(&loaded, &asked).await,
        Command::History(asked) => questions::history(&loaded, &asked).await,
        Command::Affected(asked) => questions::affected(&loaded, &asked).await,
        Command::Tags(asked) => questions::tags(&loaded, &asked).await,
        Command::Report(asked) => questions::report(&loaded, &asked).await,
        Command::Queue(asked) => queue::queue(&loaded, &asked).await,
        Command::Rebuild(asked) => database::rebuild(&loaded, &asked).await,
        Command::Db(asked) => database::db(&loaded, &asked).await,
        Command::Aws(asked) => aws::aws(&loaded, &asked.command).await,
        Command::Config(_) | Command::Completions(_) => Ok(crate::cli::EXIT_OK),
    }
}

fn load(cli: &Cli) -> Result<Loaded, Failure> {
    started(&cli.overrides())
}

/// The configuration, with logs on their way.
fn started(overrides: &Overrides) -> Result<Loaded, Failure> {
    let loaded = config::load(overrides)?;
    log_to_stderr(&loaded.config.log)?;
    Ok(loaded)
}

/// Prints an answer. Who reads it may have seen enough, as `head` does: that is no failure.
fn put(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure::of(format!("the answer cannot be written: {error}"))),
    }
}

/// Prints rows: as lines of JSON, or as the text that people read.
fn print_rows<T: Serialize>(
    format: Format,
    rows: &[T],
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    put(&match format {
        Format::Json => present::json_lines(rows).map_err(Failure::of)?,
        Format::Table => text(),
    })
}
