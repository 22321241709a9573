//! Chores that another package does, built when one of them is asked for.

pub(crate) mod bench;
pub(crate) mod deploy;
pub(crate) mod fuzz;
pub(crate) mod sim;
pub(crate) mod soak;
