//! A Clair with a registry and our pipelines on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_adapters::clair::Endpoint;
use cve_monitor_adapters::clair::v4::{
    ClairV4Client, ClairV4Feed, ClairV4Loading, ClairV4Scanner, ClairV4Settings,
};
use cve_monitor_core::pipeline::Registries;
use tempfile::TempDir;
use xtask::clair::{ClairV4, Ground, offline};

use super::data::State;
use crate::stage::{Parts, Stage, counted, ground, open_folder};

/// How long an import is left alone. Real time: Clair's reports change only some moments after it.
const SETTLE: Duration = Duration::from_secs(2);
/// Nobody listens here: the feed does without notifications.
const NO_WEBHOOK: &str = "http://127.0.0.1:9/";

/// All of it. Ends in this order.
pub(super) struct Running {
    pub(super) stage: Stage,
    pub(super) clair: ClairV4,
    pub(super) ground: Ground,
    folder: TempDir,
}

impl Running {
    /// Raises Clair without any advisories, and a registry with these images.
    pub(super) async fn empty(programs: &Path, images: &[&str]) -> Self {
        let folder = open_folder();
        let ground = ground(folder.path(), images);
        let clair = ClairV4::start(programs, &ground, NO_WEBHOOK).unwrap();
        let address = clair.address;
        let stage = Stage::open(&ground, |parts| async move {
            let endpoint =
                Endpoint { url: format!("http://{address}/").parse().unwrap(), ca_file: None, signer: None };
            let Parts { registry, archive, clock, .. } = parts;
            let settings = ClairV4Settings::new(endpoint);
            let client = Arc::new(ClairV4Client::new(&settings).unwrap());
            let loading = ClairV4Loading {
                expected_updaters: vec![offline::UPDATER.to_owned()],
                ..ClairV4Loading::default()
            };
            let registries = Registries::new([registry]);
            let scanner =
                ClairV4Scanner::connect(Arc::clone(&client), registries, loading, Arc::clone(&clock) as _);
            let feed = ClairV4Feed::new(client, archive, clock).settling(SETTLE);
            (Arc::new(scanner.await.unwrap()) as _, Arc::new(feed) as _)
        })
        .await;
        Self { stage, clair, ground, folder }
    }

    /// The same with the first advisories of the examples, every image reported, and the feed followed up to them.
    pub(super) async fn reported(programs: PathBuf, images: &[&str]) -> (Self, State) {
        let running = Self::empty(&programs, images).await;
        let first = State::of("first");
        running.import(&first);
        running.stage.reconcile().await;
        running.stage.ingest().await;
        assert_eq!(running.stage.follow(1).await, 1, "nothing was followed yet: a gap");
        running.stage.ingest().await;
        for image in images {
            assert_eq!(running.reports(image).await, 1, "{image}");
        }
        (running, first)
    }

    pub(super) fn import(&self, state: &State) {
        state.import(&self.clair, self.folder.path());
    }

    pub(super) fn push(&self, image: &str) {
        self.ground.push(crate::root(), image).unwrap();
    }

    /// How many reports an image has.
    pub(super) async fn reports(&self, image: &str) -> usize {
        self.stage.reports(&self.stage.image(image).await).await
    }

    /// Whether the last report of an image names a vulnerability.
    pub(super) async fn names(&self, image: &str, vulnerability: &str) -> bool {
        let rows = self.stage.rows(&self.stage.image(image).await).await;
        rows.iter().any(|row| row.vulnerability == vulnerability)
    }

    /// The requests that Clair has answered since `from`, counted by method and path, digests left out; and how many
    /// there are now.
    pub(super) fn requests(&self, from: usize) -> (BTreeMap<String, usize>, usize) {
        let all = self.clair.requests().unwrap();
        (counted(&all[from..]), all.len())
    }
}
