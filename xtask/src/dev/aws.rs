//! What stands in for AWS on one machine.

mod emulator;
mod fake_ecr;
mod trial;

pub use self::emulator::{Emulator, Running};
pub(crate) use self::trial::raise;
