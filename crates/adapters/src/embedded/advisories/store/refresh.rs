//! A new generation: compiled beside the others, then published by one rename.

use std::fs;

use cve_monitor_core::vocabulary::{Generation, KnowledgeId};
use cve_monitor_scanner::advisory::{CompileStats, Database, ShrinkPolicy, Source, compile};

use super::name::FileName;
use super::pointer::{self, Pointer};
use super::{AdvisoryError, AdvisoryStore, blocking, kept, lock};

/// What came of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Whether the sources say something else than before: else nothing was written.
    pub changed: bool,
    /// The generation that is current now.
    pub generation: Generation,
    /// Its identity.
    pub id: KnowledgeId,
    /// What the sources held.
    pub stats: CompileStats,
    /// The generation before could not be read (damaged, lost, or of another program version): what changed since
    /// cannot be told, so that everything is assessed again, and nobody could see whether the sources shrank.
    pub restarted: bool,
}

impl AdvisoryStore {
    /// Makes the sources the current state. Several processes may ask at once: one after the other does it, each on
    /// top of what the one before published. Dropped, it still happens wholly or not at all.
    ///
    /// # Errors
    /// Where a source cannot be read or has shrunk beyond the policy; the state before stays current.
    pub async fn refresh(
        &self,
        sources: Vec<Source>,
        policy: ShrinkPolicy,
    ) -> Result<Refreshed, AdvisoryError> {
        let path = self.lock_path();
        let lock = lock::acquire(&path).await.map_err(|error| AdvisoryError::io(&path, error))?;
        let store = self.clone();
        blocking(move || {
            // Held by this thread: the work outlives a caller that goes away.
            let _lock = lock;
            store.publish_next(&sources, &policy)
        })
        .await
    }

    pub(super) fn publish_next(
        &self,
        sources: &[Source],
        policy: &ShrinkPolicy,
    ) -> Result<Refreshed, AdvisoryError> {
        self.remove_unfinished()?;
        let base = self.base()?;
        let compiled = compile(sources, base.parent.as_ref(), self.folder(), policy)?;
        let published = Refreshed {
            changed: !compiled.unchanged,
            generation: Generation(base.before + compiled.generation),
            id: KnowledgeId(compiled.id),
            stats: compiled.stats,
            restarted: base.restarted,
        };
        if !compiled.unchanged {
            let name = FileName::of(&Database::open(&compiled.path)?);
            pointer::write(self.folder(), &Pointer { name, before: base.before })?;
        }
        Ok(published)
    }

    fn base(&self) -> Result<Base, AdvisoryError> {
        let Some(pointer) = pointer::read(self.folder())? else {
            // A crash before the first publication, or a pointer that was removed: the numbers go on.
            let before = self.names()?.iter().map(|name| name.generation).max().unwrap_or(0);
            return Ok(Base { parent: None, before, restarted: before > 0 });
        };
        match kept(self.state(&pointer.name, pointer.before))? {
            Some(state) => {
                Ok(Base { parent: Some(state.database), before: pointer.before, restarted: false })
            }
            None => {
                tracing::warn!(file = %pointer.name, "the current advisories cannot be read: a new line begins");
                let before = pointer.before + pointer.name.generation;
                Ok(Base { parent: None, before, restarted: true })
            }
        }
    }

    /// What a process left that died while compiling: nobody else compiles while the lock is held.
    fn remove_unfinished(&self) -> Result<(), AdvisoryError> {
        for path in self.entries()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(".unfinished-") {
                fs::remove_file(&path).map_err(|error| AdvisoryError::io(&path, error))?;
            }
        }
        Ok(())
    }
}

/// What a new generation stands on.
struct Base {
    parent: Option<Database>,
    before: u64,
    restarted: bool,
}
