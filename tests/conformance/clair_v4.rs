//! Clair v4: the adapter on a Clair in memory that behaves as a real one does, and reads real layers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::clair::Endpoint;
use cve_monitor_adapters::clair::v4::{
    ClairV4Client, ClairV4Feed, ClairV4Loading, ClairV4Scanner, ClairV4Settings, SETTLE,
};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{
    ChangeFeed, Clock, Cursor, IndexRequest, Registry, ReportArchive as _, Scanner,
};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::laws::change_feed::{ChangeFeedHarness, Learnt, Lesson};
use cve_monitor_core::testkit::laws::scanner::ScannerHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::testkit::model::{MemoryArchive, MemoryRegistry};
use cve_monitor_core::vocabulary::{Descriptor, Digest, Generation, Manifest, MediaType};
use cve_monitor_tests::fakes::clair_v4::{FakeClair, Fetch, debian_vulnerability};
use futures::{FutureExt as _, TryStreamExt as _};

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("scanner", "clair-v4", laws::scanner::LAWS, || {
        Box::pin(async { Ok(Box::new(ClairV4::fresh().await) as _) })
    });
    rows.add("change_feed", "clair-v4", laws::change_feed::LAWS, || {
        Box::pin(async { Ok(Box::new(ClairV4::fresh().await) as _) })
    });
}

/// The package that every image here holds.
const PACKAGE: &str = "openssl";
/// The updater that teaches about it.
const UPDATER: &str = "debian/updater";

/// One flaw of openssl in Debian 12 is known, and nothing else.
struct ClairV4 {
    names: UniqueNames,
    clock: Arc<ManualClock>,
    registry: Arc<MemoryRegistry>,
    clair: FakeClair,
    scanner: Arc<ClairV4Scanner>,
    archive: Arc<MemoryArchive>,
    feed: Arc<ClairV4Feed>,
    /// The operations so far.
    refs: Mutex<Vec<String>>,
}

impl ClairV4 {
    async fn fresh() -> Self {
        let clock = Arc::new(ManualClock::default());
        let registry = Arc::new(MemoryRegistry::new("memory.test".parse().expect("a registry name")));
        let clair = FakeClair::start(fetching(&registry)).await;
        let first = clair.update(
            UPDATER,
            &clock.now().to_string(),
            vec![debian_vulnerability("CVE-2026-1", PACKAGE, "")],
        );
        let client = client(&clair);
        let scanner = scanner(&client, &registry, &clock).await;
        let archive = Arc::new(MemoryArchive::default());
        let feed = Arc::new(ClairV4Feed::new(client, Arc::clone(&archive) as _, Arc::clone(&clock) as _));
        let (names, refs) = (UniqueNames::new("c"), Mutex::new(vec![first]));
        Self { names, clock, registry, clair, scanner, archive, feed, refs }
    }

    async fn image(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let image = self.registry.put_image(&self.unique().parse().expect("a name"), None, layers);
        let manifest = self.registry.manifest(&image).await.expect("it was put");
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        IndexRequest { image, manifest, parents: vec![] }
    }
}

fn client(clair: &FakeClair) -> Arc<ClairV4Client> {
    let url = clair.url().parse().expect("an address");
    let settings = ClairV4Settings::new(Endpoint { url, ca_file: None, signer: None });
    Arc::new(ClairV4Client::new(&settings).expect("good settings"))
}

async fn scanner(
    client: &Arc<ClairV4Client>,
    registry: &Arc<MemoryRegistry>,
    clock: &Arc<ManualClock>,
) -> Arc<ClairV4Scanner> {
    let registries = Registries::new([Arc::clone(registry) as Arc<dyn Registry>]);
    let loading = ClairV4Loading { expected_updaters: vec![UPDATER.to_owned()], ..ClairV4Loading::default() };
    let connected =
        ClairV4Scanner::connect(Arc::clone(client), registries, loading, Arc::clone(clock) as _).await;
    Arc::new(connected.expect("it runs"))
}

/// Clair fetches by address; the registry in memory names its blobs so that they can be found by it.
fn fetching(registry: &Arc<MemoryRegistry>) -> Fetch {
    let registry = Arc::clone(registry);
    Arc::new(move |uri, _| {
        let registry = Arc::clone(&registry);
        async move {
            let place = uri.strip_prefix("memory://memory.test/").ok_or(400_u16)?;
            let (repository, digest) = place.rsplit_once('/').ok_or(400_u16)?;
            let digest: Digest = digest.parse().map_err(|_| 400_u16)?;
            let blob = Descriptor { media_type: MediaType(String::new()), digest, size: 0 };
            let repository = repository.parse().map_err(|_| 400_u16)?;
            let stream = registry.blob(&repository, &blob).await.map_err(|_| 404_u16)?;
            let chunks: Vec<_> = stream.try_collect().await.map_err(|_| 500_u16)?;
            Ok(chunks.concat())
        }
        .boxed()
    })
}

fn layer(files: &[(&str, String)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(vec![]);
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).expect("a short path");
    }
    archive.into_inner().expect("it is in memory")
}

fn os_release() -> (&'static str, String) {
    ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned())
}

#[async_trait]
impl Harness for ClairV4 {
    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl ScannerHarness for ClairV4 {
    fn scanner(&self) -> Arc<dyn Scanner> {
        Arc::clone(&self.scanner) as _
    }

    async fn vulnerable(&self) -> Option<IndexRequest> {
        let version = format!("1+{}", self.unique());
        let status = format!("Package: {PACKAGE}\nArchitecture: amd64\nVersion: {version}\n\n");
        Some(self.image(&[layer(&[os_release(), ("var/lib/dpkg/status", status)])]).await)
    }

    /// As Clair finds no package in an image of Debian that was trimmed of the files beside its package database.
    async fn unreadable(&self) -> Option<IndexRequest> {
        Some(self.image(&[layer(&[os_release(), ("opt/note", self.unique())])]).await)
    }

    async fn loading(&self) -> Option<(Arc<dyn Scanner>, IndexRequest)> {
        self.clair.empty();
        Some((self.scanner(), self.vulnerable().await?))
    }

    async fn layer_bytes(&self) -> Option<u64> {
        Some(self.clair.layer_bytes())
    }
}

/// What the lessons make of the advisory that they are about.
fn taught(lesson: Lesson) -> Vec<serde_json::Value> {
    let mut advisory = debian_vulnerability("CVE-2026-2", PACKAGE, "");
    match lesson {
        Lesson::Publish => vec![advisory],
        Lesson::Withdraw => vec![],
        Lesson::EditText => {
            advisory["description"] = "other words".into();
            vec![advisory]
        }
    }
}

#[async_trait]
impl ChangeFeedHarness for ClairV4 {
    fn feed(&self) -> Arc<dyn ChangeFeed> {
        Arc::clone(&self.feed) as _
    }

    async fn learn(&self, lesson: Lesson) -> Option<Learnt> {
        let request = self.vulnerable().await?;
        self.scanner.index(&request).await.expect("it reads its own layers");
        // No two transactions begin at the same time.
        self.clock.advance(Duration::from_secs(1));
        let mut known = vec![debian_vulnerability("CVE-2026-1", PACKAGE, "")];
        known.extend(taught(lesson));
        let name = self.clair.update(UPDATER, &self.clock.now().to_string(), known);
        self.refs.lock().expect("nobody panics").push(name);
        let keys = self.scanner.keys(&request).into_iter().collect();
        Some(Learnt {
            generation: Generation(u64::try_from(self.clock.now().as_millis()).expect("after 1970")),
            keys: if lesson == Lesson::EditText { BTreeSet::new() } else { keys },
        })
    }

    /// Clair collects the operation that the cursor stands at, and all before it. What is newer has settled by then.
    async fn forget(&self, cursor: &Cursor) -> Option<()> {
        self.feed.next(Some(cursor.clone())).await.expect("it runs");
        self.clock.advance(SETTLE);
        let digest = cursor.0.parse().expect("the name of a document");
        let document = self.archive.get(&digest).await.expect("it is in memory").expect("it was put");
        let document: serde_json::Value = serde_json::from_slice(&document).expect("JSON");
        let at = document["places"][UPDATER]["ref"].as_str().expect("a place");
        let refs = self.refs.lock().expect("nobody panics");
        let collected = refs.iter().position(|name| name == at).expect("one of ours");
        let collected: Vec<&str> = refs[..=collected].iter().map(String::as_str).collect();
        self.clair.collect(&collected);
        Some(())
    }
}
