//! The scanner and the feed on Clair v2: on a server in memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::clair::v2::{ClairV2Feed, ClairV2Scanner, ClairV2Settings, Proof};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{ChangeFeed, Cursor, EventStore as _, IndexRequest, Next, Registry, Scanner};
use cve_monitor_core::scan::{Event, FeedEvent, FeedState, Head, HeadState, StreamId, evolve_feed, seal};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::laws::change_feed::{ChangeFeedHarness, Learnt, Lesson};
use cve_monitor_core::testkit::laws::scanner::ScannerHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::testkit::model::{MemoryEventStore, MemoryRegistry};
use cve_monitor_core::vocabulary::{Generation, Manifest, Timestamp};

use crate::fake_clair_v2::{FakeClairV2, Fetchable, debian, flaw};
use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("scanner", "clair_v2", laws::scanner::LAWS, || {
        Box::pin(async { Ok(Box::new(Bench::fresh().await) as _) })
    });
    rows.add("change_feed", "clair_v2", laws::change_feed::LAWS, || {
        Box::pin(async { Ok(Box::new(Bench::fresh().await) as _) })
    });
}

/// The package that every image here holds, and the vulnerability that lessons are about.
const PACKAGE: &str = "openssl";
const LESSON: &str = "CVE-2026-2";

struct Bench {
    names: UniqueNames,
    registry: Arc<MemoryRegistry>,
    store: Arc<MemoryEventStore>,
    clair: FakeClairV2,
    scanner: Arc<ClairV2Scanner>,
    feed: Arc<ClairV2Feed>,
}

async fn scanner(
    clair: &FakeClairV2,
    registry: &Arc<MemoryRegistry>,
    store: &Arc<MemoryEventStore>,
) -> Arc<ClairV2Scanner> {
    let settings = ClairV2Settings::new(clair.url.clone());
    let registries = Registries::new([Arc::new(Fetchable::new(Arc::clone(registry))) as Arc<dyn Registry>]);
    let (store, clock) = (Arc::clone(store) as _, Arc::new(ManualClock::default()));
    Arc::new(ClairV2Scanner::connect(&settings, registries, store, clock).await.expect("it answers"))
}

impl Bench {
    /// One flaw of openssl is known, and that the data is complete.
    async fn fresh() -> Self {
        let registry = Arc::new(MemoryRegistry::new("memory.test".parse().expect("a registry name")));
        let store = Arc::new(MemoryEventStore::default());
        let clair = FakeClairV2::start(Arc::clone(&registry)).await;
        clair.learn("CVE-2026-1", Some(flaw("CVE-2026-1", PACKAGE, "a flaw")));
        clair.finish_round();
        let settings = ClairV2Settings::new(clair.url.clone());
        let feed = ClairV2Feed::new(&settings, Proof::Metrics, Arc::clone(&store) as _).expect("an address");
        let scanner = scanner(&clair, &registry, &store).await;
        let fresh =
            Self { names: UniqueNames::new("c"), registry, store, clair, scanner, feed: Arc::new(feed) };
        let Ok(Next::Gap { to, scope, generation }) = fresh.feed.next(None).await else { panic!("no gap") };
        fresh.append(FeedEvent::GapFound { to, scope, generation }).await;
        fresh
    }

    /// Appends to the feed's stream, as the notifier and the inbox do; the version of the event.
    async fn append(&self, event: FeedEvent) -> u64 {
        let stream = StreamId::feed(&self.feed.name());
        let (version, state) = match self.store.head(&stream).await.expect("a head") {
            Some(Head { version, state: HeadState::Feed(state) }) => (version, state),
            _ => (0, FeedState::default()),
        };
        let now = Timestamp::from_millis(0);
        let state = HeadState::Feed(evolve_feed(state, now, &event).expect("it follows"));
        let sealed = seal(&stream, version, now, vec![Event::from(event)]);
        let head = Head { version: version + 1, state };
        self.store.append(&stream, version, &sealed, &head).await.expect("appended");
        version + 1
    }

    async fn image(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let image = self.registry.put_image(&self.unique().parse().expect("a name"), None, layers);
        let manifest = self.registry.manifest(&image).await.expect("it was put");
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        IndexRequest { image, manifest, parents: vec![] }
    }
}

#[async_trait]
impl Harness for Bench {
    async fn advance(&self, _: Duration) {
        // Nothing here depends on time.
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl ScannerHarness for Bench {
    fn scanner(&self) -> Arc<dyn Scanner> {
        Arc::clone(&self.scanner) as _
    }

    async fn vulnerable(&self) -> Option<IndexRequest> {
        Some(self.image(&[debian(PACKAGE, &format!("1+{}", self.unique()))]).await)
    }

    async fn unreadable(&self) -> Option<IndexRequest> {
        Some(self.image(&[debian("zlib", "1"), format!("no archive {}", self.unique()).into_bytes()]).await)
    }

    async fn loading(&self) -> Option<(Arc<dyn Scanner>, IndexRequest)> {
        // The stream says that the data is complete: it was that of another database.
        self.clair.empty();
        let scanner = scanner(&self.clair, &self.registry, &self.store).await;
        Some((scanner, self.vulnerable().await?))
    }

    async fn layer_bytes(&self) -> Option<u64> {
        Some(self.registry.blob_bytes_served())
    }
}

#[async_trait]
impl ChangeFeedHarness for Bench {
    fn feed(&self) -> Arc<dyn ChangeFeed> {
        Arc::clone(&self.feed) as _
    }

    async fn learn(&self, lesson: Lesson) -> Option<Learnt> {
        let request = self.vulnerable().await?;
        self.scanner.index(&request).await.expect("it reads its own layers");
        let new = match lesson {
            Lesson::Publish => Some(flaw(LESSON, PACKAGE, "another flaw")),
            Lesson::EditText => Some(flaw(LESSON, PACKAGE, "other words")),
            Lesson::Withdraw => None,
        };
        let name = self.clair.learn(LESSON, new);
        let version = self.append(FeedEvent::BellRang { name }).await;
        let keys = match lesson {
            Lesson::EditText => BTreeSet::new(),
            _ => self.scanner.keys(&request).into_iter().collect(),
        };
        Some(Learnt { generation: Generation(version), keys })
    }

    async fn forget(&self, _: &Cursor) -> Option<()> {
        // What has been recorded in the feed's stream is never forgotten.
        None
    }
}
