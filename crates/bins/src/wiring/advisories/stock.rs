//! The advisories at hand, for the commands that look after them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cve_monitor_adapters::embedded::advisories::{
    AdvisorySource as Source, AdvisoryStatus, Answer, Ask, Bundled, Coverage,
};
use cve_monitor_adapters::embedded::{Database, needed_ecosystems};
use cve_monitor_core::vocabulary::Timestamp;
use url::Url;

use super::{Advisories, Refreshed, Said, places};
use crate::config::Loaded;
use crate::wiring::{WiringError, blocking, one_scan};

/// The advisories at hand.
#[derive(Debug)]
pub struct Stock {
    advisories: Advisories,
    /// The files in which processes write down what images need.
    layers: Vec<PathBuf>,
    /// Whether a service follows the generations: only it knows which of them nobody needs any more.
    is_followed: bool,
}

/// What there is of one source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StockRow {
    /// The source: a folder, an archive, or a mirror.
    pub source: String,
    /// Of a mirror: the ecosystem.
    pub ecosystem: Option<String>,
    /// `included`, `not_offered` or `awaited`.
    pub state: &'static str,
    /// How many records are in use.
    pub records: Option<u64>,
    /// The date of the newest of them, as it claims.
    pub newest: Option<String>,
    /// When the mirror last said that this is what it has.
    pub checked: Option<Timestamp>,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StockList {
    /// The folder.
    pub folder: String,
    /// The generation in use; none where there is none.
    pub generation: Option<u64>,
    /// The identity of the knowledge in use.
    pub id: Option<String>,
    /// Source by source.
    pub sources: Vec<StockRow>,
}

impl Stock {
    /// The configured sources, and what is kept of them.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub async fn open(loaded: &Loaded) -> Result<Self, WiringError> {
        let store = loaded.config.store.path.clone();
        let scans = one_scan::cache_of(loaded).join(one_scan::LAYERS);
        let is_followed = store.is_file();
        let layers = [store, scans].into_iter().filter(|path| path.is_file()).collect();
        let advisories = Advisories::open(loaded, &loaded.config.advisories.folder).await?;
        Ok(Self { advisories, layers, is_followed })
    }

    async fn needed(&self) -> Result<BTreeSet<String>, WiringError> {
        let mut needed = BTreeSet::new();
        for path in self.layers.clone() {
            let database = blocking(move || Database::open(&path).map_err(WiringError::of)).await?;
            needed.extend(needed_ecosystems(&database).await.map_err(WiringError::of)?);
        }
        Ok(needed)
    }

    /// Brings in these ecosystems; all that is there or needed where none is named.
    ///
    /// # Errors
    /// Where a source cannot be read or is refused: the old advisories stay in use.
    pub async fn update(&self, named: &[String], say: &Said<'_>) -> Result<Refreshed, WiringError> {
        let named: BTreeSet<String> = named.iter().cloned().collect();
        if let Some(listed) = &self.advisories.listed
            && let Some(other) = named.difference(listed).next()
        {
            return Err(WiringError::of(format!(
                "advisories.ecosystems does not name {other}: add it there, or leave the list empty for what images need"
            )));
        }
        let (needed, ask) = match named.is_empty() {
            true => (self.needed().await?, Ask::All),
            false => (named.clone(), Ask::Only(named)),
        };
        self.bring_in(needed, &ask, say).await
    }

    async fn bring_in(
        &self,
        needed: BTreeSet<String>,
        ask: &Ask,
        say: &Said<'_>,
    ) -> Result<Refreshed, WiringError> {
        let refreshed = self.advisories.bring_in(needed, ask, say).await?;
        if !self.is_followed {
            self.advisories.store.prune(&[]).await.map_err(WiringError::of)?;
        }
        Ok(refreshed)
    }

    /// What there is.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn list(&self) -> Result<StockList, WiringError> {
        let coverage = self.advisories.store.coverage().await.map_err(WiringError::of)?;
        let status = self.advisories.store.status().await.map_err(WiringError::of)?;
        let needed = self.needed().await?;
        let mut sources = vec![];
        for source in self.sources()? {
            let Source::Mirror(base) = &source else {
                sources.push(row(&source, None, status.as_ref(), "included", None));
                continue;
            };
            let mut ecosystems: BTreeSet<String> = coverage.ecosystems.keys().cloned().collect();
            ecosystems.extend(self.advisories.listed.clone().unwrap_or_else(|| needed.clone()));
            for ecosystem in ecosystems {
                let kept = self.advisories.mirror.kept(base, &ecosystem).await.map_err(WiringError::of)?;
                let state = state_of(&coverage, &ecosystem);
                let checked = kept.map(|kept| kept.checked);
                sources.push(row(&source, Some(ecosystem), status.as_ref(), state, checked));
            }
        }
        Ok(StockList {
            folder: self.advisories.store.folder().display().to_string(),
            generation: status.as_ref().and_then(|status| status.knowledge.generation).map(|at| at.0),
            id: status.and_then(|status| status.knowledge.id).map(|id| id.0),
            sources,
        })
    }

    /// Writes what is kept of mirrors into one file.
    ///
    /// # Errors
    /// Where nothing is kept, or the file cannot be written.
    pub async fn export(&self, to: &Path) -> Result<Vec<Bundled>, WiringError> {
        let coverage = self.advisories.store.coverage().await.map_err(WiringError::of)?;
        let mut ecosystems: BTreeSet<String> = coverage.ecosystems.into_keys().collect();
        ecosystems.extend(self.needed().await?);
        let wanted: Vec<(Url, String)> = self
            .mirrors()?
            .into_iter()
            .flat_map(|base| ecosystems.iter().map(move |ecosystem| (base.clone(), ecosystem.clone())))
            .collect();
        self.advisories.mirror.export(&wanted, to).await.map_err(WiringError::of)
    }

    /// Takes a bundle over and puts it in use, without asking any mirror.
    ///
    /// # Errors
    /// Where the bundle is not whole, or what is in it is refused: the old advisories stay in use.
    pub async fn import(&self, from: &Path, say: &Said<'_>) -> Result<Vec<Bundled>, WiringError> {
        let mirrors = self.mirrors()?;
        if mirrors.is_empty() {
            let problem =
                "no mirror is among advisories.sources, for which a bundle could stand: name one there";
            return Err(WiringError::of(problem));
        }
        let bundled = self.advisories.mirror.import(&mirrors, from).await.map_err(WiringError::of)?;
        let ecosystems: BTreeSet<String> = bundled.iter().map(|one| one.ecosystem.clone()).collect();
        self.bring_in(ecosystems, &Ask::Only(BTreeSet::new()), say).await?;
        Ok(bundled)
    }

    fn sources(&self) -> Result<Vec<Source>, WiringError> {
        self.advisories.sources.iter().map(places::place).collect()
    }

    fn mirrors(&self) -> Result<Vec<Url>, WiringError> {
        let mirror = |source| match source {
            Source::Mirror(base) => Some(base),
            Source::Folder(_) | Source::Archive(_) => None,
        };
        Ok(self.sources()?.into_iter().filter_map(mirror).collect())
    }
}

fn state_of(coverage: &Coverage, ecosystem: &str) -> &'static str {
    match coverage.ecosystems.get(ecosystem) {
        Some(Answer::Included) => "included",
        Some(Answer::NotOffered) => "not_offered",
        None => "awaited",
    }
}

fn row(
    source: &Source,
    ecosystem: Option<String>,
    status: Option<&AdvisoryStatus>,
    state: &'static str,
    checked: Option<Timestamp>,
) -> StockRow {
    let name = ecosystem.iter().fold(source.to_string(), |name, ecosystem| format!("{name}/{ecosystem}"));
    let stats = status.and_then(|status| status.info.sources.get(&name));
    StockRow {
        source: source.to_string(),
        ecosystem,
        state: if state == "included" && stats.is_none() { "awaited" } else { state },
        records: stats.map(|stats| stats.records),
        newest: stats.and_then(|stats| stats.newest_modified.clone()),
        checked,
    }
}
