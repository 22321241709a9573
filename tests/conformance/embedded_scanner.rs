//! The embedded scanner and its feed: real layers in a registry in memory, advisories in a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::embedded::advisories::{AdvisoryStore, EmbeddedFeed};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{ChangeFeed, Cursor, IndexRequest, Registry, Scanner};
use cve_monitor_core::testkit::laws::change_feed::{ChangeFeedHarness, Learnt, Lesson};
use cve_monitor_core::testkit::laws::scanner::ScannerHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Generation, Manifest};
use cve_monitor_scanner::advisory::{ShrinkPolicy, Source, SourceLocation};
use tempfile::TempDir;

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("scanner", "embedded", laws::scanner::LAWS, || {
        Box::pin(async { Ok(Box::new(Embedded::fresh().await) as _) })
    });
    rows.add("change_feed", "embedded", laws::change_feed::LAWS, || {
        Box::pin(async { Ok(Box::new(Embedded::fresh().await) as _) })
    });
}

/// The package that every image here holds, and the one that lessons are about.
const PACKAGE: &str = "openssl";
/// The record that lessons publish, edit and withdraw.
const LESSON: &str = "CVE-2026-2";

struct Embedded {
    names: UniqueNames,
    folder: TempDir,
    database: Database,
    store: AdvisoryStore,
    registry: Arc<MemoryRegistry>,
    scanner: Arc<EmbeddedScanner>,
    feed: Arc<EmbeddedFeed>,
}

impl Embedded {
    /// One flaw of openssl in Debian 12 is known, that of a package which no image holds, and nothing else.
    async fn fresh() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = Database::open(folder.path().join("monitor.db")).expect("a new database");
        let store = AdvisoryStore::open(folder.path().join("advisories")).expect("a folder");
        let registry = Arc::new(MemoryRegistry::new("memory.test".parse().expect("a registry name")));
        let scanner = Arc::new(EmbeddedScanner::new(database.clone(), store.clone(), watched(&registry)));
        let feed = Arc::new(EmbeddedFeed::new(database.clone(), store.clone()));
        let fresh = Self { names: UniqueNames::new("e"), folder, database, store, registry, scanner, feed };
        fs::create_dir(fresh.records()).expect("a folder");
        fresh.advise("CVE-2026-0", "held-by-no-image", "a flaw");
        fresh.advise("CVE-2026-1", PACKAGE, "a flaw");
        fresh.refresh().await;
        fresh
    }

    fn records(&self) -> PathBuf {
        self.folder.path().join("records")
    }

    /// Writes a record of OSV: every version of the package is affected.
    fn advise(&self, name: &str, package: &str, summary: &str) {
        let record = format!(
            r#"{{"id":"DEBIAN-{name}","modified":"2026-02-01T00:00:00Z","summary":"{summary}","upstream":["{name}"],
            "affected":[{{"package":{{"ecosystem":"Debian:12","name":"{package}"}},
            "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
        );
        fs::write(self.path_of(name), record).expect("a record");
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.records().join(format!("{name}.json"))
    }

    async fn refresh(&self) -> Generation {
        let source =
            Source { name: "own".to_owned(), location: SourceLocation::Folder(self.records()), only: None };
        let policy = ShrinkPolicy { max_shrink_percent: 100, ..ShrinkPolicy::default() };
        self.store.refresh(vec![source], policy).await.expect("whole records").generation
    }

    async fn image(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let image = self.registry.put_image(&self.unique().parse().expect("a name"), None, layers);
        let manifest = self.registry.manifest(&image).await.expect("it was put");
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        IndexRequest { image, manifest, parents: vec![] }
    }
}

fn watched(registry: &Arc<MemoryRegistry>) -> Registries {
    Registries::new([Arc::clone(registry) as Arc<dyn Registry>])
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

/// A layer of Debian 12 with one package.
fn debian(package: &str, version: &str) -> Vec<u8> {
    let installed = "Status: install ok installed\nArchitecture: amd64";
    layer(&[
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned()),
        ("var/lib/dpkg/status", format!("Package: {package}\n{installed}\nVersion: {version}\n\n")),
    ])
}

#[async_trait]
impl Harness for Embedded {
    async fn advance(&self, _: Duration) {
        // Nothing here depends on time.
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl ScannerHarness for Embedded {
    fn scanner(&self) -> Arc<dyn Scanner> {
        Arc::clone(&self.scanner) as _
    }

    async fn vulnerable(&self) -> Option<IndexRequest> {
        Some(self.image(&[debian(PACKAGE, &format!("1+{}", self.unique()))]).await)
    }

    async fn unreadable(&self) -> Option<IndexRequest> {
        // The beginning of an archive, without its end.
        let jar = layer(&[("opt/log4j-core-2.14.0.jar", format!("PK\u{3}\u{4}{}", self.unique()))]);
        Some(self.image(&[debian("zlib", "1"), jar]).await)
    }

    async fn loading(&self) -> Option<(Arc<dyn Scanner>, IndexRequest)> {
        let empty = AdvisoryStore::open(self.folder.path().join("empty")).expect("a folder");
        let scanner = EmbeddedScanner::new(self.database.clone(), empty, watched(&self.registry));
        Some((Arc::new(scanner), self.vulnerable().await?))
    }

    async fn layer_bytes(&self) -> Option<u64> {
        Some(self.registry.blob_bytes_served())
    }
}

#[async_trait]
impl ChangeFeedHarness for Embedded {
    fn feed(&self) -> Arc<dyn ChangeFeed> {
        Arc::clone(&self.feed) as _
    }

    async fn learn(&self, lesson: Lesson) -> Option<Learnt> {
        let request = self.vulnerable().await?;
        self.scanner.index(&request).await.expect("it reads its own layers");
        match lesson {
            Lesson::Publish => self.advise(LESSON, PACKAGE, "another flaw"),
            Lesson::Withdraw => fs::remove_file(self.path_of(LESSON)).expect("it was published"),
            Lesson::EditText => self.advise(LESSON, PACKAGE, "other words"),
        }
        let generation = self.refresh().await;
        let keys = self.scanner.keys(&request).into_iter().collect();
        Some(Learnt { generation, keys: if lesson == Lesson::EditText { BTreeSet::new() } else { keys } })
    }

    async fn forget(&self, cursor: &Cursor) -> Option<()> {
        let generation = |text: &str| text.split('-').next().and_then(|number| number.parse::<u64>().ok());
        let last = generation(&cursor.0)?;
        for entry in fs::read_dir(self.store.folder()).expect("the folder") {
            let path = entry.expect("an entry").path();
            if database_generation(&path).is_some_and(|number| number <= last) {
                fs::remove_file(path).expect("a file");
            }
        }
        Some(())
    }
}

/// The number in `advisories-<generation>-<hash>.sqlite`.
fn database_generation(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("advisories-")?.split('-').next()?.parse().ok()
}
