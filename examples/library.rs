//! The library in a program of one's own: images of a layout, the scanner inside, reports wherever one likes.

use std::sync::Arc;

use cve_monitor_adapters::embedded::{
    Database, EmbeddedScanner, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
    advisories::{AdvisoryMirror, AdvisorySource, AdvisoryStore, Ask, MirrorSettings, Order},
};
use cve_monitor_adapters::{oci::LocalRegistry, system_clock::SystemClock};
use cve_monitor_core::pipeline::{
    Ingest, IngestSettings, Ports, ReconcileMode, ReconcileSettings, Reconciler, Registries, Scope,
};
use cve_monitor_core::ports::{ReportObject, ReportSink, SinkError};

#[derive(Debug)]
struct Printer;

#[async_trait::async_trait]
impl ReportSink for Printer {
    fn name(&self) -> String {
        "printer".to_owned()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        println!("{}: {} bytes", report.key(), report.body.len());
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let work = tempfile::tempdir()?;
    let advisories = AdvisoryStore::open(work.path().join("advisories"))?;
    let mirror = AdvisoryMirror::new(MirrorSettings::new(work.path().join("exports")))?;
    let source = AdvisorySource::parse(&format!("{examples}/advisories/first"))?;
    let order = Order { sources: vec![source], ..Order::default() };
    advisories.update(&mirror, &order, &Ask::All, &|_| {}).await?;
    let layout = format!("{examples}/images").into();
    let layout = LocalRegistry::open_layout("local".parse()?, "images".parse()?, layout).await?;
    let registries = Registries::new([Arc::new(layout) as _]);
    let database = Database::open(work.path().join("state.db"))?;
    let ports = Arc::new(Ports {
        store: Arc::new(SqliteEventStore::new(database.clone())),
        queue: Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock))),
        index: Arc::new(SqliteLayerIndex::new(database.clone())),
        archive: Arc::new(SqliteArchive::new(database.clone(), Arc::new(SystemClock))),
        scanner: Arc::new(EmbeddedScanner::new(database, advisories, registries.clone())),
        sinks: vec![Arc::new(Printer)],
        scope: Scope::default(),
        feed: None,
        registries,
        clock: Arc::new(SystemClock),
    });
    let reconciler = Reconciler::new(ports.clone(), ReconcileSettings::default());
    reconciler.round(&"local".parse()?, ReconcileMode::Apply, &mut |_, _| {}).await?;
    println!("{:?}", Ingest::new(ports, IngestSettings::default()).run_until_idle().await);
    Ok(())
}
