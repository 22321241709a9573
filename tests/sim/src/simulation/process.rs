//! A process: one of the production pipelines with ports of its own, which may be killed, paused and started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cve_monitor_core::pipeline::{
    Ingest, IngestSettings, Notifier, Ports, Pump, ReconcileMode, ReconcileSettings, Reconciler, Registries,
    Scope,
};
use cve_monitor_core::ports::{ChangeFeed, Clock};
use cve_monitor_core::vocabulary::Timestamp;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::mutation::Mutation;
use crate::ports::{SimArchive, SimFeed, SimIndex, SimQueue, SimRegistry, SimScanner, SimSink, SimStore};
use crate::stage::{Role, Skewed, Stage};
use crate::wire::Wire;
use crate::world::World;

/// Clocks are wrong by at most this, in milliseconds.
const SKEW_MAX_MS: u64 = 120_000;
/// The notifier and the pump look so often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The reconciler begins a round so often.
const ROUND_EVERY: Duration = Duration::from_secs(6 * 3600);
/// An empty lane is listened to for so long.
const LISTEN: Duration = Duration::from_secs(1200);

/// Remembers that somebody woke the process.
#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum Life {
    Down(Option<Timestamp>),
    Running(BoxFuture<'static, ()>),
    Paused(BoxFuture<'static, ()>, Timestamp),
}

/// What came of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    Alive,
    Ended,
}

/// A process.
pub(super) struct Process {
    pub(super) role: Role,
    pub(super) killed_after: Option<u64>,
    pub(super) was_killed_as_planned: bool,
    life: Life,
    woken: Arc<Woken>,
    /// Polls since it was started.
    polls: u64,
    ahead_ms: i64,
    /// Rounds of the reconciler since it was started.
    rounds: Arc<AtomicU64>,
}

impl Process {
    pub(super) fn new(stage: &Stage, role: Role) -> Self {
        let now = stage.now();
        let mut props = stage.props();
        let skew =
            if props.chance.happens(5000) { props.chance.between(0, 2 * SKEW_MAX_MS) } else { SKEW_MAX_MS };
        let ahead_ms = i64::try_from(skew).unwrap_or(0) - i64::try_from(SKEW_MAX_MS).unwrap_or(0);
        if ahead_ms != 0 {
            props.tally.count("clock wrong");
        }
        Self {
            role,
            killed_after: None,
            was_killed_as_planned: false,
            life: Life::Down(Some(now)),
            woken: Arc::default(),
            polls: 0,
            ahead_ms,
            rounds: Arc::default(),
        }
    }

    pub(super) fn polls(&self) -> u64 {
        self.polls
    }

    pub(super) fn can_act(&self) -> bool {
        matches!(self.life, Life::Running(_)) && self.woken.0.load(Ordering::Relaxed)
    }

    /// When it comes back by itself.
    pub(super) fn back_at(&self) -> Option<Timestamp> {
        match self.life {
            Life::Down(until) => until,
            Life::Paused(_, until) => Some(until),
            Life::Running(_) => None,
        }
    }

    /// Whether it is to be started now. A paused one just goes on.
    pub(super) fn comes_back(&mut self, now: Timestamp) -> bool {
        let is_time = self.back_at().is_some_and(|at| at <= now);
        if is_time && let Life::Paused(..) = self.life {
            if let Life::Paused(future, _) = std::mem::replace(&mut self.life, Life::Down(None)) {
                self.life = Life::Running(future);
            }
            return false;
        }
        is_time
    }

    pub(super) fn stop(&mut self) {
        self.life = Life::Down(None);
    }

    pub(super) fn stay_down_until(&mut self, at: Timestamp) {
        self.life = Life::Down(Some(at));
    }

    pub(super) fn pause_until(&mut self, at: Timestamp) {
        if let Life::Running(future) = std::mem::replace(&mut self.life, Life::Down(None)) {
            self.life = Life::Paused(future, at);
        }
    }

    pub(super) fn has_done_its_round(&self) -> bool {
        self.role != Role::Reconciler || self.rounds.load(Ordering::Relaxed) > 0
    }

    pub(super) fn start(&mut self, world: &Arc<World>, mutation: Option<Mutation>) {
        self.polls = 0;
        self.rounds = Arc::default();
        self.woken = Arc::new(Woken(AtomicBool::new(true)));
        self.life = Life::Running(self.pipeline(world, mutation));
    }

    pub(super) fn poll(&mut self) -> Polled {
        let Life::Running(future) = &mut self.life else { return Polled::Alive };
        self.woken.0.store(false, Ordering::Relaxed);
        self.polls += 1;
        let waker = Waker::from(Arc::clone(&self.woken));
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => Polled::Ended,
            Poll::Pending => Polled::Alive,
        }
    }

    fn pipeline(&self, world: &Arc<World>, mutation: Option<Mutation>) -> BoxFuture<'static, ()> {
        let wire = Wire::new(&world.stage, self.role);
        let mut ports = self.ports(world, &wire);
        let mut feed: Arc<dyn ChangeFeed> = Arc::new(SimFeed(wire, Arc::clone(&world.feed)));
        let mut settings = IngestSettings { concurrency: 3, wait: LISTEN, ..IngestSettings::default() };
        if let Some(mutation) = mutation {
            mutation.breaks(world, self.role, &mut ports, &mut feed, &mut settings);
        }
        let ports = Arc::new(ports);
        let clock = Arc::clone(&ports.clock);
        match self.role {
            Role::Ingest(_) | Role::Outside => async move {
                Ingest::new(ports, settings).run(std::future::pending()).await;
            }
            .boxed(),
            Role::Notifier(_) => async move {
                let notifier = Notifier::new(ports, feed);
                loop {
                    // What went wrong is tried again at the next look.
                    drop(notifier.follow().await);
                    clock.sleep_until(clock.now().plus(LOOK_EVERY)).await;
                }
            }
            .boxed(),
            Role::Pump => {
                async move { Pump::new(ports).run(LOOK_EVERY, std::future::pending()).await }.boxed()
            }
            Role::Reconciler => reconciling(ports, clock, Arc::clone(&self.rounds)).boxed(),
        }
    }

    fn ports(&self, world: &Arc<World>, wire: &Wire) -> Ports {
        let registry = || Arc::new(SimRegistry(wire.clone(), Arc::clone(world)));
        let sinks = world.sinks.iter().map(|sink| Arc::new(SimSink(wire.clone(), Arc::clone(sink))) as _);
        Ports {
            clock: Arc::new(Skewed::new(&world.stage, self.role, self.ahead_ms)),
            store: Arc::new(SimStore(wire.clone(), Arc::clone(world))),
            queue: Arc::new(SimQueue(wire.clone(), Arc::clone(&world.queue))),
            index: Arc::new(SimIndex(wire.clone(), Arc::clone(&world.index))),
            archive: Arc::new(SimArchive(wire.clone(), Arc::clone(&world.archive))),
            scanner: Arc::new(SimScanner::new(wire.clone(), world, registry())),
            registries: Registries::new([registry() as _]),
            sinks: sinks.collect(),
            scope: Scope::default(),
            feed: Some(world.feed.name()),
        }
    }
}

async fn reconciling(ports: Arc<Ports>, clock: Arc<dyn Clock>, rounds: Arc<AtomicU64>) {
    let names: Vec<_> = ports.registries.names().cloned().collect();
    loop {
        let reconciler = Reconciler::new(
            Arc::clone(&ports),
            ReconcileSettings { page: 2, ..ReconcileSettings::default() },
        );
        let mut pause = ROUND_EVERY;
        for name in &names {
            match reconciler.round(name, ReconcileMode::Apply, &mut |_, _| {}).await {
                Ok(_) => drop(rounds.fetch_add(1, Ordering::Relaxed)),
                // It goes on where it stopped.
                Err(_) => pause = LOOK_EVERY,
            }
        }
        clock.sleep_until(clock.now().plus(pause)).await;
    }
}
