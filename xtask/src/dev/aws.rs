//! What stands in for AWS on one machine.

mod emulator;
mod install;

pub use self::emulator::{Emulator, Running};
