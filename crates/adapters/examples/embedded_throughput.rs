//! How many appends and images a second one SQLite file takes on this disk, every answer durable. A figure for people,
//! printed with what the disk itself does; nothing is asserted.
//!
//! `cargo run --example embedded_throughput [-- FOLDER [deep]]`, the folder being on the disk in question. `deep` goes on
//! with a million requests in a lane and a layer that most images share.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cve_monitor_adapters::embedded::{
    Database, SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue,
};
use cve_monitor_adapters::system_clock::SystemClock;
use cve_monitor_core::ports::{EventStore as _, LayerIndex as _, Queue as _, ReportArchive as _};
use cve_monitor_core::scan::{Event, FeedEvent, FeedState, Head, HeadState, RecordedEvent, StreamId, seal};
use cve_monitor_core::vocabulary::{
    Cause, Digest, ImageId, Lane, LayerKey, RequestId, ScanRequest, Timestamp,
};
use futures::StreamExt as _;

type Failure = Box<dyn Error + Send + Sync>;

const SYNCS: u32 = 200;
const APPENDS_ALONE: u64 = 500;
const APPENDS_AT_ONCE: u64 = 20_000;
const IMAGES: u64 = 3_000;
const LAYERS: u64 = 8;
const REPORT_BYTES: usize = 40_000;
const DEEP: u64 = 1_000_000;
const DEEP_IMAGES: u64 = 200_000;
const LEASE: Duration = Duration::from_secs(600);

/// The ports of one file.
struct Ports {
    store: SqliteEventStore,
    queue: SqliteQueue,
    index: SqliteLayerIndex,
    archive: SqliteArchive,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder)?;
    println!("the disk: {:.2} ms for a write of 4 KiB and its fsync", disk(folder.path())?);
    let database = Database::open(folder.path().join("monitor.db"))?;
    let clock = Arc::new(SystemClock);
    let ports = Ports {
        store: SqliteEventStore::new(database.clone()),
        queue: SqliteQueue::new(database.clone(), Arc::clone(&clock) as _),
        index: SqliteLayerIndex::new(database.clone()),
        archive: SqliteArchive::new(database.clone(), clock),
    };
    rate("appends, one after another", APPENDS_ALONE, 1, |n| append(&ports.store, n)).await?;
    rate("appends, 64 at once", APPENDS_AT_ONCE, 64, |n| append(&ports.store, APPENDS_AT_ONCE + n)).await?;
    rate("appends, 256 at once", APPENDS_AT_ONCE, 256, |n| append(&ports.store, 2 * APPENDS_AT_ONCE + n))
        .await?;
    let requests: Vec<_> = (0..IMAGES).map(request).collect();
    for chunk in requests.chunks(1000) {
        ports.queue.send(Lane::Push, chunk).await?;
    }
    rate("images, 32 at once", IMAGES, 32, |_| scan(&ports)).await?;
    if std::env::args().nth(2).is_some() {
        deep_queue(&ports).await?;
        deep_index(&ports).await?;
    }
    Ok(())
}

async fn deep_queue(ports: &Ports) -> Result<(), Failure> {
    rate("thousands of requests sent", DEEP / 1000, 4, async |n| {
        let requests: Vec<_> = (n * 1000..(n + 1) * 1000).map(request).collect();
        Ok(ports.queue.send(Lane::Backfill, &requests).await?)
    })
    .await?;
    rate("of a million, received and acknowledged", 2_000, 32, async |_| {
        let delivery = ports.queue.receive(Lane::Backfill, 1, LEASE, Duration::ZERO).await?;
        let delivery = delivery.into_iter().next().ok_or("the queue ran empty")?;
        Ok(ports.queue.acknowledge(&delivery.lease).await?)
    })
    .await
}

async fn deep_index(ports: &Ports) -> Result<(), Failure> {
    rate("images recorded with 8 layers", DEEP_IMAGES, 64, async |n| {
        let image = image(n);
        let keys: Vec<_> = (0..LAYERS).map(|number| layer(&image, number)).collect();
        Ok(ports.index.record(&image, &keys).await?)
    })
    .await?;
    let (began, mut found, mut after) = (Instant::now(), 0, None);
    loop {
        let page = ports.index.images(&layer(&image(0), 0), after, 1000).await?;
        found += page.items.len();
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    println!(
        "a layer of {found} images was listed in {:.2} s, a thousand a page",
        began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    for number in 0..1000 {
        let own = image(number);
        ports.index.images(&layer(&own, LAYERS - 1), None, 1000).await?;
    }
    println!("a layer of one image was listed in {:.2} ms", began.elapsed().as_secs_f64());
    Ok(())
}

/// What one durable write costs, in ms.
fn disk(folder: &Path) -> Result<f64, Failure> {
    let mut file = std::fs::File::create(folder.join("probe"))?;
    let began = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
    }
    Ok(began.elapsed().as_secs_f64() * 1000.0 / f64::from(SYNCS))
}

async fn rate<F: Future<Output = Result<(), Failure>>>(
    what: &str,
    number: u64,
    at_once: usize,
    work: impl FnMut(u64) -> F,
) -> Result<(), Failure> {
    let began = Instant::now();
    let mut done = futures::stream::iter((0..number).map(work)).buffer_unordered(at_once);
    while let Some(one) = done.next().await {
        one?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{what}: {number} in {seconds:.2} s, {:.0} a second",
        f64::from(u32::try_from(number)?) / seconds
    );
    Ok(())
}

fn events(stream: &StreamId, expected: u64, count: u64) -> (Vec<RecordedEvent>, Head) {
    // About as long as an event of an image.
    let bell = |_| Event::Feed(FeedEvent::BellRang { name: Digest::of(b"x").to_string().repeat(4) });
    let state = HeadState::Feed(FeedState { bells: expected + count, ..FeedState::default() });
    let events = seal(stream, expected, Timestamp::from_millis(0), (0..count).map(bell).collect());
    (events, Head { version: expected + count, state })
}

async fn append(store: &SqliteEventStore, number: u64) -> Result<(), Failure> {
    let stream = StreamId(format!("feed/{number}"));
    let (events, head) = events(&stream, 0, 1);
    Ok(store.append(&stream, 0, &events, &head).await?)
}

fn image(number: u64) -> ImageId {
    let digest = Digest::of(&number.to_le_bytes());
    let text = format!("registry.test/team/app{}@{digest}", number % 100);
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn request(number: u64) -> ScanRequest {
    let id = RequestId::derived(&[&number.to_string()]);
    ScanRequest { id, image: image(number), cause: Cause::Push { tag: None }, at_least: None }
}

/// A digest in ten thousand is shared by many images, as base layers are.
fn layer(image: &ImageId, number: u64) -> LayerKey {
    let own = number >= 3;
    let seed = if own { format!("{image} {number}") } else { format!("base {number}") };
    LayerKey(Digest::of(seed.as_bytes()).to_string())
}

/// What a push costs the file: a lease, the layers, three appends, the body, the acknowledgement.
async fn scan(ports: &Ports) -> Result<(), Failure> {
    let delivery = ports.queue.receive(Lane::Push, 1, LEASE, Duration::ZERO).await?;
    let Some(delivery) = delivery.into_iter().next() else { return Err("the queue ran empty".into()) };
    let image = delivery.request.map_err(|unreadable| unreadable.problem)?.image;
    let stream = StreamId::image(&image);
    ports.store.head(&stream).await?;
    let keys: Vec<_> = (0..LAYERS).map(|number| layer(&image, number)).collect();
    ports.index.record(&image, &keys).await?;
    let mut version = 0;
    for count in [3, 2, 1] {
        if count == 2 {
            let line = format!("{{\"Name\":\"{image}\",\"Severity\":\"High\"}}");
            ports.archive.put(line.repeat(REPORT_BYTES / line.len()).as_bytes()).await?;
        }
        let (events, head) = events(&stream, version, count);
        ports.store.append(&stream, version, &events, &head).await?;
        version += count;
    }
    Ok(ports.queue.acknowledge(&delivery.lease).await?)
}
