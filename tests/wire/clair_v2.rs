//! Clair v2: each row of what it is known to answer, fed with answers of a running 2.0.9 (`tests/fixtures/clair/v2`).
//!
//! | Clair says | test |
//! |---|---|
//! | POST layer: 201, read or known before | `posting::layers_are_posted_parents_first_each_from_its_own_address` |
//! | … the name is known | `posting::an_image_that_clair_has_is_not_posted_again` |
//! | … 400, a member is missing or not JSON (26 to 33) | `posting::a_wrong_request_is_permanent` |
//! | … 400 `worker: parent layer is unknown` (10) | `posting::a_chain_that_lost_a_layer_is_begun_anew` |
//! | … 400 `could not find layer` (11 to 14) | `posting::what_clair_could_not_fetch_is_posted_again_from_a_fresh_address`, `posting::the_registry_says_why_clair_could_not_fetch` |
//! | … 422 `could not extract` (15 to 17) | `posting::a_layer_that_clair_cannot_read_is_left_out_and_noted`, `posting::a_layer_that_was_cut_short_is_read_the_second_time` |
//! | … 422 OS not supported (21, c2) | `posting::packages_of_an_unknown_system_are_noted_at_once` |
//! | … zstd by its media type | `posting::zstd_is_never_posted` |
//! | … 500 database (34) | `posting::a_database_in_trouble_is_transient` |
//! | … 503, and the work goes on (d1 to d3) | `posting::a_layer_that_takes_longer_than_clair_answers_is_waited_for`, `posting::it_is_not_waited_for_longer_than_is_allowed` |
//! | … a body over 1 MiB (33) | never sent: `client::tests::a_body_that_clair_would_cut_is_not_sent` (unit) |
//! | … 404 no route, 405, 307 (53, 55, 57) | `posting::another_server_is_told_apart` |
//! | … another engine | `posting::another_engine_reads_everything_anew` |
//! | … a path that is no address is a local file (23) | `posting::a_registry_without_addresses_is_refused` |
//! | GET layer: 200 with vulnerabilities (94), Defcon1 | `assessing::what_clair_knows_becomes_findings` |
//! | … 200 without anything (50) | `assessing::an_image_in_which_nothing_was_recognised_is_unsupported` |
//! | … 200 without vulnerabilities (48) | `assessing::nothing_found_is_clean_only_where_there_are_advisories` |
//! | … 404 (51) | `assessing::a_deleted_image_is_not_indexed` |
//! | … 404 no route, 500, cut | `assessing::trouble_is_transient` |
//! | … notes of layers that were left out | `assessing::noted_layers_are_reasons` |
//! | GET namespaces `null` (2.0.9), vulnerabilities `null`, 404 (84) | `assessing::without_any_advisory_it_is_loading` |
//! | notification: several pages (a1) | `notifications::pages_are_followed_from_the_first` |
//! | … old and new (a2), only old (b3), only new (a0) | `notifications::both_sides_count_unless_the_text_alone_differs` |
//! | … no layers (a3) | `notifications::a_notification_without_layers_names_nothing` |
//! | … a token that is not known any more: 400 (a8) | `notifications::forgotten_tokens_begin_the_pages_anew` |
//! | … 500 (a6) | `notifications::trouble_is_transient` |
//! | … 404 (97) | `notifications::an_unknown_notification_names_nothing` |
//! | … read after its deletion (b0) | `notifications::a_deleted_notification_is_followed_all_the_same` |
//! | DELETE notification: 200, 200 again, 404 (a9, b1, 99) | `notifications::what_was_followed_is_deleted_and_may_be_gone` |
//! | webhook body | `feed::webhook::tests` (unit) |
//! | metrics, `updater/last` absent, all sources unreachable | `readiness::*`, `probe::rounds::tests` (unit) |

mod assessing;
mod certificates;
mod notifications;
mod pipeline;
mod posting;
mod readiness;

use std::sync::Arc;

use cve_monitor_adapters::clair::v2::{ClairV2Scanner, ClairV2Settings};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{Cursor, EventStore as _, IndexRequest, Registry, ScannerError};
use cve_monitor_core::scan::{Event, FeedEvent, FeedState, Head, HeadState, StreamId, evolve_feed, seal};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{MemoryEventStore, MemoryRegistry};
use cve_monitor_core::vocabulary::{FeedName, Generation, Manifest};
use serde_json::Value;

use crate::fake_clair_v2::Fetchable;
use crate::fake_server::{FakeServer, Reply, Seen};

const NOT_THERE: &str = "51-get-unknown";

/// What Clair answered when this was captured.
fn captured(name: &str) -> Reply {
    let path = format!("{}/fixtures/clair/v2/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (_, response) = text.split_once("----- response -----").expect("an answer");
    let (head, body) = response.trim_start().split_once("\n\n").unwrap_or((response.trim(), ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let mut reply = Reply::ok(body.lines().next().unwrap_or_default().to_owned()).with_status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if matches!(name, "Content-Type" | "Location") {
            reply = reply.header(name, value);
        }
    }
    reply
}

/// The body of a capture, to be changed.
fn captured_body(name: &str) -> String {
    String::from_utf8(captured(name).body().to_vec()).expect("text")
}

/// A layer that is stored, as Clair says it of the one that was posted.
fn stored() -> Reply {
    captured("07-post-same-layer-again")
}

/// The layer of a POST.
fn posted(seen: &Seen) -> Option<Value> {
    let body: Option<Value> = serde_json::from_slice(&seen.body).ok();
    body.map(|mut body| body["Layer"].take()).filter(|_| seen.method == "POST")
}

fn is_empty_layer(seen: &Seen) -> bool {
    posted(seen).is_some_and(|layer| layer["Path"] == "/dev/null")
}

/// What a server says that has stored nothing, and takes whatever is posted.
fn willing(seen: &Seen) -> Reply {
    if seen.method == "POST" { stored() } else { captured(NOT_THERE) }
}

/// A scanner on a scripted server.
struct Bench {
    server: FakeServer,
    registry: Arc<MemoryRegistry>,
    store: Arc<MemoryEventStore>,
    clock: Arc<ManualClock>,
    scanner: ClairV2Scanner,
}

impl Bench {
    async fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let registry = Arc::new(MemoryRegistry::new("r.example".parse().unwrap()));
        let watched = Arc::new(Fetchable::new(Arc::clone(&registry))) as Arc<dyn Registry>;
        Self::with(registry, watched, answer).await
    }

    async fn with(
        registry: Arc<MemoryRegistry>,
        watched: Arc<dyn Registry>,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = FakeServer::start(answer).await;
        let (store, clock) = (Arc::new(MemoryEventStore::default()), Arc::new(ManualClock::default()));
        let settings = settings(&server);
        let registries = Registries::new([watched]);
        let (events, time) = (Arc::clone(&store) as _, Arc::clone(&clock) as _);
        let scanner = ClairV2Scanner::connect(&settings, registries, events, time).await.unwrap();
        Self { server, registry, store, clock, scanner }
    }

    /// An image of layers that nobody reads here: the server is scripted.
    async fn image(&self, layers: &[&str]) -> IndexRequest {
        let layers: Vec<Vec<u8>> = layers.iter().map(|text| text.as_bytes().to_vec()).collect();
        let image = self.registry.put_image(&"team/app".parse().unwrap(), None, &layers);
        let Ok(Manifest::Image(manifest)) = self.registry.manifest(&image).await.unwrap().parse() else {
            panic!("not an image")
        };
        IndexRequest { image, manifest, parents: vec![] }
    }

    /// The layers that were posted, but for the one that asks for the engine.
    fn posted(&self) -> Vec<Value> {
        let layers = self.server.seen().iter().filter_map(posted).collect::<Vec<_>>();
        layers.into_iter().filter(|layer| layer["Name"] != "cve-monitor.engine").collect()
    }
}

fn settings(server: &FakeServer) -> ClairV2Settings {
    ClairV2Settings::new(server.url("").parse().unwrap())
}

fn stream() -> StreamId {
    StreamId::feed(&FeedName("clair-v2".to_owned()))
}

/// Appends to the feed's stream; the version of the event.
async fn append(store: &MemoryEventStore, event: FeedEvent) -> u64 {
    let (version, state) = match store.head(&stream()).await.unwrap() {
        Some(Head { version, state: HeadState::Feed(state) }) => (version, state),
        _ => (0, FeedState::default()),
    };
    let now = cve_monitor_core::vocabulary::Timestamp::from_millis(0);
    let state = HeadState::Feed(evolve_feed(state, now, &event).unwrap());
    let sealed = seal(&stream(), version, now, vec![Event::from(event)]);
    store.append(&stream(), version, &sealed, &Head { version: version + 1, state }).await.unwrap();
    version + 1
}

async fn ring(store: &MemoryEventStore, name: &str) -> u64 {
    append(store, FeedEvent::BellRang { name: name.to_owned() }).await
}

/// Lets the feed's cursor be this one.
async fn follow(store: &MemoryEventStore, cursor: &str) {
    let (to, scope) = (Cursor(cursor.to_owned()), "a test".to_owned());
    append(store, FeedEvent::GapFound { to, scope, generation: Generation(0) }).await;
}

fn transient<T: std::fmt::Debug>(result: Result<T, ScannerError>) -> String {
    match result {
        Err(ScannerError::Transient { detail, .. }) => detail,
        other => panic!("expected a transient error, found {other:?}"),
    }
}
