//! The pipelines: the shell that performs what the rules ask for, and reports back.
//!
//! *Ingest* drives images that requests name; the *pump* wakes those whose time has come; *notify* follows what
//! the scanner learns; *reconcile* compares with the registries. Events make it fast, reconciliation makes it
//! correct.

mod assess;
mod drive;
mod perform;
mod ports_in_use;
mod scope;

pub use drive::{DriveError, Driver, Outcome};
pub use ports_in_use::{Ports, Registries};
pub use scope::{InvalidScope, Rule, Scope};
