//! A copy of the file, whole or not at all.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;
use tempfile::Builder;

use super::DatabaseError;

/// Copies what the connection sees into a new file: one consistent state, without the log, durable when this returns.
/// Writers go on meanwhile. The connection must be outside of a transaction.
///
/// # Errors
/// Where the target exists, or the disk fails; then nothing bears the target's name.
pub(in crate::embedded) fn copy_into(connection: &Connection, target: &Path) -> Result<(), DatabaseError> {
    let failed = |error: &dyn std::fmt::Display| {
        DatabaseError::Unavailable(format!("the copy {} was not made: {error}", target.display()))
    };
    let exists = || DatabaseError::Refused(format!("{} exists: name a file that does not", target.display()));
    if target.exists() {
        return Err(exists());
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Under another name until it is whole; removed where this fails.
    let partial =
        Builder::new().prefix(".").suffix(".partial").tempfile_in(folder).map_err(|e| failed(&e))?;
    let partial = partial.into_temp_path();
    let name = partial.to_str().ok_or_else(|| failed(&"its path is not UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    if let Some(source) = connection.path() {
        let permissions = fs::metadata(source).map_err(|e| failed(&e))?.permissions();
        fs::set_permissions(&partial, permissions).map_err(|e| failed(&e))?;
    }
    File::open(&partial).and_then(|file| file.sync_all()).map_err(|e| failed(&e))?;
    partial.persist_noclobber(target).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => failed(&error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(&e))
}
