//! The production pipelines of the core, under faults of every kind: several workers, a notifier, the pump and the
//! reconciler on one clock, on one thread. A seed decides about everything; the same seed plays the same story.
//!
//! [`run`] plays a seed: so many events with faults, then without, until nothing is left to do; then it judges the
//! world. What it must be is known, for it knows what the registry holds and what the newest advisories say.

mod mutation;
mod oracle;
mod ports;
mod simulation;
mod stage;
mod wire;
mod world;

pub use mutation::Mutation;
pub use simulation::{Outcome, Settings, run};
pub use stage::Tally;
