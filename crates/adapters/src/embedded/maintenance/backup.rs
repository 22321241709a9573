//! A copy of the file while others work with it.

use std::path::Path;

use super::blocking;
use crate::embedded::database::copy_into;
use crate::embedded::{Database, DatabaseError};

/// Copies one consistent state of the database into a new file, without the log and without what was removed. Writers
/// go on meanwhile; their log is not folded in until the copy is done. The copy opens like the file itself.
///
/// # Errors
/// Where the target exists (nothing is overwritten) or the disk fails; then nothing bears the target's name.
pub async fn backup(database: &Database, target: impl AsRef<Path>) -> Result<(), DatabaseError> {
    let (database, target) = (database.clone(), target.as_ref().to_owned());
    blocking(move || copy_into(&database.connect()?, &target)).await
}
