//! Why the folder of advisories gave no answer.

use std::io;
use std::path::Path;

use cve_monitor_scanner::advisory::{CompileError, DatabaseError};

use crate::embedded::advisories::MirrorError;

/// Why the folder of advisories gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdvisoryError {
    /// A file or the folder cannot be read or written.
    #[error("the advisories: {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `CURRENT` names no database.
    #[error(
        "the advisories: {path} does not name a database; remove it and import the advisories again: everything will \
         then be assessed again"
    )]
    Pointer {
        /// The file.
        path: String,
    },
    /// `COVERAGE` cannot be read.
    #[error(
        "the advisories: {path} is damaged ({problem}); the next refresh of the advisories writes it again"
    )]
    Coverage {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A mirror gave nothing, and nothing was kept that could stand in.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no new database; the old one stays in use.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The work stopped in the middle.
    #[error("the work on the advisories broke off: {0}")]
    BrokenOff(String),
}

impl AdvisoryError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }
}
