//! What the programs share: configuration, command lines, wiring, runtime, and what people get to see.

pub mod cli;
pub mod command;
pub mod config;
pub mod lake;
pub mod present;
pub mod runtime;
pub mod wiring;
