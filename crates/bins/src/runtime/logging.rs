//! Structured logs on the standard error.

use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::{Log, LogFormat};

/// Sends logs to the standard error. Once a process.
///
/// # Errors
/// Where the level cannot be read.
pub fn log_to_stderr(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| Failure::usage(format!("log.level `{}` is no filter: {error}", log.level)))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second one in the same process (two programs in one test) changes nothing.
    let _ = match log.format {
        LogFormat::Text => logs.with_target(false).with_ansi(false).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    Ok(())
}
