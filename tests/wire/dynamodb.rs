//! Streams and the layer index in tables that answer as DynamoDB does on a bad day. moto keeps the items.

mod append;
mod damage;
mod layer_index;
mod listings;
mod tables;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex, create_tables};
use cve_monitor_core::ports::{AppendError, EventStore};
use cve_monitor_core::scan::{
    Due, Event, FeedEvent, FeedState, Head, HeadState, ImageState, RecordedEvent, StreamId, seal,
};
use cve_monitor_core::vocabulary::{Digest, ImageId, Page, PageToken, Timestamp};
use cve_monitor_tests::fakes::aws_proxy::{AwsProxy, Fault, Rule, Service, Which};
use xtask::aws::Emulator;

use crate::emulators;

/// Noon of the first of March 2026.
fn noon() -> Timestamp {
    Timestamp::from_millis(1_772_366_400_000)
}

/// The tables of each test; their prefix is its own.
struct Stage {
    proxy: AwsProxy,
    config: SdkConfig,
    /// Goes to moto directly, and sees what is stored.
    tables: Client,
    prefix: &'static str,
}

impl Stage {
    /// None where moto cannot be raised: it is said, and the conformance rows show it as skipped.
    async fn open(prefix: &'static str) -> Option<Self> {
        let moto = match emulators::config(Emulator::Moto).await {
            Ok(config) => config,
            Err(why) => {
                println!("SKIPPED: {why}");
                return None;
            }
        };
        create_tables(&moto, prefix).await.expect("moto makes tables");
        let proxy = AwsProxy::start(moto.endpoint_url().expect("one"), &[]).await;
        // What the adapter does is seen better where the SDK does nothing.
        let config = emulators::config_for(proxy.url()).await.into_builder();
        let config = config.retry_config(RetryConfig::disabled()).build();
        Some(Self { proxy, config, tables: Client::new(&moto), prefix })
    }

    fn store(&self) -> DynamoEventStore {
        DynamoEventStore::new(&self.config, self.prefix)
    }

    fn index(&self) -> DynamoLayerIndex {
        DynamoLayerIndex::new(&self.config, self.prefix)
    }

    fn befall(&self, operation: &'static str, which: Which, fault: Fault) {
        self.proxy.add(Rule::for_operation(Service::DynamoDb, operation, which, fault));
    }

    fn calls(&self, operation: &str) -> u64 {
        self.proxy.take_calls().get(&format!("dynamodb {operation}")).copied().unwrap_or_default()
    }

    /// Writes over an attribute of an item, behind everybody's back.
    async fn set(&self, table: &str, key: [(&str, AttributeValue); 2], name: &str, value: AttributeValue) {
        let [(hash, hash_value), (range, range_value)] = key;
        let update = self.tables.update_item().table_name(format!("{}-{table}", self.prefix));
        let update =
            update.key(hash, hash_value).key(range, range_value).update_expression("SET #name = :value");
        let update =
            update.expression_attribute_names("#name", name).expression_attribute_values(":value", value);
        update.send().await.expect("moto writes");
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn feed(name: &str) -> StreamId {
    StreamId(format!("feed/{name}"))
}

fn image(repository: &str, seed: &str) -> ImageId {
    format!("r.test/{repository}@{}", Digest::of(seed.as_bytes())).parse().expect("an image")
}

/// So many rings of a feed's bell after version `expected`, with the head that follows.
fn rings(stream: &StreamId, expected: u64, count: u64) -> (Vec<RecordedEvent>, Head) {
    let bell = |n: u64| Event::Feed(FeedEvent::BellRang { name: n.to_string() });
    let version = expected + count;
    let state = HeadState::Feed(FeedState { bells: version, ..FeedState::default() });
    (seal(stream, expected, noon(), (expected..version).map(bell).collect()), Head { version, state })
}

async fn ring(
    store: &DynamoEventStore,
    stream: &StreamId,
    expected: u64,
    count: u64,
) -> Result<(), AppendError> {
    let (events, head) = rings(stream, expected, count);
    store.append(stream, expected, &events, &head).await
}

/// Appends one event to a new stream of an image, which then waits.
async fn wait(store: &DynamoEventStore, image: &ImageId, due: Option<Due>) -> (StreamId, Head) {
    let stream = StreamId::image(image);
    let state = ImageState { due, ..ImageState::default() };
    let head = Head { version: 1, state: HeadState::Image(Box::new(state)) };
    let (events, _) = rings(&stream, 0, 1);
    store.append(&stream, 0, &events, &head).await.expect("an append");
    (stream, head)
}

/// The entries of all pages, none of which has more than `limit`.
async fn all<T, E: std::fmt::Debug, F>(limit: usize, mut next: impl FnMut(Option<PageToken>) -> F) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, E>>,
{
    let (mut found, mut after) = (vec![], None);
    for _ in 0..10_000 {
        let page = next(after).await.expect("a page");
        assert!(page.items.len() <= limit, "{} entries in a page of {limit}", page.items.len());
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
    panic!("the pages do not end");
}
