//! Archives: written once, and never changed while they are open.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::oci::{ArchiveForm, LocalRegistry};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::testkit::laws::registry::{RegistryHarness, Seeded};
use cve_monitor_core::testkit::laws::{Harness, UniqueNames};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, Manifest, RepositoryName, Tag};
use tempfile::TempDir;

use super::images::{Image, parsed, seeded, tagged};
use super::layout::{index, repository};

pub(super) struct Archive {
    names: UniqueNames,
    folder: TempDir,
    registry: Arc<LocalRegistry>,
    repository: RepositoryName,
    form: ArchiveForm,
}

fn write(path: &Path, members: &[(String, Vec<u8>)]) {
    let mut builder = tar::Builder::new(File::create(path).expect("a file"));
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("a member");
    }
    builder.finish().expect("an archive");
}

fn blob(digest: &Digest, bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", digest.hex()), bytes.to_vec())
}

/// Damaged parts lie in every OCI archive, named by nothing.
fn broken() -> Image {
    Image::of("broken")
}

impl Archive {
    pub(super) async fn oci() -> Self {
        let images = tagged();
        let mut members = vec![];
        for (_, image) in &images {
            let parts = [&image.config, &image.layer, &image.manifest];
            members.extend(parts.map(|bytes| blob(&Digest::of(bytes), bytes)));
        }
        let broken = broken();
        members.push(blob(&broken.digest(), &Image::damaged(&broken.manifest)));
        members.push(blob(&broken.blob().digest, &Image::damaged(&broken.layer)));
        let entries: Vec<(Option<Tag>, Digest)> =
            images.iter().map(|(tag, image)| (Some(tag.clone()), image.digest())).collect();
        members.push(("index.json".to_owned(), index(&entries).into_bytes()));
        Self::open(&members, ArchiveForm::Oci, repository()).await
    }

    pub(super) async fn docker() -> Self {
        let mut members = vec![];
        let mut list = vec![];
        for (tag, image) in tagged() {
            let (config, layer) =
                (format!("{}.json", Digest::of(&image.config).hex()), format!("{tag}/layer.tar"));
            list.push(format!(
                r#"{{"Config":"{config}","RepoTags":["team/app:{tag}"],"Layers":["{layer}"]}}"#
            ));
            members.push((config, image.config));
            members.push((layer, image.layer));
        }
        members.push(("manifest.json".to_owned(), format!("[{}]", list.join(",")).into_bytes()));
        Self::open(&members, ArchiveForm::Docker, parsed("team/app")).await
    }

    async fn open(members: &[(String, Vec<u8>)], form: ArchiveForm, repository: RepositoryName) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("images.tar");
        write(&path, members);
        let opened = LocalRegistry::open_archive(parsed("local"), self::repository(), path, form).await;
        let registry = Arc::new(opened.expect("an archive"));
        Self { names: UniqueNames::new("a"), folder, registry, repository, form }
    }

    /// The images by tag, as the registry resolves them: those of a docker archive have no digest of their own.
    async fn resolved(&self) -> Vec<(Tag, Digest)> {
        let mut resolved = vec![];
        for (tag, _) in tagged() {
            let digest = self.registry.resolve(&self.repository, &tag).await.expect("a tag");
            resolved.push((tag, digest));
        }
        resolved
    }

    async fn layer(&self, digest: &Digest) -> Descriptor {
        let manifest = self.registry.manifest(&self.image(digest)).await.expect("a manifest");
        let Ok(Manifest::Image(manifest)) = manifest.parse() else { panic!("not an image") };
        manifest.layers[0].clone()
    }

    fn image(&self, digest: &Digest) -> ImageId {
        ImageId { registry: parsed("local"), repository: self.repository.clone(), digest: digest.clone() }
    }

    /// Damages the file behind the back of the registry, at the first place of these bytes.
    fn overwrite(&self, bytes: &[u8]) {
        let path = self.folder.path().join("images.tar");
        let all = std::fs::read(&path).expect("a file");
        let place = all.windows(bytes.len()).position(|window| window == bytes).expect("these bytes");
        let file = File::options().write(true).open(path).expect("a file");
        file.write_all_at(b"X", place as u64).expect("a byte");
    }
}

#[async_trait]
impl Harness for Archive {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

#[async_trait]
impl RegistryHarness for Archive {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry) as _
    }

    async fn seeded(&self) -> Option<Seeded> {
        let resolved = self.resolved().await;
        let blob = self.layer(&resolved[0].1).await;
        Some(seeded(&self.repository, &resolved, blob))
    }

    async fn push_more(&self, _repository: &RepositoryName) -> Option<()> {
        None
    }

    async fn move_tag(&self, _to: &ImageId, _tag: &Tag) -> Option<()> {
        None
    }

    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)> {
        if self.form == ArchiveForm::Oci {
            return Some((self.repository.clone(), broken().blob()));
        }
        let (_, digest) = self.resolved().await.remove(0);
        self.overwrite(&tagged()[0].1.layer);
        Some((self.repository.clone(), self.layer(&digest).await))
    }

    /// A docker archive has no manifests that could be damaged.
    async fn damaged_manifest(&self) -> Option<ImageId> {
        (self.form == ArchiveForm::Oci).then(|| self.image(&broken().digest()))
    }

    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        None
    }

    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        None
    }
}
