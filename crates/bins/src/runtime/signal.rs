//! Signals: the first asks to drain, the second ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports of a process that was ended by SIGINT.
const EXIT_INTERRUPTED: i32 = 130;

/// Cancels `stop` with the first SIGINT or SIGTERM; the second ends the process.
///
/// # Errors
/// Where signals cannot be listened to.
pub fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let which = either(&mut interrupt, &mut terminate).await;
        tracing::info!(
            signal = which,
            "stopping: what is in work is finished first; a second signal ends at once"
        );
        stop.cancel();
        let which = either(&mut interrupt, &mut terminate).await;
        tracing::warn!(
            signal = which,
            "ended by a second signal; what was in work is done again at the next start"
        );
        std::process::exit(EXIT_INTERRUPTED);
    });
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}
