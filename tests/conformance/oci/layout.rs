//! A layout in a folder, written as other tools write it while it is read.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::oci::LocalRegistry;
use cve_monitor_core::ports::Registry;
use cve_monitor_core::testkit::laws::registry::{RegistryHarness, Seeded};
use cve_monitor_core::testkit::laws::{Harness, UniqueNames};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, RepositoryName, Tag};
use tempfile::TempDir;

use super::images::{Image, parsed, seeded, tagged};

pub(super) struct Layout {
    names: UniqueNames,
    folder: TempDir,
    registry: Arc<LocalRegistry>,
    entries: Mutex<Vec<(Option<Tag>, Digest)>>,
}

/// The files of a layout that names these manifests.
pub(super) fn index(entries: &[(Option<Tag>, Digest)]) -> String {
    let entry = |(tag, digest): &(Option<Tag>, Digest)| {
        let annotations = tag.as_ref().map_or(String::new(), |tag| {
            format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#)
        });
        format!(r#"{{"digest":"{digest}","size":1{annotations}}}"#)
    };
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
}

pub(super) fn repository() -> RepositoryName {
    parsed("app")
}

impl Layout {
    pub(super) async fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir_all(folder.path().join("blobs/sha256")).expect("a folder");
        fs::write(folder.path().join("index.json"), index(&[])).expect("a file");
        let path = folder.path().to_owned();
        let opened = LocalRegistry::open_layout(parsed("local"), repository(), path).await;
        let registry = Arc::new(opened.expect("a layout"));
        Self { names: UniqueNames::new("l"), folder, registry, entries: Mutex::default() }
    }

    /// Puts bytes where those of a digest belong.
    fn put_as(&self, digest: &Digest, bytes: &[u8]) {
        let file = self.folder.path().join("blobs/sha256").join(digest.hex());
        fs::write(file, bytes).expect("a file");
    }

    fn push(&self, tag: Option<&Tag>, image: &Image) {
        for bytes in [&image.config, &image.layer, &image.manifest] {
            self.put_as(&Digest::of(bytes), bytes);
        }
        self.name(tag, &image.digest());
    }

    fn name(&self, tag: Option<&Tag>, digest: &Digest) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(known, _)| known.is_none() || known.as_ref() != tag);
        entries.push((tag.cloned(), digest.clone()));
        // Written beside and renamed, as tools do.
        let new = self.folder.path().join("index.json.new");
        fs::write(&new, index(&entries)).expect("a file");
        fs::rename(new, self.folder.path().join("index.json")).expect("a file");
    }
}

#[async_trait]
impl Harness for Layout {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl RegistryHarness for Layout {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry) as _
    }

    async fn seeded(&self) -> Option<Seeded> {
        let images = tagged();
        images.iter().for_each(|(tag, image)| self.push(Some(tag), image));
        let untagged = Image::of("untagged");
        self.push(None, &untagged);
        let digests: Vec<(Tag, Digest)> =
            images.iter().map(|(tag, image)| (tag.clone(), image.digest())).collect();
        let seeded = seeded(&repository(), &digests, untagged.blob());
        Some(Seeded { untagged: vec![untagged.digest()], ..seeded })
    }

    async fn push_more(&self, _repository: &RepositoryName) -> Option<()> {
        let name = self.unique();
        self.push(Some(&parsed(&name)), &Image::of(&name));
        Some(())
    }

    async fn move_tag(&self, to: &ImageId, tag: &Tag) -> Option<()> {
        self.name(Some(tag), &to.digest);
        Some(())
    }

    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)> {
        let image = Image::of(&self.unique());
        self.put_as(&image.blob().digest, &Image::damaged(&image.layer));
        Some((repository(), image.blob()))
    }

    async fn damaged_manifest(&self) -> Option<ImageId> {
        let image = Image::of(&self.unique());
        self.put_as(&image.digest(), &Image::damaged(&image.manifest));
        Some(ImageId { registry: parsed("local"), repository: repository(), digest: image.digest() })
    }

    /// Files that may not be read are read all the same by the user that tests often run as.
    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        None
    }

    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        None
    }
}
