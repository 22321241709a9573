//! The bounds of how often something is tried, how long it is waited for, and how much is remembered meanwhile.

pub use super::drive::{CONFLICTS_MAX, MAX_CONFIG_BYTES, STEPS_MAX};
pub use super::ingest::PAUSE_MAX;
pub use super::journal::APPEND_ATTEMPTS_MAX;
pub use super::notify::RING_CONFLICTS_MAX;
pub use super::pump::PATIENCE_MAX;
pub use super::reconcile::MAX_LISTED;
