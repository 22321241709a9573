//! A folder of advisory databases, one immutable file a generation, and `CURRENT`, which names the one to use.

mod coverage;
mod error;
pub(super) mod lock;
mod name;
mod pointer;
mod prune;
mod refresh;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cve_monitor_core::ports::Cursor;
use cve_monitor_core::vocabulary::{Generation, Knowledge, KnowledgeId, Timestamp};
use cve_monitor_scanner::advisory::{Database, DatabaseError, DatabaseInfo};

pub use self::coverage::{Answer, Coverage};
pub use self::error::AdvisoryError;
use self::name::FileName;
use self::pointer::Pointer;
pub use self::refresh::Refreshed;
pub use self::update::{Ask, Ecosystems, Order, Problem, Step, Updated};

const LOCK: &str = ".lock";
/// How often `CURRENT` is read again where the file that it names has gone meanwhile.
const POINTER_TRIES: usize = 3;

/// The folder. Several processes may read and refresh it at once; clones share what is open.
#[derive(Debug, Clone)]
pub struct AdvisoryStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// What `CURRENT` named when it was last read. Files are immutable: the same name is the same content.
    opened: Mutex<Option<(Pointer, State)>>,
}

/// An open state of the advisories.
#[derive(Debug, Clone)]
pub(in crate::embedded) struct State {
    pub(in crate::embedded) database: Database,
    before: u64,
}

/// What the folder holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisoryStatus {
    /// Its identity, its place in the feed, when each ecosystem last changed.
    pub knowledge: Knowledge,
    /// Where the feed stands once it has followed everything.
    pub cursor: Cursor,
    /// The file.
    pub path: PathBuf,
    /// What the file says about itself: its sources and ecosystems.
    pub info: DatabaseInfo,
}

impl State {
    pub(in crate::embedded) fn generation(&self) -> Generation {
        Generation(self.before + self.database.generation())
    }

    pub(in crate::embedded) fn cursor(&self) -> Cursor {
        FileName::of(&self.database).cursor(self.before)
    }

    /// Identity and place, and when these ecosystems last changed.
    pub(in crate::embedded) fn knowledge(&self, wanted: impl Fn(&str) -> bool) -> Knowledge {
        let dated = self.database.ecosystems().into_iter().filter(|(name, _)| wanted(name));
        // A date that no calendar has is no reason to be without all others.
        let last_changed: BTreeMap<String, Timestamp> =
            dated.filter_map(|(name, date)| Some((name, date?.parse().ok()?))).collect();
        Knowledge {
            id: Some(KnowledgeId(self.database.id().to_owned())),
            generation: Some(self.generation()),
            last_changed,
        }
    }
}

impl AdvisoryStore {
    /// The store in this folder, which is made where it is not there. Blocks.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, AdvisoryError> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(|error| AdvisoryError::io(&folder, error))?;
        Ok(Self { inner: Arc::new(Inner { folder, opened: Mutex::default() }) })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// What the folder holds now; none until the first refresh.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn status(&self) -> Result<Option<AdvisoryStatus>, AdvisoryError> {
        let state = self.current().await?;
        Ok(state.map(|state| AdvisoryStatus {
            knowledge: state.knowledge(|_| true),
            cursor: state.cursor(),
            path: state.database.path().to_path_buf(),
            info: state.database.info().clone(),
        }))
    }

    /// The state to use now: `CURRENT` is read each time.
    pub(in crate::embedded) async fn current(&self) -> Result<Option<State>, AdvisoryError> {
        let store = self.clone();
        blocking(move || store.current_now()).await
    }

    /// The same, for a thread that may block.
    pub(super) fn current_now(&self) -> Result<Option<State>, AdvisoryError> {
        let mut tries = 1..=POINTER_TRIES;
        loop {
            let last = tries.next().is_none_or(|n| n == POINTER_TRIES);
            let Some(pointer) = pointer::read(&self.inner.folder)? else { return Ok(None) };
            match self.opened(&pointer) {
                // Replaced and pruned since the pointer was read: it names another file now.
                Err(AdvisoryError::Database(DatabaseError::Io { .. })) if !last => {}
                opened => return opened.map(Some),
            }
        }
    }

    fn opened(&self, pointer: &Pointer) -> Result<State, AdvisoryError> {
        let lock = || self.inner.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, state)) = lock().as_ref().filter(|(named, _)| named == pointer) {
            return Ok(state.clone());
        }
        let state = self.state(&pointer.name, pointer.before)?;
        *lock() = Some((pointer.clone(), state.clone()));
        Ok(state)
    }

    fn state(&self, name: &FileName, before: u64) -> Result<State, AdvisoryError> {
        Ok(State { database: Database::open(self.path_of(name))?, before })
    }

    /// The state at a cursor, if it belongs to the line of `current` and is still there. Blocks.
    pub(super) fn at(&self, cursor: &Cursor, current: &State) -> Result<Option<State>, AdvisoryError> {
        match FileName::from_cursor(cursor, current.before) {
            Some(name) => kept(self.state(&name, current.before)),
            None => Ok(None),
        }
    }

    /// Whether the state at a cursor belongs to the line of `current` and its file is still there; it is not opened.
    /// Blocks.
    pub(super) fn is_there(&self, cursor: &Cursor, current: &State) -> bool {
        FileName::from_cursor(cursor, current.before).is_some_and(|name| self.path_of(&name).is_file())
    }

    /// The state that came directly after `from`, on the way to `current`; none where a state in between is no longer
    /// there. Blocks.
    pub(super) fn step_after(&self, from: &State, current: State) -> Result<Option<State>, AdvisoryError> {
        let from = FileName::of(&from.database);
        let mut state = current;
        loop {
            let Some(parent) = state.database.parent().map(FileName::of_parent) else { return Ok(None) };
            if parent == from {
                return Ok(Some(state));
            }
            if parent.generation <= from.generation || parent.generation >= state.database.generation() {
                return Ok(None);
            }
            match kept(self.state(&parent, state.before))? {
                Some(parent) => state = parent,
                None => return Ok(None),
            }
        }
    }

    fn path_of(&self, name: &FileName) -> PathBuf {
        self.inner.folder.join(name.to_string())
    }

    fn lock_path(&self) -> PathBuf {
        self.inner.folder.join(LOCK)
    }
}

/// An old state that is gone, damaged or of an older program's form is none; what may be read later is an error.
fn kept(opened: Result<State, AdvisoryError>) -> Result<Option<State>, AdvisoryError> {
    match opened {
        Ok(state) => Ok(Some(state)),
        Err(AdvisoryError::Database(DatabaseError::Io { path, source }))
            if source.kind() != std::io::ErrorKind::NotFound =>
        {
            Err(DatabaseError::Io { path, source }.into())
        }
        Err(AdvisoryError::Database(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Runs what blocks outside of the polling threads.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, AdvisoryError> + Send + 'static,
) -> Result<T, AdvisoryError> {
    let ran = tokio::task::spawn_blocking(run).await;
    ran.unwrap_or_else(|error| Err(AdvisoryError::BrokenOff(error.to_string())))
}
