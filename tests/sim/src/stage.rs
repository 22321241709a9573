//! What everybody on the stage shares: the time, the chance, the trace, the faults and what is counted of them.

mod chance;
mod faults;
mod tally;
mod timeline;
mod trace;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cve_monitor_core::vocabulary::Timestamp;

pub(crate) use self::chance::Chance;
pub(crate) use self::faults::{Faults, Refusal, Verdict};
pub use self::tally::Tally;
pub(crate) use self::tally::{Phase, Point};
pub(crate) use self::timeline::{Skewed, Timeline};
pub(crate) use self::trace::{Trace, code_of};

/// A value behind a lock. Everything runs on one thread; the ports ask for `Sync` nevertheless.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// Everybody outside: people who push, delete and publish; and the faults.
    Outside,
    /// A worker of the queue.
    Ingest(u8),
    /// A follower of the feed.
    Notifier(u8),
    /// Wakes what is due.
    Pump,
    /// Compares with the registry.
    Reconciler,
}

impl Role {
    /// The kind of process.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Ingest(_) => "ingest",
            Self::Notifier(_) => "notifier",
            Self::Pump => "pump",
            Self::Reconciler => "reconciler",
        }
    }

    fn code(self) -> u64 {
        match self {
            Self::Outside => 1,
            Self::Pump => 2,
            Self::Reconciler => 3,
            Self::Ingest(n) => 16 + u64::from(n),
            Self::Notifier(n) => 32 + u64::from(n),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ingest(n) | Self::Notifier(n) => f.pad(&format!("{} {n}", self.kind())),
            _ => f.pad(self.kind()),
        }
    }
}

/// The part that changes hands all the time.
#[derive(Debug)]
pub(crate) struct Props {
    pub(crate) chance: Chance,
    pub(crate) trace: Trace,
    pub(crate) faults: Faults,
    pub(crate) tally: Tally,
    /// A process is being killed: what is dropped now was crashed, not cancelled.
    pub(crate) dying: bool,
    /// What the oracle saw already.
    pub(crate) violations: Vec<String>,
}

/// The stage.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) timeline: Timeline,
    props: Locked<Props>,
}

impl Stage {
    pub(crate) fn new(seed: u64, faults: Faults, keeps_story: bool) -> Self {
        let timeline = Timeline::default();
        let trace = Trace::new(timeline.now(), keeps_story);
        Self {
            timeline,
            props: Locked::new(Props {
                chance: Chance::new(seed),
                trace,
                faults,
                tally: Tally::default(),
                dying: false,
                violations: vec![],
            }),
        }
    }

    pub(crate) fn props(&self) -> MutexGuard<'_, Props> {
        self.props.lock()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.timeline.now()
    }

    /// Something happened: it goes into the hash of the run, and into its story where one is kept.
    pub(crate) fn note(&self, who: Role, code: u64, tell: impl FnOnce() -> String) {
        let now = self.now();
        self.props().trace.note(now, who.code(), code, || format!("{who:<12} {}", tell()));
    }

    /// A fault or a happening, counted by its kind.
    pub(crate) fn count(&self, kind: &'static str) {
        self.props().tally.count(kind);
    }

    /// Something is not as it must be.
    pub(crate) fn violated(&self, what: String) {
        self.note(Role::Outside, 99, || format!("VIOLATED: {what}"));
        self.props().violations.push(what);
    }
}
