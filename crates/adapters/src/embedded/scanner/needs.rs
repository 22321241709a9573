//! Which ecosystems images need advisories for: what a process that looks into images writes down, and the one that
//! brings advisories in reads.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::embedded::{Database, DatabaseError};

/// What this process has written down already.
#[derive(Debug, Default)]
pub(super) struct Needs(Mutex<BTreeSet<String>>);

impl Needs {
    /// Durable once this returns.
    pub(super) async fn remember(
        &self,
        database: &Database,
        needed: BTreeSet<String>,
    ) -> Result<(), DatabaseError> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<String> = needed.difference(&known()).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let written = new.clone();
        database
            .write(move |tx| {
                let mut put =
                    tx.prepare_cached("INSERT OR IGNORE INTO scanner_ecosystems (name) VALUES (?1)")?;
                for name in &written {
                    put.execute([name])?;
                }
                Ok(())
            })
            .await?;
        known().extend(new);
        Ok(())
    }
}

/// The ecosystems that any image of this file needs advisories for, by the names of their exports, such as `Debian`.
///
/// # Errors
/// Where the file cannot be read.
pub async fn needed_ecosystems(database: &Database) -> Result<BTreeSet<String>, DatabaseError> {
    database
        .read(|state| {
            let mut all = state.prepare_cached("SELECT name FROM scanner_ecosystems")?;
            Ok(all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
        .await
}

/// What an image waits for, for people.
pub(super) fn fetching(ecosystems: &BTreeSet<String>) -> String {
    let names: Vec<&str> = ecosystems.iter().map(String::as_str).collect();
    format!("advisories for {} are being fetched", names.join(", "))
}
