//! The pipelines: the shell that performs what the rules ask for, and reports back.
//!
//! *Ingest* drives images that requests name; the *pump* wakes those whose time has come; *notify* follows what
//! the scanner learns, and keeps in the *inbox* what it is told once only; *reconcile* compares with the registries. Events make it fast, reconciliation makes it
//! correct. *Questions* read what is known; *rebuild* makes again what was lost.

mod drive;
mod ingest;
mod journal;
mod notify;
mod ports_in_use;
mod pump;
mod questions;
mod rebuild;
mod reconcile;
mod scope;

pub use drive::{DriveError, Driver, Outcome};
pub use ingest::{Ingest, IngestCounts, IngestSettings};
pub use notify::{
    Followed, FollowedUpTo, Inbox, InboxError, MAX_BELL_NAME_BYTES, Notifier, NotifyError, Rung,
};
pub use ports_in_use::{Ports, Registries};
pub use pump::{Pump, PumpError};
pub use questions::{
    AffectedFinding, AffectedImage, Coverage, CoverageRow, HistoryEntry, QuestionError, Standing, affected,
    coverage, history, index_children, standing_of,
};
pub use rebuild::{RebuildError, Rebuilt, rebuild_heads, rebuild_lake, rebuild_layer_index};
pub use reconcile::{ReconcileError, ReconcileMode, ReconcileSettings, Reconciler, RoundObserver, Wanted};
pub use scope::{InvalidScope, Rule, Scope};

/// How often something is tried, how long it is waited for, and how much is remembered meanwhile.
pub mod bounds {
    pub use super::drive::{CONFLICTS_MAX, MAX_CONFIG_BYTES, STEPS_MAX};
    pub use super::ingest::PAUSE_MAX;
    pub use super::journal::APPEND_ATTEMPTS_MAX;
    pub use super::notify::RING_CONFLICTS_MAX;
    pub use super::pump::PATIENCE_MAX;
    pub use super::reconcile::MAX_LISTED;
}
