//! The bounds of how often something is asked of Clair v2.

pub use super::feed::STARTS_MAX;
pub use super::probe::NAMESPACES_MAX;
pub use super::scanner::{CHAINS_MAX, POSTS_MAX};
