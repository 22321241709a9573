//! First figures of the whole pipeline on one machine, in one run: a table on stdout, JSON under `target/bench/`.
//! `cargo xtask bench` runs it in release. Figures for people: nothing is asserted.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use cve_monitor_adapters::embedded::advisories::{AdvisoryStore, EmbeddedFeed};
use cve_monitor_adapters::embedded::{
    Database, EmbeddedScanner, FolderSink, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::oci::{LocalName, LocalRegistry};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::pipeline::{Ingest, IngestSettings, Notifier, Ports, Registries, Scope};
use cve_monitor_core::ports::{
    ChangeFeed as _, Clock, IndexRequest, MAX_SEND, Readiness, Registry, Scanner, ScannerError,
};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{
    Assessment, Cause, Completeness, Generation, ImageId, Knowledge, KnowledgeId, Lane, LayerKey, Manifest,
    RequestId, ScanRequest, ScannerIdentity,
};
use cve_monitor_scanner::advisory::{ShrinkPolicy, Source, SourceLocation};

type Failure = Box<dyn Error + Send + Sync>;

/// Images of the pipeline's figure.
const PIPELINE_IMAGES: usize = 5_000;
/// Images that share a base layer.
const SHARED_IMAGES: usize = 10_000;
const CONCURRENCY: usize = 64;
const BASE_LAYER: &str = "df2d8e8dafe375026e40f8c8a1d6bf0ab00cfaaa9c8755498977510908041c78";
const LARGEST_IMAGE: &str = "debian-node";

/// A row of the table.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

/// A scanner that costs nothing: what is left is the pipeline.
#[derive(Debug)]
struct FreeScanner;

#[async_trait]
impl Scanner for FreeScanner {
    fn identity(&self) -> ScannerIdentity {
        ScannerIdentity { name: "free".to_owned(), version: "1".to_owned() }
    }

    fn keys(&self, request: &IndexRequest) -> Vec<LayerKey> {
        request.manifest.layers.iter().map(|layer| LayerKey(layer.digest.to_string())).collect()
    }

    async fn readiness(&self) -> Result<Readiness, ScannerError> {
        Ok(Readiness::Ready(knowledge()))
    }

    async fn index(&self, _: &IndexRequest) -> Result<Vec<LayerKey>, ScannerError> {
        Ok(vec![])
    }

    async fn assess(&self, _: &ImageId, _: Option<Generation>) -> Result<Assessment, ScannerError> {
        Ok(Assessment {
            findings: vec![],
            completeness: Completeness::complete(),
            looked_at: vec![],
            sbom: None,
            knowledge: knowledge(),
        })
    }
}

fn knowledge() -> Knowledge {
    Knowledge {
        id: Some(KnowledgeId("free".to_owned())),
        generation: Some(Generation(1)),
        last_changed: std::collections::BTreeMap::new(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let examples = std::env::args().nth(1).map_or_else(|| PathBuf::from("examples"), PathBuf::from);
    let out = PathBuf::from("target/bench");
    std::fs::create_dir_all(&out)?;
    let mut figures = pipeline(tempfile::tempdir_in(&out)?.path()).await?;
    figures.extend(inventory(tempfile::tempdir_in(&out)?.path(), &examples).await?);
    figures.extend(change(tempfile::tempdir_in(&out)?.path(), &examples).await?);
    let mut json = serde_json::Map::new();
    for Figure { name, value, unit } in &figures {
        println!("{name:<74} {value:>12.2} {unit}");
        json.insert(format!("{name} [{unit}]"), serde_json::json!(value));
    }
    std::fs::write(out.join("figures.json"), serde_json::to_vec_pretty(&json)?)?;
    Ok(())
}

fn assemble(
    folder: &Path,
    database: &Database,
    scanner: Arc<dyn Scanner>,
    registry: Arc<dyn Registry>,
) -> Result<Arc<Ports>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let reports = folder.join("reports");
    std::fs::create_dir_all(&reports)?;
    Ok(Arc::new(Ports {
        store: Arc::new(SqliteEventStore::new(database.clone())),
        queue: Arc::new(SqliteQueue::new(database.clone(), Arc::clone(&clock))),
        index: Arc::new(SqliteLayerIndex::new(database.clone())),
        archive: Arc::new(SqliteArchive::new(database.clone(), Arc::clone(&clock))),
        scanner,
        registries: Registries::new([registry]),
        sinks: vec![Arc::new(FolderSink::open(&reports)?)],
        scope: Scope::default(),
        feed: None,
        clock,
    }))
}

async fn push(ports: &Ports, images: &[ImageId]) -> Result<(), Failure> {
    let requests: Vec<ScanRequest> = images
        .iter()
        .map(|image| ScanRequest {
            id: RequestId::derived(&["bench", &image.to_string()]),
            image: image.clone(),
            cause: Cause::Push { tag: None },
            at_least: None,
        })
        .collect();
    for batch in requests.chunks(MAX_SEND) {
        ports.queue.send(Lane::Push, batch).await?;
    }
    Ok(())
}

fn ingest(ports: &Arc<Ports>) -> Ingest {
    Ingest::new(Arc::clone(ports), IngestSettings { concurrency: CONCURRENCY, ..IngestSettings::default() })
}

/// Images a second from queue to delivered report, with a scanner that costs nothing and every append durable.
async fn pipeline(folder: &Path) -> Result<Vec<Figure>, Failure> {
    let registry = Arc::new(MemoryRegistry::new("bench.example".parse()?));
    let repository = "team/app".parse()?;
    let images: Vec<ImageId> = (0..PIPELINE_IMAGES)
        .map(|n| registry.put_image(&repository, None, &[b"base".to_vec(), n.to_string().into_bytes()]))
        .collect();
    let database = Database::open(folder.join("state.db"))?;
    let ports = assemble(folder, &database, Arc::new(FreeScanner), registry)?;
    push(&ports, &images).await?;
    let before = resident_peak_mib();
    let start = Instant::now();
    let counts = ingest(&ports).run_until_idle().await;
    let seconds = start.elapsed().as_secs_f64();
    let reported = counts.reported as f64;
    Ok(vec![
        figure("pipeline, scanner that costs nothing, SQLite FULL: images reported", reported, "images"),
        figure("pipeline, scanner that costs nothing, SQLite FULL: rate", reported / seconds, "images/s"),
        figure("pipeline: growth of the resident peak", resident_peak_mib() - before, "MiB"),
    ])
}

/// The inventory of the largest image of the examples, from its layout.
async fn inventory(folder: &Path, examples: &Path) -> Result<Vec<Figure>, Failure> {
    let registry =
        LocalRegistry::open_layout("bench.example".parse()?, "examples".parse()?, examples.join("images"))
            .await?;
    let name = LocalName::Tag(LARGEST_IMAGE.parse()?);
    let image = registry.select(Some(&name)).await?.into_iter().next().ok_or("the image is not there")?;
    let Manifest::Image(manifest) = registry.manifest(&image).await?.parse()? else {
        return Err("not an image".into());
    };
    let database = Database::open(folder.join("state.db"))?;
    let store = AdvisoryStore::open(folder.join("advisories"))?;
    let scanner =
        EmbeddedScanner::new(database, store, Registries::new([Arc::new(registry) as Arc<dyn Registry>]));
    let before = resident_peak_mib();
    let start = Instant::now();
    scanner.index(&IndexRequest { image, manifest, parents: vec![] }).await?;
    Ok(vec![
        figure(
            "inventory of the largest example image (debian-node)",
            start.elapsed().as_secs_f64() * 1000.0,
            "ms",
        ),
        figure(
            "inventory: compressed layer bytes read",
            scanner.layer_bytes_read() as f64 / 1048576.0,
            "MiB",
        ),
        figure("inventory: growth of the resident peak", resident_peak_mib() - before, "MiB"),
    ])
}

/// From "the advisories have changed" to the last new report of 10,000 images that share a base layer.
async fn change(folder: &Path, examples: &Path) -> Result<Vec<Figure>, Failure> {
    let base = std::fs::read(examples.join("images/blobs/sha256").join(BASE_LAYER))?;
    let registry = Arc::new(MemoryRegistry::new("bench.example".parse()?));
    let repository = "team/app".parse()?;
    let mut images = Vec::with_capacity(SHARED_IMAGES);
    for n in 0..SHARED_IMAGES {
        images.push(registry.put_image(&repository, None, &[base.clone(), top_layer(n)?]));
    }
    let database = Database::open(folder.join("state.db"))?;
    let store = AdvisoryStore::open(folder.join("advisories"))?;
    let registries = Registries::new([Arc::clone(&registry) as Arc<dyn Registry>]);
    let scanner = Arc::new(EmbeddedScanner::new(database.clone(), store.clone(), registries));
    let feed = Arc::new(EmbeddedFeed::new(database.clone(), store.clone()));
    let ports = assemble(folder, &database, Arc::clone(&scanner) as _, registry)?;
    let ports = Arc::new(Ports { feed: Some(feed.name()), ..(*ports).clone() });
    let notifier = Notifier::new(Arc::clone(&ports), feed);

    store.refresh(sources(&examples.join("advisories/first")), ShrinkPolicy::default()).await?;
    notifier.follow().await?;
    push(&ports, &images).await?;
    let start = Instant::now();
    let first = ingest(&ports).run_until_idle().await.reported as f64;
    let first_rate = first / start.elapsed().as_secs_f64();

    let read = scanner.layer_bytes_read();
    let start = Instant::now();
    store.refresh(sources(&examples.join("advisories/second")), ShrinkPolicy::default()).await?;
    let compiled = start.elapsed().as_secs_f64();
    let queued = notifier.follow().await?.queued as f64;
    let followed = start.elapsed().as_secs_f64();
    let reported = ingest(&ports).run_until_idle().await.reported as f64;
    Ok(vec![
        figure("10,000 images on one base layer: first reports, rate", first_rate, "images/s"),
        figure("second advisories: compiled and published after", compiled, "s"),
        figure("second advisories: all requests durably queued after", followed, "s"),
        figure("second advisories: requests queued", queued, "requests"),
        figure("second advisories: last new report delivered after", start.elapsed().as_secs_f64(), "s"),
        figure("second advisories: new reports", reported, "reports"),
        figure("second advisories: layer bytes read", (scanner.layer_bytes_read() - read) as f64, "bytes"),
        figure(
            "resident peak of the whole run (the registry in memory included)",
            resident_peak_mib(),
            "MiB",
        ),
    ])
}

fn figure(name: &'static str, value: f64, unit: &'static str) -> Figure {
    Figure { name, value, unit }
}

fn sources(folder: &Path) -> Vec<Source> {
    vec![Source {
        name: "examples".to_owned(),
        location: SourceLocation::Folder(folder.to_owned()),
        only: None,
    }]
}

/// A layer that no other image has.
fn top_layer(n: usize) -> Result<Vec<u8>, Failure> {
    let mut layer = tar::Builder::new(vec![]);
    let content = n.to_string();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    layer.append_data(&mut header, "app/number", content.as_bytes())?;
    Ok(layer.into_inner()?)
}

/// The most memory that this process ever held, in MiB; zero where the system does not tell.
fn resident_peak_mib() -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or(0.0, |kib| kib / 1024.0)
}
