//! A registry in memory with small Debian images, advisories about them, and a scanner between the two.

use std::path::Path;
use std::sync::Arc;

use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{ChangeFeed as _, Cursor, IndexRequest, Next, Registry, Scanner};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_core::vocabulary::{Assessment, ImageId, LayerKey, Manifest};
use cve_monitor_scanner::advisory::{ShrinkPolicy, Source, SourceLocation};
use tempfile::TempDir;

use super::EmbeddedScanner;
use crate::embedded::Database;
use crate::embedded::advisories::{AdvisoryStore, EmbeddedFeed, Refreshed};

pub(in crate::embedded) const OS_RELEASE: (&str, &str) = ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");

/// Everything in one folder, gone with it.
pub(in crate::embedded) struct Bench {
    pub(in crate::embedded) folder: TempDir,
    pub(in crate::embedded) database: Database,
    pub(in crate::embedded) store: AdvisoryStore,
    pub(in crate::embedded) registry: Arc<MemoryRegistry>,
    pub(in crate::embedded) scanner: EmbeddedScanner,
}

/// A layer of these files.
pub(in crate::embedded) fn layer_of_files(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(vec![]);
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A layer of Debian 12 in which these packages, with their versions, are installed.
pub(in crate::embedded) fn layer(packages: &[(&str, &str)]) -> Vec<u8> {
    let status: String = packages
        .iter()
        .map(|(name, version)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
            )
        })
        .collect();
    layer_of_files(&[OS_RELEASE, ("var/lib/dpkg/status", &status)])
}

/// A record of OSV about a package: versions before `fixed` are affected.
pub(in crate::embedded) fn record(id: &str, ecosystem: &str, package: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"DEBIAN-{id}","modified":"2026-02-01T00:00:00Z","summary":"a flaw","upstream":["{id}"],
        "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{package}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

impl Bench {
    /// Nothing is imported yet.
    pub(in crate::embedded) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("records")).unwrap();
        let database = Database::open(folder.path().join("monitor.db")).unwrap();
        let store = AdvisoryStore::open(folder.path().join("advisories")).unwrap();
        let registry = Arc::new(MemoryRegistry::new("memory.test".parse().unwrap()));
        let registries = Registries::new([Arc::clone(&registry) as Arc<dyn Registry>]);
        let scanner = EmbeddedScanner::new(database.clone(), store.clone(), registries);
        Self { folder, database, store, registry, scanner }
    }

    /// As another process has it.
    pub(in crate::embedded) fn another_scanner(&self) -> EmbeddedScanner {
        let store = AdvisoryStore::open(self.store.folder()).unwrap();
        let registries = Registries::new([Arc::clone(&self.registry) as Arc<dyn Registry>]);
        EmbeddedScanner::new(self.database.clone(), store, registries)
    }

    pub(in crate::embedded) fn feed(&self) -> EmbeddedFeed {
        EmbeddedFeed::new(self.database.clone(), self.store.clone())
    }

    fn records(&self) -> std::path::PathBuf {
        self.folder.path().join("records")
    }

    /// Writes a record of Debian 12; the next refresh reads it.
    pub(in crate::embedded) fn advise(&self, id: &str, package: &str, fixed: &str) {
        self.advise_for("Debian:12", id, package, fixed);
    }

    pub(in crate::embedded) fn advise_for(&self, ecosystem: &str, id: &str, package: &str, fixed: &str) {
        let path = self.records().join(format!("{id}.json"));
        std::fs::write(path, record(id, ecosystem, package, fixed)).unwrap();
    }

    pub(in crate::embedded) fn retract(&self, id: &str) {
        std::fs::remove_file(self.records().join(format!("{id}.json"))).unwrap();
    }

    pub(in crate::embedded) async fn refresh(&self) -> Refreshed {
        let policy = ShrinkPolicy { max_shrink_percent: 100, ..ShrinkPolicy::default() };
        self.store.refresh(vec![source(&self.records())], policy).await.unwrap()
    }

    /// An image of these layers, as the pipeline hands it over.
    pub(in crate::embedded) async fn image(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let image = self.registry.put_image(&"team/app".parse().unwrap(), None, layers);
        self.request(image).await
    }

    pub(in crate::embedded) async fn request(&self, image: ImageId) -> IndexRequest {
        let manifest = self.registry.manifest(&image).await.unwrap();
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        IndexRequest { image, manifest, parents: vec![] }
    }

    /// An image that is indexed already.
    pub(in crate::embedded) async fn indexed(&self, layers: &[Vec<u8>]) -> IndexRequest {
        let request = self.image(layers).await;
        self.scanner.index(&request).await.unwrap();
        request
    }

    pub(in crate::embedded) async fn assess(&self, request: &IndexRequest) -> Assessment {
        self.scanner.assess(&request.image, None).await.unwrap()
    }

    /// Where the feed is now.
    pub(in crate::embedded) async fn feed_cursor(&self) -> Cursor {
        match self.feed().next(None).await {
            Ok(Next::Gap { to, .. }) => to,
            other => panic!("{other:?}"),
        }
    }

    /// The keys of all that the next change after a state may affect.
    pub(in crate::embedded) async fn candidates_since(&self, from: &Cursor) -> Vec<LayerKey> {
        let Ok(Next::Change { to, .. }) = self.feed().next(Some(from.clone())).await else {
            panic!("no change")
        };
        self.feed().candidates(from, &to, None, 1000).await.unwrap().items
    }

    pub(in crate::embedded) async fn execute(&self, sql: &'static str) {
        self.database.write(move |tx| Ok(tx.execute_batch(sql)?)).await.unwrap();
    }
}

pub(in crate::embedded) fn source(folder: &Path) -> Source {
    Source { name: "own".to_owned(), location: SourceLocation::Folder(folder.to_owned()), only: None }
}

/// The names of what was found, sorted.
pub(in crate::embedded) fn names(assessment: &Assessment) -> Vec<String> {
    let mut names: Vec<String> = assessment.findings.iter().map(|found| found.name.clone()).collect();
    names.sort();
    names
}
