//! Clair v4 on the wire: what is sent to it, and what is made of each of its answers. The bodies are those of a Clair
//! 4.9.0 (claircore 1.5.48), recorded as they came, unless a test says otherwise.
//!
//! | what Clair may answer | test |
//! |---|---|
//! | 401, empty, where `auth.psk` is set | `signing::a_refused_signature_names_the_settings` |
//! | any error, its body cut | `indexing::too_many_requests_is_waited_out_although_the_body_is_cut` |
//! | `null` and missing maps, keys of a later version | `reports::null_and_missing_maps_are_empty_and_unknown_keys_are_passed_over` |
//! | content types that are wrong | `reports::what_the_content_type_says_makes_no_difference` |
//! | a path that this service does not have | `reports::a_path_that_is_not_there_is_a_wrong_address_and_no_answer` |
//! | index: 201, finished | `indexing::an_image_is_handed_over_with_the_addresses_of_its_layers` |
//! | index: 201, `IndexError` (Clair 4.0 to 4.2) | `indexing::an_index_that_failed_behind_a_201_has_failed` |
//! | index: 400, no manifest | `indexing::what_clair_does_not_take_for_a_manifest_is_given_up` |
//! | index: 400, no tar; 500, content type or compression | `indexing::an_image_that_clair_cannot_read_is_reported_as_unsupported` |
//! | index: 500, the registry's 401, 403 | `indexing::an_address_that_has_expired_is_asked_for_anew` |
//! | index: 500, the registry's 404, a digest that differs, anything else | `indexing::each_trouble_of_an_index_has_its_meaning` |
//! | index: 412, 304 for what was never indexed | `indexing::nothing_is_asked_for_on_a_condition` |
//! | index: nothing, for too long | `indexing::a_clair_that_never_answers_is_left_alone_in_the_end` |
//! | index: 429 | `indexing::too_many_requests_is_waited_out_although_the_body_is_cut` |
//! | index state: another | `indexing::another_state_of_the_indexer_is_another_version_of_the_scanner` |
//! | report: 200 | `reports::a_report_becomes_findings` |
//! | report: 200, without a package | `reports::an_image_without_packages_is_unsupported` |
//! | report: 200, enrichments | `crates/adapters/src/clair/v4/assess/tests.rs` |
//! | report: 200, cut | `reports::a_report_that_breaks_off_is_asked_for_again` |
//! | report: 202 | `knowledge::no_vulnerability_at_all_is_loading` |
//! | report: 404 | `reports::what_was_never_indexed_is_not_indexed` |
//! | report: 500 | `reports::trouble_of_the_matcher_is_transient` |
//! | report: `Cache-Control` of hours | `reports::a_report_is_asked_for_past_every_cache` |
//! | operations: `{}`, `null` | `knowledge::no_operation_is_loading` |
//! | operations: another set | `knowledge::a_report_is_made_again_where_an_operation_came_meanwhile` |
//! | operations: all of them others | `knowledge::a_database_that_was_emptied_is_loading_again` |
//! | operations: longer than the bound | `knowledge::an_endless_list_is_refused_and_the_image_waits_until_it_is_shorter` |

mod captured;
mod certificates;
mod indexing;
mod knowledge;
mod locations;
mod reports;
mod signing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use cve_monitor_adapters::clair::v4::{ClairV4Client, ClairV4Loading, ClairV4Scanner, ClairV4Settings};
use cve_monitor_adapters::clair::{Endpoint, Signer};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{IndexRequest, Registry, ScannerError};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::vocabulary::Manifest;

use self::captured::captured;
use self::locations::Locations;
use crate::fake_server::{FakeServer, Reply};

const STATE: &str = "GET /indexer/api/v1/index_state";
const INDEX: &str = "POST /indexer/api/v1/index_report";
const INDEX_REPORT: &str = "GET /indexer/api/v1/index_report/";
const REPORT: &str = "GET /matcher/api/v1/vulnerability_report/";
const OPERATIONS: &str = "GET /matcher/api/v1/internal/update_operation";

/// Answers by the beginning of method and path, one after the other; the last one for ever.
type Script = BTreeMap<String, VecDeque<Reply>>;

/// A Clair that says what it is told to, and images that it can be asked about.
struct Clair {
    server: FakeServer,
    script: Arc<Mutex<Script>>,
    registry: Arc<Locations>,
    clock: Arc<ManualClock>,
    settings: ClairV4Settings,
}

impl Clair {
    /// It has read every image, and `debian/updater` has completed.
    async fn start() -> Self {
        let script: Arc<Mutex<Script>> = Arc::default();
        let told = Arc::clone(&script);
        let server = FakeServer::start(move |seen| {
            let asked = format!("{} {}", seen.method, seen.path());
            let mut script = told.lock().unwrap_or_else(PoisonError::into_inner);
            let answers =
                script.iter_mut().rev().find(|(beginning, _)| asked.starts_with(beginning.as_str()));
            let Some((_, answers)) = answers else { return captured("no-such-path") };
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.expect("an answer")
        })
        .await;
        let clock = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
        let endpoint = Endpoint { url: server.url("/").parse().unwrap(), ca_file: None, signer: None };
        let settings = ClairV4Settings::new(endpoint);
        let clair = Self { server, script, registry: Arc::new(Locations::new()), clock, settings };
        clair.on(STATE, [captured("index-state")]);
        clair.on(INDEX, [captured("index-finished-distroless")]);
        clair.on(REPORT, [captured("report-distroless")]);
        clair.on(OPERATIONS, [captured("operations-latest")]);
        clair
    }

    fn on(&self, beginning: &str, answers: impl IntoIterator<Item = Reply>) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.insert(beginning.to_owned(), answers.into_iter().collect());
    }

    async fn scanner(&self) -> ClairV4Scanner {
        self.connect(None).await.unwrap()
    }

    async fn connect(&self, signer: Option<Signer>) -> Result<ClairV4Scanner, ScannerError> {
        let mut settings = self.settings.clone();
        settings.indexer.signer.clone_from(&signer);
        settings.matcher.signer = signer;
        let client = Arc::new(ClairV4Client::new(&settings).unwrap());
        let registries = Registries::new([Arc::clone(&self.registry) as Arc<dyn Registry>]);
        let loading = ClairV4Loading {
            expected_updaters: vec!["debian/updater".to_owned()],
            ..ClairV4Loading::default()
        };
        ClairV4Scanner::connect(client, registries, loading, Arc::clone(&self.clock) as _).await
    }

    /// An image of two layers.
    async fn image(&self) -> IndexRequest {
        let layers = [b"one".to_vec(), b"two".to_vec()];
        let image = self.registry.inner.put_image(&"team/app".parse().unwrap(), None, &layers);
        let Ok(Manifest::Image(manifest)) = self.registry.manifest(&image).await.unwrap().parse() else {
            panic!("not an image")
        };
        IndexRequest { image, manifest, parents: vec![] }
    }

    /// How often something was asked for.
    fn asked(&self, beginning: &str) -> usize {
        let asked = self.server.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.target));
        asked.filter(|asked| asked.starts_with(beginning)).count()
    }
}
