//! What is checked of `terraform/` without terraform and without an account: names and references against the schemas of the
//! provider, rights against the calls that the adapters make. All of it works on texts in memory, so that mistakes can be
//! planted ([`planted`]).

pub mod code;
mod expression;
pub mod module;
pub mod names;
pub mod planted;
pub mod rights;
pub mod schema;

use std::fmt;
use std::path::{Path, PathBuf};

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where: a file or folder, and the block in it.
    pub place: String,
    /// What, and what would be right.
    pub message: String,
}

impl Problem {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// The root of the repository, as cargo says while it runs a test.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
