//! The SQLite file, the folder of reports and the machine's clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::embedded::{
    Database, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::{Clock, EventStore, LayerIndex, Queue, ReportArchive, ReportSink};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::laws::clock::ClockHarness;
use cve_monitor_core::testkit::laws::event_store::EventStoreHarness;
use cve_monitor_core::testkit::laws::layer_index::LayerIndexHarness;
use cve_monitor_core::testkit::laws::queue::QueueHarness;
use cve_monitor_core::testkit::laws::report_archive::ReportArchiveHarness;
use cve_monitor_core::testkit::laws::report_sink::ReportSinkHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::vocabulary::Digest;
use tempfile::TempDir;

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("queue", "sqlite", laws::queue::LAWS, || Box::pin(async { Ok(OneFile::fresh()? as _) }));
    rows.add("event_store", "sqlite", laws::event_store::LAWS, || {
        Box::pin(async { Ok(OneFile::fresh()? as _) })
    });
    rows.add("layer_index", "sqlite", laws::layer_index::LAWS, || {
        Box::pin(async { Ok(OneFile::fresh()? as _) })
    });
    rows.add("report_archive", "sqlite", laws::report_archive::LAWS, || {
        Box::pin(async { Ok(OneFile::fresh()? as _) })
    });
    rows.add("report_sink", "folder", laws::report_sink::LAWS, || {
        Box::pin(async { Ok(Box::new(Folder::fresh()) as _) })
    });
    rows.add("clock", "system", laws::clock::LAWS, || {
        Box::pin(async { Ok(Box::new(Machine(UniqueNames::new("c"))) as _) })
    });
}

/// Four ports on one file, on a clock that is moved by hand. The file goes with the harness.
struct OneFile {
    names: UniqueNames,
    clock: Arc<ManualClock>,
    database: Database,
    queue: Arc<SqliteQueue>,
    _folder: TempDir,
}

impl OneFile {
    fn fresh() -> Result<Box<Self>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A file that cannot be opened fails its rows: it is no backend that a machine may lack.
        let database = Database::open(folder.path().join("monitor.db")).expect("a new database");
        let clock = Arc::new(ManualClock::default());
        let queue = Arc::new(SqliteQueue::new(database.clone(), Arc::clone(&clock) as _));
        Ok(Box::new(Self { names: UniqueNames::new("s"), clock, database, queue, _folder: folder }))
    }
}

#[async_trait]
impl Harness for OneFile {
    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

impl QueueHarness for OneFile {
    fn queue(&self) -> Arc<dyn Queue> {
        Arc::clone(&self.queue) as _
    }
}

impl EventStoreHarness for OneFile {
    fn store(&self) -> Arc<dyn EventStore> {
        Arc::new(SqliteEventStore::new(self.database.clone()))
    }
}

impl LayerIndexHarness for OneFile {
    fn index(&self) -> Arc<dyn LayerIndex> {
        Arc::new(SqliteLayerIndex::new(self.database.clone()))
    }
}

#[async_trait]
impl ReportArchiveHarness for OneFile {
    fn archive(&self) -> Arc<dyn ReportArchive> {
        Arc::new(SqliteArchive::new(self.database.clone(), Arc::clone(&self.clock) as _))
    }

    async fn damage(&self, digest: &Digest) -> Option<()> {
        let digest = digest.hex().to_owned();
        let damage = self.database.write(move |tx| {
            Ok(tx.execute("UPDATE bodies SET body = CAST('damage' AS BLOB) WHERE digest = ?1", [digest])?)
        });
        (damage.await == Ok(1)).then_some(())
    }
}

/// A folder of its own.
struct Folder {
    names: UniqueNames,
    sink: Arc<FolderSink>,
    root: TempDir,
}

impl Folder {
    fn fresh() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let sink = Arc::new(FolderSink::open(root.path()).expect("the folder is there"));
        Self { names: UniqueNames::new("f"), sink, root }
    }
}

#[async_trait]
impl Harness for Folder {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

/// What a reader of the lake sees: the files that end in `.json`.
fn reports_under(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            reports_under(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let key = path.strip_prefix(root).expect("under the root").to_string_lossy().into_owned();
            found.insert(key, std::fs::read(&path).expect("a report"));
        }
    }
}

#[async_trait]
impl ReportSinkHarness for Folder {
    fn sink(&self) -> Arc<dyn ReportSink> {
        Arc::clone(&self.sink) as _
    }

    async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        reports_under(self.root.path(), self.root.path(), &mut found);
        found
    }
}

/// The machine's clock: time passes by itself.
struct Machine(UniqueNames);

#[async_trait]
impl Harness for Machine {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.0.make()
    }
}

impl ClockHarness for Machine {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }
}
