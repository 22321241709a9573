//! What stands around a combination, and the configuration that names it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use cve_monitor_bins::config::{
    Loaded, Overrides, QueueKind, RegistryKind, ReportsKind, ScannerKind, StoreKind, Variables, load_with,
};
use cve_monitor_core::testkit::model::MemoryRegistry;
use cve_monitor_tests::fakes::clair_v4::FakeClair;
use cve_monitor_tests::fakes::ecr::{FakeEcr, Place};
use futures::FutureExt as _;
use tempfile::TempDir;

use super::Combination;
use super::fake_clair_v2::FakeClairV2;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
const ROLE: &str = "arn:aws:iam::123456789012:role/cve-monitor";
const EXTERNAL_ID: &str = "combinations";

/// A folder, and the servers of a combination; they end when this is dropped.
pub(super) struct Stage {
    folder: TempDir,
    /// The name of the registry.
    pub(super) registry: String,
    /// The name of the scanner, or what it begins with.
    pub(super) scanner: &'static str,
    text: String,
    _ecr: Option<FakeEcr>,
    _clair_v4: Option<FakeClair>,
    _clair_v2: Option<FakeClairV2>,
}

impl Stage {
    pub(super) async fn raise(combination: Combination, number: usize, aws: Option<&str>) -> Self {
        let mut stage = Self {
            folder: tempfile::tempdir().expect("a folder"),
            registry: String::new(),
            scanner: "",
            text: String::new(),
            _ecr: None,
            _clair_v4: None,
            _clair_v2: None,
        };
        stage.storage(combination, &format!("c{number}"), aws);
        stage.scanner(combination.scanner).await;
        stage.registry(combination.registry).await;
        stage
    }

    /// The configuration as a program reads it.
    pub(super) fn loaded(&self) -> Loaded {
        let folder = self.folder.path();
        std::fs::write(folder.join("cve-monitor.toml"), &self.text).expect("a file");
        let home = [("HOME", folder.to_str().expect("a path"))];
        let loaded = load_with(&Overrides::default(), &Variables::of(&home), folder);
        loaded.unwrap_or_else(|problem| panic!("{problem}\n{}", self.text))
    }

    fn say(&mut self, text: &str) {
        writeln!(self.text, "{text}").expect("a text takes it");
    }

    fn storage(&mut self, combination: Combination, prefix: &str, aws: Option<&str>) {
        self.say("[store]\npath = \"state.db\"");
        match combination.store {
            StoreKind::Sqlite => {}
            StoreKind::DynamoDb => {
                self.say(&format!("kind = \"dynamodb\"\ntable_prefix = \"{prefix}\""));
                self.say(&format!("archive_bucket = \"{prefix}-archive\""));
            }
        }
        match combination.queue {
            QueueKind::Sqlite => {}
            QueueKind::Sqs => self.say(&format!("[queue]\nkind = \"sqs\"\nprefix = \"{prefix}\"")),
        }
        match combination.reports {
            ReportsKind::Folder => {}
            ReportsKind::S3 => self.say(&format!("[reports]\nkind = \"s3\"\nbucket = \"{prefix}-reports\"")),
        }
        if let Some(url) = aws {
            self.say(&format!("[aws]\nregion = \"{REGION}\"\nendpoint_url = \"{url}\""));
        }
    }

    async fn scanner(&mut self, kind: ScannerKind) {
        let clair = |kind: ScannerKind, url: &str| {
            format!("[scanner]\nkind = \"{}\"\n[clair]\nurl = \"{url}\"", kind.as_str())
        };
        match kind {
            ScannerKind::Embedded => self.scanner = "embedded",
            ScannerKind::ClairV4 => {
                let fake = FakeClair::start(Arc::new(|_, _| async { Err(404) }.boxed())).await;
                self.say(&clair(kind, &fake.url()));
                (self.scanner, self._clair_v4) = ("clair-v4", Some(fake));
            }
            ScannerKind::ClairV2 => {
                let images = MemoryRegistry::new("images.example".parse().expect("a name"));
                let fake = FakeClairV2::start(Arc::new(images)).await;
                self.say(&clair(kind, fake.url.as_str()));
                (self.scanner, self._clair_v2) = ("clair-v2", Some(fake));
            }
        }
    }

    async fn registry(&mut self, kind: RegistryKind) {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let files = |path: &str| format!("path = \"{}\"", root.join(path).display());
        let (name, keys) = match kind {
            RegistryKind::Distribution => {
                ("registry.example".to_owned(), "repositories = [\"team/app\"]".to_owned())
            }
            RegistryKind::Ecr => {
                let fake = FakeEcr::start().await;
                fake.world().create_repository(&Place::new(ACCOUNT, REGION, "team/app"));
                fake.world().add_role(ROLE, Some(EXTERNAL_ID));
                let keys = format!(
                    "endpoint = \"{}\"\ninsecure = true\nrole_arn = \"{ROLE}\"\nexternal_id = \"{EXTERNAL_ID}\"",
                    fake.url()
                );
                self._ecr = Some(fake);
                (format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"), keys)
            }
            RegistryKind::OciLayout => ("layout".to_owned(), files("examples/images")),
            RegistryKind::OciArchive => {
                ("archive".to_owned(), files("tests/fixtures/oci/skopeo-oci-archive.tar"))
            }
            RegistryKind::DockerArchive => {
                ("archive".to_owned(), files("tests/fixtures/oci/skopeo-docker-archive.tar"))
            }
        };
        self.say(&format!("[[registry]]\nkind = \"{}\"\nname = \"{name}\"\n{keys}", kind.as_str()));
        self.registry = name;
    }
}
