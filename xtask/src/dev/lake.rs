//! What the lake's queries are tried on: DuckDB, and sqlglot, which translates them.

use std::path::{Path, PathBuf};

use crate::install;

const REQUIREMENTS: &str = include_str!("lake/requirements.txt");

/// The Python that has both, fetched into `target/dev/lake` where it was not there yet.
///
/// # Errors
/// What this machine lacks: Python, or the way to its package index.
pub fn python(root: &Path) -> Result<PathBuf, String> {
    install::virtual_environment(root, "lake/venv", REQUIREMENTS).map(|folder| folder.join("bin/python"))
}
