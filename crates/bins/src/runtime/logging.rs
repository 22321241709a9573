//! Structured logs on the standard error.

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let harmless = filter_fn(|metadata| !tells_answers(metadata));
    // A second one in the same process (two programs in one test) changes nothing.
    let _ = match log.format {
        LogFormat::Text => logs.with_target(false).with_ansi(false).finish().with(harmless).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).finish().with(harmless).try_init(),
    };
    Ok(())
}

/// At its finest the AWS SDK prints whole answers, with tokens and with addresses that are signed: no level of ours asks
/// for those.
fn tells_answers(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("aws_") && *metadata.level() == Level::TRACE
}
