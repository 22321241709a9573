//! What a process is made of: a runtime, signals, logs, supervised tasks, an HTTP server.

mod failure;
mod health;
mod healthy;
mod http;
mod logging;
pub mod metrics;
mod service;
mod signal;
mod supervise;
mod tally;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

pub use failure::Failure;
pub use health::Health;
pub use healthy::healthy;
pub use http::{Bell, MAX_CONNECTIONS, MAX_REQUEST_BYTES, Pages, Server, Webhook};
pub use logging::log_to_stderr;
pub use service::{Duties, serve, tell_once};
pub use signal::stop_on_signal;
pub use supervise::{Supervisor, pause};
pub use tally::{Done, Tally};

/// How long work on blocking threads (an advisory import, say) may go on after everything else has ended. It is made
/// to be broken off.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs a program to its end; what went wrong is printed on the standard error.
pub fn run<F>(program: F) -> ExitCode
where
    F: Future<Output = Result<u8, Failure>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::of(format!("no threads can be started: {error}")).report(),
    };
    let ended = runtime.block_on(program);
    runtime.shutdown_timeout(LAST_WORDS);
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}
