//! The tasks themselves.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{
    Followed, Ingest, Notifier, NotifyError, Pump, ReconcileMode, ReconcileSettings, Reconciler,
};
use cve_monitor_core::vocabulary::RegistryName;
use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::runtime::{Supervisor, pause};
use crate::wiring::Refreshed;

/// How often what is due is looked for.
const PUMP_EVERY: Duration = Duration::from_secs(2);
/// How often the embedded feed is asked for what other processes have brought in.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);
/// The wait after a refresh that failed, or the interval where that is shorter.
const REFRESH_AGAIN: Duration = Duration::from_secs(60);

impl Shared {
    pub(super) fn ingest(&self, supervisor: &Supervisor) {
        let shared = self.clone();
        supervisor.keep("ingest", move |stop| {
            let shared = shared.clone();
            async move {
                let (outcomes, events, letters) =
                    (Arc::clone(&shared.tally), Arc::clone(&shared.tally), Arc::clone(&shared.tally));
                let settings = shared.system.ingest_settings(&shared.config);
                let ingest = Ingest::new(Arc::clone(&shared.system.ports), settings)
                    .on_outcome(Arc::new(move |_, outcome| outcomes.count(outcome)))
                    .on_event(Arc::new(move |_, event| events.event(event)))
                    .on_dead_letter(Arc::new(move |letter| letters.dead_letters.add(letter.reason.as_str())));
                ingest.run(stop.cancelled_owned()).await;
                Ok::<(), String>(())
            }
        });
    }

    pub(super) fn notify(&self, supervisor: &Supervisor) {
        if self.system.refreshes() {
            let shared = self.clone();
            supervisor.keep("advisories", move |stop| {
                let shared = shared.clone();
                async move {
                    shared.refresh(&stop).await;
                    Ok::<(), String>(())
                }
            });
        }
        let shared = self.clone();
        supervisor.keep("notifier", move |stop| {
            let shared = shared.clone();
            async move { shared.follow(&stop).await }
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

    /// Refreshes the advisories on a timer, and at once for what an image needs that nobody has asked for yet. A refresh
    /// that fails leaves the old ones, which age visibly.
    async fn refresh(&self, stop: &CancellationToken) {
        let (mut at_once, mut all_at) = (false, Instant::now());
        loop {
            let refreshed = tokio::select! {
                () = stop.cancelled() => return,
                refreshed = self.bring_in(at_once) => refreshed,
            };
            let (now, every) = (Instant::now(), self.config.advisories.refresh);
            all_at = match (refreshed, at_once) {
                (true, true) => all_at,
                (true, false) => now + every,
                (false, true) => all_at.min(now + REFRESH_AGAIN),
                (false, false) => now + every.min(REFRESH_AGAIN),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(all_at) => at_once = false,
                () = self.system.until_more_is_needed() => at_once = true,
            }
        }
    }

    /// Whether everything came.
    async fn bring_in(&self, at_once: bool) -> bool {
        let refreshed =
            if at_once { self.system.refresh_needed().await } else { self.system.refresh().await };
        match refreshed {
            Ok(Refreshed { changed, lacking }) => {
                if changed {
                    tracing::info!("the advisories have changed");
                    self.changed.notify_one();
                }
                for problem in lacking.all() {
                    tracing::warn!(problem, "a mirror of advisories did not answer as it should");
                }
                let complete = lacking.all().next().is_none();
                // What was asked for at once is not all there is.
                if complete && !at_once {
                    self.marks.refreshed.set(self.system.ports.clock.now());
                }
                complete
            }
            Err(problem) => {
                tracing::warn!(%problem, "the advisories could not be refreshed; the old ones stay in use");
                false
            }
        }
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<(), NotifyError> {
        let every = self.config.scanner.clair().map_or(FOLLOW_EVERY, |clair| clair.poll);
        let notifier = Notifier::new(Arc::clone(&self.system.ports), Arc::clone(&self.system.feed));
        loop {
            let done = tokio::select! {
                // What was followed is durable: following goes on there.
                () = stop.cancelled() => return Ok(()),
                done = notifier.follow() => done?,
            };
            self.marks.followed.set(self.system.ports.clock.now());
            if done != Followed::default() {
                self.tally.followed(&done);
                tracing::info!(
                    changes = done.changes,
                    gaps = done.gaps,
                    queued = done.queued,
                    swept = done.swept,
                    "followed what the scanner has learnt"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.changed.notified() => {}
                () = tokio::time::sleep(every) => {}
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

    /// One round over each registry, all at once: one that cannot be listed, or is slow, does not keep the others from it.
    async fn compare(&self) {
        let settings = ReconcileSettings {
            sweep_after: self.config.reconcile.sweep_after,
            lists_per_second: self.config.reconcile.lists_per_second,
            ..ReconcileSettings::default()
        };
        let reconciler = Reconciler::new(Arc::clone(&self.system.ports), settings);
        let rounds = self.system.ports.registries.names().map(|name| self.compare_one(&reconciler, name));
        join_all(rounds).await;
    }

    async fn compare_one(&self, reconciler: &Reconciler, name: &RegistryName) {
        let round = reconciler.round(name, ReconcileMode::Apply, &mut |_, _| {}).await;
        self.tally.round(name, round.is_ok());
        match round {
            Ok(counts) => {
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
