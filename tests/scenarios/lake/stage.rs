//! A lake that the real pipeline wrote: two registries with the images of the examples, before and after the second set of
//! advisories.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cve_monitor_bins::config::{Aws, Overrides, Reports, Variables, load_with};
use cve_monitor_bins::wiring::{AsOfClock, Lake, System};
use cve_monitor_core::pipeline::{Ingest, Notifier, ReconcileMode, ReconcileSettings, Reconciler};
use tempfile::TempDir;

/// When all images are scanned, with the first set of advisories.
pub(crate) const FIRST: &str = "2026-01-20T08:00:00.000Z";
/// When the second set is followed.
pub(crate) const SECOND: &str = "2026-03-01T09:30:00.250Z";
/// The day on which questions are asked.
pub(crate) const TODAY: &str = "2026-03-01";
/// Registry and repository; both hold the same images.
pub(crate) const PLACES: [(&str, &str); 2] = [("examples", "images"), ("mirror", "team/app")];

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The lake; it lasts as long as this.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
}

impl Stage {
    /// The one that is the same for all who only read it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Stage> = OnceLock::new();
        SHARED.get_or_init(Self::raise)
    }

    /// A copy of that one, to be spoilt.
    pub(crate) fn copy() -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        copy_folder(&Self::shared().reports(), &copy.reports());
        copy
    }

    fn raise() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        let registries = PLACES.map(|(registry, repository)| {
            let images = root().join("examples/images").display().to_string();
            format!(
                "[[registry]]\nname = \"{registry}\"\nkind = \"oci-layout\"\npath = {images:?}\nrepository = \"{repository}\"\n"
            )
        });
        let text = format!(
            "[store]\npath = \"state.db\"\n[reports]\nfolder = \"reports\"\n[advisories]\nsources = [\"source\"]\n{}",
            registries.concat()
        );
        std::fs::write(stage.folder.path().join("cve-monitor.toml"), text).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for (state, at) in [("first", FIRST), ("second", SECOND)] {
            runtime.block_on(stage.phase(state, at));
        }
        stage
    }

    /// Takes in a set of advisories and works until nothing is left, at an instant, in a system of its own.
    async fn phase(&self, state: &str, at: &str) {
        let folder = self.folder.path();
        let source = folder.join("source");
        let _ = std::fs::remove_dir_all(&source);
        copy_folder(&root().join("examples/advisories").join(state), &source);
        let overrides = Overrides { file: Some(folder.join("cve-monitor.toml")), settings: vec![] };
        let loaded = load_with(&overrides, &Variables::of(&[]), folder).unwrap();
        let clock = Arc::new(AsOfClock::new(at.parse().unwrap()));
        let system = System::open_at(&loaded, clock).await.unwrap_or_else(|problem| panic!("{problem}"));
        system.refresh().await.unwrap_or_else(|problem| panic!("{problem}"));
        Notifier::new(Arc::clone(&system.ports), Arc::clone(&system.feed)).follow().await.unwrap();
        if state == "first" {
            let reconciler = Reconciler::new(Arc::clone(&system.ports), ReconcileSettings::default());
            for (registry, _) in PLACES {
                let registry = registry.parse().unwrap();
                reconciler.round(&registry, ReconcileMode::Apply, &mut |_, _| {}).await.unwrap();
            }
        }
        Ingest::new(Arc::clone(&system.ports), system.ingest_settings(&loaded.config)).run_until_idle().await;
    }

    pub(crate) fn reports(&self) -> PathBuf {
        self.folder.path().join("reports")
    }

    pub(crate) async fn lake(&self) -> Lake {
        let nowhere = Aws { region: None, endpoint_url: None, profile: None };
        Lake::open(&Reports::Folder(self.reports()), &nowhere)
            .await
            .unwrap_or_else(|problem| panic!("{problem}"))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
