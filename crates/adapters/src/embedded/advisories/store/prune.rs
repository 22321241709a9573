//! Generations that nobody needs any more.

use std::fs;
use std::path::PathBuf;

use cve_monitor_core::ports::Cursor;

use super::name::FileName;
use super::{AdvisoryError, AdvisoryStore, blocking, kept, lock};

impl AdvisoryStore {
    /// Removes the databases that are neither current, nor at one of these cursors, nor between one of them and the
    /// current one. Answers how many; none where the folder is being refreshed just now.
    ///
    /// # Errors
    /// Where the folder cannot be read or a file cannot be removed.
    pub async fn prune(&self, keep: &[Cursor]) -> Result<u64, AdvisoryError> {
        let (store, keep) = (self.clone(), keep.to_vec());
        blocking(move || store.prune_now(&keep)).await
    }

    fn prune_now(&self, keep: &[Cursor]) -> Result<u64, AdvisoryError> {
        let path = self.lock_path();
        // A refresh has a file that nothing names yet.
        let lock = lock::try_acquire(&path).map_err(|error| AdvisoryError::io(&path, error))?;
        let (Some(_lock), Some(needed)) = (lock, self.needed(keep)?) else { return Ok(0) };
        let mut removed = 0;
        for name in self.names()? {
            if !needed.contains(&name) {
                let path = self.path_of(&name);
                fs::remove_file(&path).map_err(|error| AdvisoryError::io(&path, error))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The current one and its parents down to the earliest cursor that is among them.
    fn needed(&self, keep: &[Cursor]) -> Result<Option<Vec<FileName>>, AdvisoryError> {
        let Some(mut state) = self.current_now()? else { return Ok(None) };
        let mut line = vec![FileName::of(&state.database)];
        let mut needed = 1;
        let at: Vec<FileName> =
            keep.iter().filter_map(|cursor| FileName::from_cursor(cursor, state.before)).collect();
        while let Some(parent) = state.database.parent().map(FileName::of_parent) {
            let parent_is_older = parent.generation < state.database.generation();
            let Some(opened) = kept(self.state(&parent, state.before))?.filter(|_| parent_is_older) else {
                break;
            };
            state = opened;
            if at.contains(&parent) {
                needed = line.len() + 1;
            }
            line.push(parent);
        }
        line.truncate(needed);
        Ok(Some(line))
    }

    /// The databases in the folder.
    pub(super) fn names(&self) -> Result<Vec<FileName>, AdvisoryError> {
        let name = |path: &PathBuf| FileName::parse(path.file_name()?.to_str()?);
        Ok(self.entries()?.iter().filter_map(name).collect())
    }

    pub(super) fn entries(&self) -> Result<Vec<PathBuf>, AdvisoryError> {
        let io = |error| AdvisoryError::io(self.folder(), error);
        let entries = fs::read_dir(self.folder()).map_err(io)?;
        entries.map(|entry| Ok(entry.map_err(io)?.path())).collect()
    }
}
