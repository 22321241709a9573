//! The tasks themselves.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{
    Ingest, Notifier, NotifyError, Pump, ReconcileMode, ReconcileSettings, Reconciler,
};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::runtime::{Supervisor, Tally, pause};

/// How often what is due is looked for.
const PUMP_EVERY: Duration = Duration::from_secs(2);
/// How often the feed is asked for what other processes have brought in.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);
/// The wait after a refresh that failed, or the interval where that is shorter.
const REFRESH_AGAIN: Duration = Duration::from_secs(60);

impl Shared {
    pub(super) fn ingest(&self, supervisor: &Supervisor) {
        let shared = self.clone();
        supervisor.keep("ingest", move |stop| {
            let shared = shared.clone();
            async move {
                let tally = Arc::clone(&shared.tally);
                let settings = shared.system.ingest_settings(&shared.config);
                let ingest = Ingest::new(Arc::clone(&shared.system.ports), settings)
                    .on_outcome(Arc::new(move |_, outcome| tally.count(outcome)));
                ingest.run(stop.cancelled_owned()).await;
                Ok::<(), String>(())
            }
        });
        let ports = Arc::clone(&self.system.ports);
        supervisor.keep("pump", move |stop| {
            let mut pump = Pump::new(Arc::clone(&ports));
            async move {
                pump.run(PUMP_EVERY, stop.cancelled_owned()).await;
                Ok::<(), String>(())
            }
        });
    }

    pub(super) fn notify(&self, supervisor: &Supervisor) {
        let shared = self.clone();
        supervisor.keep("advisories", move |stop| {
            let shared = shared.clone();
            async move {
                shared.refresh(&stop).await;
                Ok::<(), String>(())
            }
        });
        let shared = self.clone();
        supervisor.keep("notifier", move |stop| {
            let shared = shared.clone();
            async move { shared.follow(&stop).await }
        });
    }

    /// Refreshes the advisories on a timer. A refresh that fails leaves the old ones, which age visibly.
    async fn refresh(&self, stop: &CancellationToken) {
        let every = self.config.advisories.refresh;
        loop {
            let refreshed = tokio::select! {
                () = stop.cancelled() => return,
                refreshed = self.system.refresh() => refreshed,
            };
            let wait = match refreshed {
                Ok(changed) => {
                    if changed {
                        tracing::info!("the advisories have changed");
                        self.changed.notify_one();
                    }
                    every
                }
                Err(problem) => {
                    tracing::warn!(%problem, "the advisories could not be refreshed; the old ones stay in use");
                    every.min(REFRESH_AGAIN)
                }
            };
            if pause(stop, wait).await {
                return;
            }
        }
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<(), NotifyError> {
        let notifier = Notifier::new(Arc::clone(&self.system.ports), Arc::clone(&self.system.feed));
        loop {
            let done = tokio::select! {
                // What was followed is durable: following goes on there.
                () = stop.cancelled() => return Ok(()),
                done = notifier.follow() => done?,
            };
            if done != cve_monitor_core::pipeline::Followed::default() {
                Tally::add(&self.tally.changes, done.changes);
                Tally::add(&self.tally.queued, done.queued + done.swept);
                tracing::info!(
                    changes = done.changes,
                    gaps = done.gaps,
                    queued = done.queued,
                    swept = done.swept,
                    "followed the advisories"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.changed.notified() => {}
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
        }
    }

    pub(super) fn reconcile(&self, supervisor: &Supervisor, every: Duration) {
        let shared = self.clone();
        supervisor.keep("reconciler", move |stop| {
            let shared = shared.clone();
            async move {
                loop {
                    tokio::select! {
                        // A round that is broken off goes on where it stopped.
                        () = stop.cancelled() => return Ok::<(), String>(()),
                        () = shared.compare() => {}
                    }
                    if pause(&stop, every).await {
                        return Ok(());
                    }
                }
            }
        });
    }

    /// One round over each registry. One that cannot be listed does not keep the others from it.
    async fn compare(&self) {
        let settings = ReconcileSettings {
            sweep_after: self.config.reconcile.sweep_after,
            lists_per_second: self.config.reconcile.lists_per_second,
            ..ReconcileSettings::default()
        };
        let reconciler = Reconciler::new(Arc::clone(&self.system.ports), settings);
        for name in self.system.ports.registries.names() {
            match reconciler.round(name, ReconcileMode::Apply, &mut |_, _| {}).await {
                Ok(counts) => {
                    Tally::add(&self.tally.rounds, 1);
                    let asked = counts.missing + counts.swept + counts.absent;
                    if asked > 0 {
                        tracing::info!(
                            registry = %name,
                            listed = counts.listed,
                            missing = counts.missing,
                            swept = counts.swept,
                            absent = counts.absent,
                            "compared with the registry"
                        );
                    } else {
                        tracing::debug!(registry = %name, listed = counts.listed, "compared with the registry");
                    }
                }
                Err(error) => {
                    tracing::warn!(registry = %name, %error, "comparing stopped; the next round goes on there")
                }
            }
        }
    }
}
