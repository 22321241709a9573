//! What lies on a disk and comes from elsewhere: images, credentials, advisories. Each is written into a folder of its own.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use cve_monitor_adapters::embedded::advisories::{AdvisoryMirror, MirrorSettings};
use cve_monitor_adapters::oci::{ArchiveForm, DockerConfig, LocalRegistry, OpenError};
use cve_monitor_core::ports::Registry as _;
use cve_monitor_core::vocabulary::{Digest, Manifest, RegistryName, RepositoryName};
use cve_monitor_scanner::advisory::{SourceError, SourceLocation, for_each_rating, for_each_record};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::files::{archive, picked};

/// Entries of a page: fewer than a layout may have.
const PAGE_ENTRIES: usize = 3;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    })
}

/// Work on another thread that panics ends as an error, which says so.
fn no_panic(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains("panicked"), "{text}");
}

/// The index of a layout, the list of a docker archive with what it names, or a whole archive of either form.
pub(crate) fn local(bytes: &[u8]) {
    let kinds = ["layout", "saved", "docker", "oci"];
    let Some((kind, content)) = picked(bytes, &kinds) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(if kind == "layout" { "index.json" } else { "images.tar" });
    let members: [(&str, &[u8]); 4] =
        [("manifest.json", content), ("config.json", b"{}"), ("a/layer.tar", b"a"), ("b/layer.tar", b"b")];
    let saved = archive(&members);
    fs::write(&file, if kind == "saved" { &saved } else { content }).expect("the file can be written");
    runtime().block_on(async {
        match open(kind, &file).await {
            Ok(registry) => listed(&registry, kind == "saved").await,
            Err(error) => no_panic(&error),
        }
    });
}

async fn open(kind: &str, file: &Path) -> Result<LocalRegistry, OpenError> {
    let name: RegistryName = "fuzzed".parse().expect("a name");
    let repository: RepositoryName = "images".parse().expect("a name");
    let form = if kind == "oci" { ArchiveForm::Oci } else { ArchiveForm::Docker };
    match file.parent().filter(|_| kind == "layout") {
        Some(folder) => LocalRegistry::open_layout(name, repository, folder.to_owned()).await,
        None => LocalRegistry::open_archive(name, repository, file.to_owned(), form).await,
    }
}

/// Page by page all images are listed; and where their manifests were made here, they are images that are there.
async fn listed(registry: &LocalRegistry, is_made: bool) {
    let all = registry.select(None).await.expect("what was opened is listed");
    let mut names = all.clone();
    names.dedup_by(|one, other| one.repository == other.repository);
    let mut found = 0;
    for image in &names {
        let mut after = None;
        loop {
            let page = registry.images(&image.repository, after, PAGE_ENTRIES).await.expect("a page");
            found += page.items.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    assert_eq!(found, all.len());
    for image in &all {
        match registry.manifest(image).await {
            Ok(raw) => {
                assert_eq!(Digest::of(&raw.bytes), image.digest);
                assert!(!is_made || matches!(raw.parse(), Ok(Manifest::Image(_))), "{raw:?}");
            }
            Err(error) => assert!(!is_made, "{error}"),
        }
    }
}

/// Docker's configuration, asked for a registry's credentials. There is no program to be started.
pub(crate) fn docker_config(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.json");
    fs::write(&file, bytes).expect("the file can be written");
    let config = DockerConfig { file, environment: vec![] };
    for host in ["docker.io", "registry.example:5000"] {
        match runtime().block_on(config.credentials(host)) {
            // Printed, they say nothing of themselves.
            Ok(found) => drop(format!("{found:?}")),
            Err(error) => no_panic(&error),
        }
    }
}

/// An archive of OSV records, or a list of ratings.
pub(crate) fn advisories(bytes: &[u8]) {
    let kinds =
        ["all.zip", "known_exploited_vulnerabilities.json", "epss_scores-x.csv", "epss_scores-x.csv.gz"];
    let Some((name, content)) = picked(bytes, &kinds) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), content).expect("the file can be written");
    let place = SourceLocation::Folder(folder.path().to_owned());
    let mut records = 0_u64;
    let read = for_each_record(&place, |record| {
        records += 1;
        assert!(!record.id.is_empty());
        Ok::<_, SourceError>(())
    });
    match read {
        Ok(count) => assert!(count == records && count > 0),
        Err(error) => no_panic(&error),
    }
    if let Err(error) = for_each_rating(&place, |_, _| Ok::<_, SourceError>(())) {
        no_panic(&error);
    }
}

/// A bundle of advisories, or the manifest of one that is otherwise whole. Nothing is written beside the cache.
pub(crate) fn bundle(bytes: &[u8]) {
    let Some((kind, content)) = picked(bytes, &["manifest", "bundle"]) else { return };
    let hash = Digest::of(content).to_string();
    let members: [(&str, &[u8]); 3] =
        [("manifest.json", content), ("manifest.sha256", hash.as_bytes()), ("archives/0000.zip", b"zip")];
    let whole = archive(&members);
    MIRROR.with(|(folder, mirror)| {
        let file = folder.path().join("bundle.tar");
        fs::write(&file, if kind == "manifest" { &whole } else { content }).expect("the file can be written");
        let base = "https://mirror.example".parse().expect("an address");
        match runtime().block_on(mirror.import(&[base], &file)) {
            Ok(taken) => assert!(kind == "bundle" || taken.len() <= 1, "{taken:?}"),
            Err(error) => no_panic(&error),
        }
        let beside = fs::read_dir(folder.path()).expect("a folder").count();
        assert!(beside <= 2, "something lies beside the cache");
    });
}

thread_local! {
    /// A mirror and its folder: clients take a while to be made, and ask nobody here.
    static MIRROR: (TempDir, AdvisoryMirror) = {
        let folder = tempfile::tempdir().expect("a folder");
        let mirror = AdvisoryMirror::new(MirrorSettings::new(folder.path().join("cache")));
        (folder, mirror.expect("settings"))
    };
}
