//! The bounds of how often something is asked of Clair v4.

pub use super::feed::{MAX_ATTEMPTS, MAX_DIFF_FAILURES};
