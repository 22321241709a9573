//! In-memory models of the ports on a hand-driven clock, and the public conformance suites.
//!
//! * [`ManualClock`]: time that moves only when it is told to
//! * [`model`]: each port in memory; every model keeps every law of its port
//! * [`laws`]: each port's laws as checks that any adapter, model or decorator can be held to

mod clock;
pub mod laws;
mod locked;
pub mod model;
mod pages;

pub use clock::ManualClock;
