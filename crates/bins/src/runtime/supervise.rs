//! Tasks that go on until they are told to stop: one that ends with an error, or panics, is logged and started again.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The first wait before a task is started again; it doubles with each failure in a row.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait before a task is started again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A task that went well for so long begins again with the first wait.
const WENT_WELL: Duration = Duration::from_secs(120);

/// The tasks of a process, and the signal that ends them.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    /// The signal that ends the tasks.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Starts a task. `work` makes it anew after each failure; once it ends well it is not started again.
    pub fn keep<F, W, E>(&self, name: &'static str, work: W)
    where
        W: Fn(CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let mut wait = FIRST_WAIT;
            loop {
                let began = Instant::now();
                let problem = match tokio::spawn(work(stop.clone())).await {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => error.to_string(),
                    Err(error) => format!("it panicked: {error}"),
                };
                if stop.is_cancelled() {
                    tracing::warn!(task = name, problem, "a task ended badly while stopping");
                    return;
                }
                if began.elapsed() >= WENT_WELL {
                    wait = FIRST_WAIT;
                }
                tracing::error!(
                    task = name,
                    problem,
                    retry_after_s = wait.as_secs(),
                    "a task failed; it is started again"
                );
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(wait) => {}
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        });
    }

    /// Tells the tasks to end, and waits until they have.
    pub async fn drain(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Sleeps; true where it was told to stop meanwhile.
pub async fn pause(stop: &CancellationToken, duration: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(duration) => stop.is_cancelled(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_or_panics_is_started_again_until_it_ends_well() {
        let supervisor = Supervisor::default();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        supervisor.keep("test", move |_| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => Err("it failed".to_owned()),
                    1 => panic!("it panicked"),
                    _ => Ok(()),
                }
            }
        });
        supervisor.tasks.close();
        supervisor.tasks.wait().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_ends_tasks_at_work_and_tasks_that_wait_to_be_started_again() {
        let supervisor = Supervisor::default();
        supervisor.keep("at work", |stop| async move {
            stop.cancelled().await;
            Ok::<(), String>(())
        });
        supervisor.keep("failing", |_| async { Err("always".to_owned()) });
        tokio::task::yield_now().await;
        supervisor.drain().await;
        assert!(supervisor.tasks.is_empty());
    }
}
