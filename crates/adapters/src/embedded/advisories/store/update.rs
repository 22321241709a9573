//! What the sources say becomes the current state: mirrors are asked for the ecosystems that are needed, and everything
//! is compiled together where anything of it differs.

mod gather;
mod order;

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::Timestamp;
use cve_monitor_scanner::advisory::{CompileStats, ShrinkPolicy, Source};

use self::gather::{Gathered, gather};
pub use self::order::{Ask, Ecosystems, Order, Step};
use super::coverage::{self, Coverage};
use super::{AdvisoryError, AdvisoryStore, blocking, kept, lock, pointer};
use crate::embedded::advisories::{AdvisoryMirror, AdvisorySource, MirrorError};

/// What came of an update.
#[derive(Debug)]
pub struct Updated {
    /// Whether there is a new generation.
    pub changed: bool,
    /// What the sources held; none where nothing was compiled, since nothing differs or nothing is needed yet.
    pub compiled: Option<CompileStats>,
    /// As [`super::Refreshed::restarted`].
    pub restarted: bool,
    /// Which ecosystems there are answers for now.
    pub coverage: Coverage,
    /// What mirrors did not give.
    pub problems: Vec<Problem>,
}

/// What a mirror did not give.
#[derive(Debug)]
pub struct Problem {
    /// The ecosystem that it was asked for.
    pub ecosystem: String,
    /// Why.
    pub error: MirrorError,
    /// A copy stands in that the mirror last vouched for then. None: there is no answer for this ecosystem.
    pub kept: Option<Timestamp>,
}

impl AdvisoryStore {
    /// Which ecosystems the sources were asked for; none where nothing was ever asked for by ecosystem. Whoever reads
    /// the state after this sees at least what this promises.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub async fn coverage(&self) -> Result<Coverage, AdvisoryError> {
        let store = self.clone();
        blocking(move || Ok(coverage::read(store.folder())?.unwrap_or_default())).await
    }

    /// Brings the state up to the sources. Several processes may ask at once: one after the other does it. Dropped, it
    /// still happens wholly or not at all.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused, and where a listed ecosystem cannot be had: the state before stays.
    pub async fn update(
        &self,
        mirror: &AdvisoryMirror,
        order: &Order,
        ask: &Ask,
        told: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Updated, AdvisoryError> {
        let path = self.lock_path();
        let io = |error| AdvisoryError::io(&path, error);
        let lock = match lock::try_acquire(&path).map_err(io)? {
            Some(lock) => lock,
            None => {
                told(Step::Busy);
                lock::acquire(&path).await.map_err(io)?
            }
        };
        let before = self.before().await?;
        let wanted = before.wanted(order);
        let gathered = gather(&before, order, &wanted, ask, mirror, told).await?;
        let problems = gathered.problems;
        let next = Coverage {
            as_needed: order.is_as_needed(),
            ecosystems: gathered.answers,
            inputs: Gathered::known_by(&gathered.inputs),
            compiled: before.coverage.compiled.clone(),
        };
        if gathered.inputs.is_empty() && order.is_as_needed() || before.is_compiled_from(&next) {
            let (store, next) = (self.clone(), next);
            let coverage = blocking(move || {
                let _lock = lock;
                coverage::write(store.folder(), &next).map(|()| next)
            });
            let coverage = coverage.await?;
            return Ok(Updated { changed: false, compiled: None, restarted: false, coverage, problems });
        }
        told(Step::Compiling);
        let sources: Vec<Source> = gathered.inputs.into_iter().map(|input| input.source).collect();
        let (store, policy) = (self.clone(), order.policy());
        // Held by that thread: the work outlives a caller that goes away.
        let done = blocking(move || {
            let _lock = lock;
            store.publish_with(&sources, &policy, next)
        });
        let (refreshed, coverage) = done.await?;
        let compiled = Some(refreshed.stats);
        Ok(Updated {
            changed: refreshed.changed,
            compiled,
            restarted: refreshed.restarted,
            coverage,
            problems,
        })
    }

    /// The state first: what the coverage promises is there for whoever reads the coverage before the state.
    fn publish_with(
        &self,
        sources: &[Source],
        policy: &ShrinkPolicy,
        mut coverage: Coverage,
    ) -> Result<(super::Refreshed, Coverage), AdvisoryError> {
        let refreshed = self.publish_next(sources, policy)?;
        coverage.compiled = pointer::read(self.folder())?.map(|pointer| pointer.name.to_string());
        coverage::write(self.folder(), &coverage)?;
        Ok((refreshed, coverage))
    }

    async fn before(&self) -> Result<Before, AdvisoryError> {
        let store = self.clone();
        blocking(move || {
            // What is damaged is written again.
            let coverage = match coverage::read(store.folder()) {
                Err(AdvisoryError::Coverage { path, problem }) => {
                    tracing::warn!(
                        path,
                        problem,
                        "which ecosystems were asked for cannot be read: asking anew"
                    );
                    None
                }
                read => read?,
            };
            let pointer = pointer::read(store.folder())?;
            let current = match &pointer {
                Some(pointer) => kept(store.state(&pointer.name, pointer.before))?,
                None => None,
            };
            let sources = current.map(|state| state.database.info().sources.keys().cloned().collect());
            let readable = pointer.filter(|_| sources.is_some()).map(|pointer| pointer.name.to_string());
            Ok(Before {
                coverage: coverage.unwrap_or_default(),
                sources: sources.unwrap_or_default(),
                readable,
            })
        })
        .await
    }
}

/// What the folder holds before an update.
struct Before {
    coverage: Coverage,
    /// The names of the sources of the current state.
    sources: BTreeSet<String>,
    /// The file of the current state, where it can be read.
    readable: Option<String>,
}

impl Before {
    /// The ecosystems that mirrors are to give: what was there before stays, since some image may hold it still.
    fn wanted(&self, order: &Order) -> BTreeSet<String> {
        let needed = match &order.ecosystems {
            Ecosystems::Listed(listed) => return listed.clone(),
            Ecosystems::AsNeeded(needed) => needed,
        };
        let mut wanted: BTreeSet<String> =
            needed.iter().chain(self.coverage.ecosystems.keys()).cloned().collect();
        for source in &order.sources {
            if let AdvisorySource::Mirror(_) = source {
                let prefix = format!("{source}/");
                let of_mirror = self.sources.iter().filter_map(|name| name.strip_prefix(&prefix));
                wanted.extend(of_mirror.map(str::to_owned));
            }
        }
        wanted
    }

    /// Whether the current state is what these inputs give: then compiling them again gives it once more.
    fn is_compiled_from(&self, next: &Coverage) -> bool {
        let content_is_known = next.inputs.values().all(|known_by| !known_by.is_empty());
        content_is_known
            && next.inputs == self.coverage.inputs
            && self.readable.is_some()
            && self.readable == self.coverage.compiled
    }
}
