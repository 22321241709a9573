//! A folder as the shipped programs have it: the SQLite file, the advisories, their source, a configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cve_monitor_adapters::embedded::advisories::{
    AdvisoryMirror, AdvisorySource, AdvisoryStore, Ask, Ecosystems, EmbeddedFeed, MirrorSettings, Order,
};
use cve_monitor_adapters::embedded::{
    Database, EmbeddedScanner, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
    needed_ecosystems,
};
use cve_monitor_core::pipeline::{Notifier, Ports, Registries, Scope};
use cve_monitor_core::ports::{ChangeFeed as _, Clock, Registry};
use cve_monitor_scanner::advisory::ShrinkPolicy;

use crate::Failure;

/// Advisories about packages that no image has: the images' releases are covered by them.
const ALWAYS: [(&str, &str); 2] = [("Debian:12", "made-up-deb-absent"), ("PyPI", "made-up-py-absent")];

/// Everything of one run, in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    pub(crate) database: Database,
    pub(crate) advisories: AdvisoryStore,
}

impl Home {
    /// The folder with what is in it; made where it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        for name in ["source", "reports", "advisories"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let folder = folder.canonicalize()?;
        let home = Self {
            database: Database::open(folder.join("state.db"))?,
            advisories: AdvisoryStore::open(folder.join("advisories"))?,
            folder,
        };
        for (ecosystem, package) in ALWAYS {
            home.advise(&format!("MADE-UP-{package}"), ecosystem, package)?;
        }
        Ok(home)
    }

    /// The same advisories over another file.
    pub(crate) fn beside(&self, file: &Path) -> Result<Self, Failure> {
        Ok(Self { database: Database::open(file)?, ..self.clone() })
    }

    /// The same file with advisories of its own, which nobody else follows.
    pub(crate) fn aside(&self) -> Result<Self, Failure> {
        let aside = Self::open(&self.path("aside"))?;
        Ok(Self { database: self.database.clone(), ..aside })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A record about every version of a package; the next refresh reads it.
    pub(crate) fn advise(&self, id: &str, ecosystem: &str, package: &str) -> Result<(), Failure> {
        let record = serde_json::json!({
            "id": id, "modified": "2026-02-01T00:00:00Z", "summary": "a flaw",
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0" }] }],
            }],
        });
        Ok(fs::write(self.path("source").join(format!("{id}.json")), record.to_string())?)
    }

    pub(crate) fn retract(&self, id: &str) -> Result<(), Failure> {
        Ok(fs::remove_file(self.path("source").join(format!("{id}.json")))?)
    }

    /// Brings the advisories up to their source, as the programs do.
    pub(crate) async fn refresh(&self) -> Result<(), Failure> {
        let mut settings = MirrorSettings::new(self.path("advisories").join("exports"));
        settings.offline = true;
        let mirror = AdvisoryMirror::new(settings)?;
        let order = Order {
            sources: vec![AdvisorySource::parse(&self.path("source").display().to_string())?],
            ecosystems: Ecosystems::AsNeeded(needed_ecosystems(&self.database).await?),
            policy: ShrinkPolicy { max_shrink_percent: 100, accepted: BTreeSet::new() },
            is_cut_off: false,
        };
        self.advisories.update(&mirror, &order, &Ask::All, &|_| {}).await?;
        Ok(())
    }

    pub(crate) fn feed(&self) -> EmbeddedFeed {
        EmbeddedFeed::new(self.database.clone(), self.advisories.clone())
    }

    pub(crate) fn ports(
        &self,
        registry: Arc<dyn Registry>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Ports>, Failure> {
        let registries = Registries::new([registry]);
        let database = &self.database;
        Ok(Arc::new(Ports {
            store: Arc::new(SqliteEventStore::new(database.clone())),
            queue: Arc::new(SqliteQueue::new(database.clone(), Arc::clone(&clock))),
            index: Arc::new(SqliteLayerIndex::new(database.clone())),
            archive: Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&clock))),
            scanner: Arc::new(EmbeddedScanner::new(
                database.clone(),
                self.advisories.clone(),
                registries.clone(),
            )),
            registries,
            sinks: vec![Arc::new(FolderSink::open(self.path("reports"))?)],
            scope: Scope::default(),
            feed: Some(self.feed().name()),
            clock,
        }))
    }

    /// Lets the feed be followed to its end, so that the next change is one.
    pub(crate) async fn follow(&self, ports: &Arc<Ports>) -> Result<u64, Failure> {
        let done = Notifier::new(Arc::clone(ports), Arc::new(self.feed())).follow().await?;
        Ok(done.queued)
    }
}
