//! What images cost in DynamoDB, how fast an emulator of it is, and how much memory it takes to list a million images of one
//! layer. Figures for people; nothing is asserted.
//!
//! `cargo run --example dynamodb_cost -- ENDPOINT`, where DynamoDB Local answers at the endpoint: it reports what is consumed.

mod connectors;

use std::error::Error;
use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use cve_monitor_adapters::aws::SdkConfig;
use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex, create_tables};
use cve_monitor_core::ports::{EventStore as _, LayerIndex as _};
use cve_monitor_core::scan::{
    Due, Event, Head, HeadState, ImageEvent, ImageState, RecordedEvent, StreamId, evolve, seal,
};
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, RequestId, Timestamp};
use futures::StreamExt as _;
use serde_json::{Value, json};

use self::connectors::{Meter, made_up, metered};

type Failure = Box<dyn Error + Send + Sync>;

const LAYERS: usize = 12;
const IMAGES: u64 = 2_000;
const AT_ONCE: usize = 32;
const PAGE: usize = 500;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let endpoint = std::env::args().nth(1).ok_or("usage: dynamodb_cost ENDPOINT")?;
    let meter = Meter::default();
    let config = config(&endpoint, metered(&meter)).await;
    // Nothing of an earlier run.
    let prefix = format!("cost-{}", std::process::id());
    create_tables(&config, &prefix).await?;
    let (store, index) = (DynamoEventStore::new(&config, &prefix), DynamoLayerIndex::new(&config, &prefix));
    costs(&store, &index, &meter).await?;
    rates(&store, &index).await?;
    fan_out().await
}

async fn config(endpoint: &str, client: SharedHttpClient) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("cost", "cost", None, None, "cost"))
        .http_client(client)
        .load()
        .await
}

/// An image whose stream is written.
struct Image {
    id: ImageId,
    state: ImageState,
    version: u64,
}

impl Image {
    fn new(n: u64) -> Result<Self, Failure> {
        let digest = Digest::of(&n.to_le_bytes());
        let id = format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app-{}@{digest}", n % 100);
        Ok(Self { id: id.parse()?, state: ImageState::default(), version: 0 })
    }

    fn keys(&self) -> Vec<LayerKey> {
        (0..LAYERS).map(|n| LayerKey(Digest::of(format!("{} {n}", self.id).as_bytes()).to_string())).collect()
    }

    fn next(&mut self, events: Vec<Value>) -> Result<(u64, Vec<RecordedEvent>, Head), Failure> {
        let at = Timestamp::from_millis(1_772_366_400_000);
        let mut sealed = vec![];
        for event in events {
            let event: ImageEvent = serde_json::from_value(event)?;
            self.state = evolve(std::mem::take(&mut self.state), at, &event)?;
            sealed.push(Event::Image(event));
        }
        let expected = self.version;
        let events = seal(&StreamId::image(&self.id), expected, at, sealed);
        self.version += events.len() as u64;
        let head = Head { version: self.version, state: HeadState::Image(Box::new(self.state.clone())) };
        Ok((expected, events, head))
    }

    async fn append(&mut self, store: &DynamoEventStore, events: Vec<Value>) -> Result<(), Failure> {
        let (expected, events, head) = self.next(events)?;
        Ok(store.append(&StreamId::image(&self.id), expected, &events, &head).await?)
    }

    fn requested(&self) -> Value {
        let id = RequestId::derived(&[&self.id.to_string(), &self.version.to_string()]);
        json!({"type": "ScanRequested", "request": id, "cause": {"kind": "push", "tag": "v1.2.3"}})
    }

    fn recorded(&self) -> [Value; 2] {
        let config = Digest::of(b"config");
        let platform = json!({"os": "linux", "architecture": "amd64"});
        [
            json!({"type": "ManifestResolved", "config": config, "layers": LAYERS, "platform": platform}),
            json!({"type": "LayersRecorded", "keys": self.keys(), "generation": 1}),
        ]
    }
}

fn assessed(report: &str) -> Value {
    let counts = json!({"critical": 1, "high": 12, "medium": 40, "low": 80, "negligible": 5, "unknown": 0});
    json!({"type": "Assessed", "started": "2026-03-01T12:00:00Z", "generation": 42, "knowledge": "k-2026-03-01",
        "scanner": {"name": "embedded", "version": "2"}, "content": Digest::of(report.as_bytes()).hex(),
        "report": Digest::of(report.as_bytes()).hex()[..32], "body": Digest::of(report.as_bytes()),
        "verdict": "vulnerable", "level": "complete", "counts": counts, "new": 3, "gone": 1})
}

fn delivered(report: &str) -> Value {
    json!({"type": "Delivered", "report": Digest::of(report.as_bytes()).hex()[..32], "sink": "s3"})
}

/// The way of one image, step by step.
async fn costs(store: &DynamoEventStore, index: &DynamoLayerIndex, meter: &Meter) -> Result<(), Failure> {
    Image::new(100)?.append(store, vec![json!({"type": "ImageDeleted"})]).await?;
    let mut image = Image::new(0)?;
    let stream = StreamId::image(&image.id);
    let _ = meter.take();
    store.head(&stream).await?;
    println!("the head of an image that is not there: {}", meter.take());
    let [resolved, recorded] = image.recorded();
    index.record(&image.id, &image.keys()).await?;
    println!("its {LAYERS} layer keys recorded: {}", meter.take());
    image.append(store, vec![image.requested(), resolved, recorded]).await?;
    println!("first append (asked for, resolved, keys): {}", meter.take());
    let indexed = json!({"type": "Indexed", "scanner": {"name": "embedded", "version": "2"}});
    image.append(store, vec![indexed, assessed("one")]).await?;
    println!("second append (indexed, assessed): {}", meter.take());
    image.append(store, vec![delivered("one")]).await?;
    println!("third append (delivered): {}", meter.take());
    let waits = json!({"type": "Waiting", "until": {"at": "2026-03-01T12:05:00Z"}, "reason": "throttled"});
    image.append(store, vec![image.requested(), waits]).await?;
    println!("a wait begins: {}", meter.take());
    image.append(store, vec![assessed("two")]).await?;
    println!("a wait ends (assessed): {}", meter.take());
    store.head(&stream).await?;
    println!("its head: {}", meter.take());
    store.due(&Due::ScannerReady, Timestamp::from_millis(0), None, PAGE).await?;
    println!("what is due, where nothing is: {}", meter.take());
    index.images(&image.keys()[0], None, PAGE).await?;
    println!("the images of a layer of one image: {}", meter.take());
    Ok(())
}

async fn rates(store: &DynamoEventStore, index: &DynamoLayerIndex) -> Result<(), Failure> {
    let first = async |n: u64| {
        let mut image = Image::new(n)?;
        let [resolved, recorded] = image.recorded();
        image.append(store, vec![image.requested(), resolved, recorded]).await
    };
    rate("appends, one after another", IMAGES / 4, 1, |n| first(1_000_000 + n)).await?;
    rate("appends, 32 at once", IMAGES, AT_ONCE, |n| first(2_000_000 + n)).await?;
    let record = async |n| {
        let image = Image::new(n)?;
        Ok(index.record(&image.id, &image.keys()).await?)
    };
    rate("images recorded with 12 keys, 32 at once", IMAGES, AT_ONCE, record).await?;
    let (began, mut events, mut after) = (Instant::now(), 0, None);
    loop {
        let page = store.read_all(after, PAGE).await?;
        events += page.items.len();
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    println!("all {events} events read in {:.2} s, 500 a page", began.elapsed().as_secs_f64());
    Ok(())
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
    println!("{what}: {:.0} a second", f64::from(u32::try_from(number)?) / seconds);
    Ok(())
}

/// Lists a layer of a million images, as a fan-out does. Its rows are made up as they are asked for: what is measured is this
/// side.
async fn fan_out() -> Result<(), Failure> {
    let index = DynamoLayerIndex::new(&config("http://127.0.0.1:9", made_up()).await, "cost");
    let key = LayerKey("layer".to_owned());
    index.images(&key, None, PAGE).await?;
    let (began, before) = (Instant::now(), anonymous_kb()?);
    let (mut found, mut pages, mut most, mut after) = (0, 0, before, None);
    loop {
        let page = index.images(&key, after, PAGE).await?;
        (found, pages) = (found + page.items.len(), pages + 1);
        most = most.max(anonymous_kb()?);
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "a layer of {found} images listed in {seconds:.1} s and {pages} pages; anonymous memory before the second page \
         {before} KB, at most {most} KB, after the last {} KB",
        anonymous_kb()?
    );
    Ok(())
}

fn anonymous_kb() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
