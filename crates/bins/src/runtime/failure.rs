//! Why a program ends without having done what it was asked for.

use std::fmt::Display;
use std::process::ExitCode;

use crate::cli::{EXIT_ERROR, EXIT_USAGE};
use crate::config::ConfigError;
use crate::wiring::WiringError;

/// A message for people and the exit code that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something went wrong.
    pub fn of(problem: impl Display) -> Self {
        Self { message: problem.to_string(), code: EXIT_ERROR }
    }

    /// What was asked for cannot be done at all.
    pub fn usage(problem: impl Display) -> Self {
        Self { message: problem.to_string(), code: EXIT_USAGE }
    }

    /// What is printed.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Prints it; the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.message);
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<WiringError> for Failure {
    fn from(error: WiringError) -> Self {
        Self::of(error)
    }
}
