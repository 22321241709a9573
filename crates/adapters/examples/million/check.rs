//! The same images twice: in bulk, and through the pipeline itself. What is read out of both files is compared.

use std::path::Path;
use std::sync::Arc;

use cve_monitor_core::pipeline::{Ingest, IngestSettings, Ports};
use cve_monitor_core::ports::MAX_SEND;
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{ImageId, Lane, ScanRequest, Timestamp};
use rusqlite::Connection;

use crate::history::{LOOKS_AGAIN, changed, pushed};
use crate::world::{REGISTRY, World};
use crate::{BETWEEN_LOOKS, Failure, begin, bytes_of_layers, fill};

/// When everything is pushed: 2026-03-01T12:00:00Z, in milliseconds.
const PUSHED_MS: i64 = 1_772_366_400_000;

/// What each file says, without the numbers by which its tables know each other, which follow from the order of work.
const SAID: [(&str, &str); 11] = [
    ("heads", "SELECT stream, version, due_kind, due_at, body FROM heads ORDER BY stream"),
    (
        "events",
        "SELECT heads.stream, events.version, events.id, at, events.body FROM events JOIN heads ON heads.id = events.stream
         ORDER BY 1, 2",
    ),
    ("bodies", "SELECT digest, put_at, size, coding, body FROM bodies ORDER BY digest"),
    ("layer keys", "SELECT key FROM layer_keys ORDER BY key"),
    ("images of the index", "SELECT image FROM layer_images ORDER BY image"),
    (
        "layer index",
        "SELECT layer_keys.key, layer_images.image FROM layer_index JOIN layer_keys ON layer_keys.id = layer_index.key
         JOIN layer_images ON layer_images.id = layer_index.image ORDER BY 1, 2",
    ),
    (
        "layers",
        "SELECT digest, format, extractor, fetched, bytes, record FROM scanner_layers JOIN scanner_records ON layer = id
         ORDER BY digest",
    ),
    ("packages", "SELECT kind, name FROM scanner_packages ORDER BY kind, name"),
    (
        "postings",
        "SELECT kind, name, digest FROM scanner_postings JOIN scanner_packages ON scanner_packages.id = package
         JOIN scanner_layers ON scanner_layers.id = layer ORDER BY 1, 2, 3",
    ),
    ("ecosystems", "SELECT name FROM scanner_ecosystems ORDER BY name"),
    ("requests", "SELECT lane, body, deliveries FROM queue ORDER BY seq"),
];

fn pushed_at() -> Timestamp {
    Timestamp::from_millis(PUSHED_MS)
}

pub(crate) async fn check(images: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    // One after the other in the same place: advisories are named after their source.
    let (home, kept) = (folder.path().join("home"), folder.path().join("bulk.db"));
    std::fs::create_dir(&home)?;
    fill(&home, images, pushed_at()).await?;
    std::fs::rename(home.join("state.db"), &kept)?;
    std::fs::remove_dir_all(&home)?;
    std::fs::create_dir(&home)?;
    work(&home, &World::new(images)?).await?;
    let (bulk, worked) = (Connection::open(&kept)?, Connection::open(home.join("state.db"))?);
    for (what, sql) in SAID {
        let (bulk, worked) = (rows(&bulk, sql)?, rows(&worked, sql)?);
        if let Some((found, wanted)) = bulk.iter().zip(&worked).find(|(found, wanted)| found != wanted) {
            return Err(format!("{what} differ: in bulk {found}, through the pipeline {wanted}").into());
        }
        if bulk.len() != worked.len() {
            return Err(
                format!("{what}: {} in bulk, {} through the pipeline", bulk.len(), worked.len()).into()
            );
        }
        eprintln!("{what}: {} rows, the same", bulk.len());
    }
    layers_of_images(&bulk, &worked)
}

/// The layers of each image, whose numbers are those of its own file.
fn layers_of_images(bulk: &Connection, worked: &Connection) -> Result<(), Failure> {
    let sql = "SELECT hex(manifest), layers FROM scanner_images ORDER BY manifest";
    let read = |file: &Connection| -> Result<Vec<(String, Vec<String>)>, Failure> {
        let mut digest = file.prepare("SELECT hex(digest) FROM scanner_layers WHERE id = ?1")?;
        let mut images = vec![];
        let mut rows = file.prepare(sql)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let numbers: Vec<u8> = row.get(1)?;
            let (numbers, _) = numbers.as_chunks::<8>();
            let digests: Result<_, _> = numbers
                .iter()
                .map(|number| digest.query_row([i64::from_le_bytes(*number)], |row| row.get(0)))
                .collect();
            images.push((row.get(0)?, digests?));
        }
        Ok(images)
    };
    if read(bulk)? == read(worked)? { Ok(()) } else { Err("the layers of images differ".into()) }
}

fn rows(file: &Connection, sql: &str) -> Result<Vec<String>, Failure> {
    let mut statement = file.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values: Result<Vec<String>, _> =
            (0..columns).map(|at| row.get_ref(at).map(|value| shown(&value))).collect();
        Ok(values?.join(" | "))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn shown(value: &rusqlite::types::ValueRef<'_>) -> String {
    match value.as_bytes_or_null() {
        Ok(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => format!("{value:?}"),
    }
}

/// The images, one after the other, through the pipeline.
async fn work(folder: &Path, world: &World) -> Result<(), Failure> {
    let home = begin(folder, pushed_at()).await?;
    let registry = Arc::new(MemoryRegistry::new(REGISTRY.parse()?));
    let mut images = vec![];
    for image in 0..world.images {
        images.push(registry.put_image(&world.repository(image)?, None, &bytes_of_layers(world, image)?));
    }
    let clock = Arc::new(ManualClock::at(pushed_at()));
    let ports = home.ports(registry, Arc::clone(&clock) as _)?;
    ingest(&ports, Lane::Push, images.iter().map(pushed).collect()).await?;
    let feed = ports.feed.clone().ok_or("there is no feed")?;
    for look in 1..=LOOKS_AGAIN {
        clock.advance(BETWEEN_LOOKS);
        let again = |image: &ImageId| changed(image, look, &feed);
        ingest(&ports, Lane::Change, images.iter().map(again).collect()).await?;
    }
    Ok(())
}

async fn ingest(ports: &Arc<Ports>, lane: Lane, requests: Vec<ScanRequest>) -> Result<(), Failure> {
    for batch in requests.chunks(MAX_SEND) {
        ports.queue.send(lane, batch).await?;
    }
    let settings = IngestSettings { concurrency: 1, ..IngestSettings::default() };
    let counts = Ingest::new(Arc::clone(ports), settings).run_until_idle().await;
    if counts.reported + counts.unchanged == requests.len() as u64 {
        Ok(())
    } else {
        Err(format!("of {} requests: {counts:?}", requests.len()).into())
    }
}
