//! The core of ecr-cve-monitor: every container image that is pushed is scanned, and whenever the scanner learns
//! of a new CVE, the images that it affects get a new report without their layers being read again.
//!
//! What happened to an image is a stream of events; its state is a fold over it; every rule is a pure function
//! of (state, command, now). The world is reached through [`ports`] alone: this crate knows no runtime, no wall
//! clock, no environment, no HTTP and no SDK.
//!
//! * [`vocabulary`]: the words
//! * [`scan`]: events, states, decisions, reports: all pure
//! * [`ports`]: what is needed of the world, each with numbered laws
//! * [`pipeline`]: ingest, notify, reconcile: the shell that performs what the rules ask for
//! * `testkit` (feature): in-memory models of the ports and the public conformance suites

pub mod pipeline;
pub mod ports;
pub mod scan;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod vocabulary;
