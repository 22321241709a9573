//! The model scanner and its feed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{ChangeFeed, Cursor, IndexRequest, Registry, Scanner};
use cve_monitor_core::testkit::laws::change_feed::{ChangeFeedHarness, Learnt, Lesson};
use cve_monitor_core::testkit::laws::scanner::ScannerHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::testkit::model::{
    MemoryRegistry, ModelAdvisory, ModelFeed, ModelKnowledge, ModelScanner, layer_of,
};
use cve_monitor_core::vocabulary::{Generation, Manifest};

use crate::rows::Rows;

pub(super) fn register(rows: &mut Rows) {
    rows.add("scanner", "model", laws::scanner::LAWS, || Box::pin(async { Ok(Box::new(scanning()) as _) }));
    rows.add("change_feed", "model", laws::change_feed::LAWS, || {
        Box::pin(async { Ok(Box::new(scanning()) as _) })
    });
}

/// The advisory that lessons publish, edit and withdraw, and the package that it affects.
const ADVISORY: &str = "CVE-2026-0001";
const PACKAGE: &str = "openssl";

/// Looks at a scanner through something else.
pub(crate) type Through = fn(Arc<dyn Scanner>) -> Arc<dyn Scanner>;

/// A scanner and its feed; each may be looked at through something else.
pub(crate) struct Scanning {
    names: UniqueNames,
    registry: Arc<MemoryRegistry>,
    knowledge: Arc<ModelKnowledge>,
    pub(crate) scanner: Arc<dyn Scanner>,
    pub(crate) feed: Arc<dyn ChangeFeed>,
    through: Through,
}

pub(crate) fn scanning() -> Scanning {
    scanning_through(|scanner| scanner)
}

pub(crate) fn scanning_through(through: Through) -> Scanning {
    let registry = Arc::new(super::memory::registry());
    let knowledge = Arc::new(ModelKnowledge::empty());
    Scanning {
        names: UniqueNames::new("s"),
        scanner: through(Arc::new(ModelScanner::new(Arc::clone(&knowledge), Arc::clone(&registry) as _))),
        feed: Arc::new(ModelFeed::new(Arc::clone(&knowledge))),
        registry,
        knowledge,
        through,
    }
}

impl Scanning {
    async fn image(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let image = self.registry.put_image(&self.unique().parse().expect("a name"), None, layers);
        let manifest = self.registry.manifest(&image).await.expect("it was put");
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        IndexRequest { image, manifest, parents: vec![] }
    }
}

#[async_trait]
impl Harness for Scanning {
    async fn advance(&self, _: Duration) {
        // Nothing here depends on time.
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl ScannerHarness for Scanning {
    fn scanner(&self) -> Arc<dyn Scanner> {
        Arc::clone(&self.scanner)
    }

    async fn vulnerable(&self) -> Option<IndexRequest> {
        self.knowledge.publish(vec![ModelAdvisory::new(ADVISORY, PACKAGE)]);
        Some(self.image(&[layer_of(&[("zlib", "1")]), layer_of(&[(PACKAGE, &self.unique())])]).await)
    }

    async fn unreadable(&self) -> Option<IndexRequest> {
        let java = format!("java log4j {}\n", self.unique()).into_bytes();
        Some(self.image(&[layer_of(&[("zlib", "1")]), java]).await)
    }

    async fn loading(&self) -> Option<(Arc<dyn Scanner>, IndexRequest)> {
        let registry = Arc::clone(&self.registry) as _;
        let scanner = ModelScanner::new(Arc::new(ModelKnowledge::loading()), registry);
        let scanner = (self.through)(Arc::new(scanner));
        Some((scanner, self.image(&[layer_of(&[("zlib", "1")])]).await))
    }

    async fn layer_bytes(&self) -> Option<u64> {
        Some(self.registry.blob_bytes_served())
    }
}

#[async_trait]
impl ChangeFeedHarness for Scanning {
    fn feed(&self) -> Arc<dyn ChangeFeed> {
        Arc::clone(&self.feed)
    }

    async fn learn(&self, lesson: Lesson) -> Option<Learnt> {
        let request = self.image(&[layer_of(&[(PACKAGE, &self.unique())])]).await;
        self.scanner.index(&request).await.expect("the model reads its own layers");
        let generation: Generation = match lesson {
            Lesson::Publish => self.knowledge.publish(vec![ModelAdvisory::new(ADVISORY, PACKAGE)]),
            Lesson::Withdraw => self.knowledge.withdraw(ADVISORY),
            Lesson::EditText => self.knowledge.edit_text(ADVISORY, "other words"),
        };
        let keys = self.scanner.keys(&request).into_iter().collect();
        Some(Learnt { generation, keys: if lesson == Lesson::EditText { BTreeSet::new() } else { keys } })
    }

    async fn forget(&self, cursor: &Cursor) -> Option<()> {
        let generation = cursor.0.parse().expect("the model's cursors are numbers");
        self.knowledge.forget_up_to(Generation(generation));
        Some(())
    }
}
