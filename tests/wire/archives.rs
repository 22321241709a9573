//! One small image as skopeo 1.9.3 wrote it into both kinds of archive.

use std::path::PathBuf;

use cve_monitor_adapters::oci::{ArchiveForm, LocalRegistry, image_config};
use cve_monitor_core::ports::Registry;
use cve_monitor_core::vocabulary::{Digest, ImageId, Manifest};
use futures::TryStreamExt as _;

async fn open(file: &str, form: ArchiveForm) -> LocalRegistry {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/oci").join(file);
    LocalRegistry::open_archive("local".parse().unwrap(), "tiny".parse().unwrap(), path, form).await.unwrap()
}

#[tokio::test]
async fn the_image_is_found_under_its_name_with_its_platform_and_layers() {
    for (file, form) in
        [("skopeo-oci-archive.tar", ArchiveForm::Oci), ("skopeo-docker-archive.tar", ArchiveForm::Docker)]
    {
        let registry = open(file, form).await;
        let repositories = registry.repositories(None, 9).await.unwrap().items;
        assert_eq!(repositories, ["team/tiny".parse().unwrap()], "{file}");
        let digest = registry.resolve(&repositories[0], &"v1".parse().unwrap()).await.unwrap();
        let image =
            ImageId { registry: registry.identity().name, repository: repositories[0].clone(), digest };
        let Ok(Manifest::Image(manifest)) = registry.manifest(&image).await.unwrap().parse() else {
            panic!("{file}: not an image")
        };
        let config = image_config::fetch(&registry, &image.repository, &manifest.config).await.unwrap();
        assert_eq!(config.platform.map(|p| p.to_string()).as_deref(), Some("linux/arm64/v8"), "{file}");
        assert_eq!((config.diff_ids.len(), manifest.layers.len()), (2, 2), "{file}");
        for layer in &manifest.layers {
            let stream = registry.blob(&image.repository, layer).await.unwrap();
            let chunks: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
            assert_eq!(Digest::of(&chunks.concat()), layer.digest, "{file}");
        }
    }
}

#[tokio::test]
async fn an_archive_of_skopeo_keeps_the_digests_that_it_names() {
    let oci = open("skopeo-oci-archive.tar", ArchiveForm::Oci).await;
    let named = oci.resolve(&"team/tiny".parse().unwrap(), &"v1".parse().unwrap()).await.unwrap();
    assert_eq!(named.short(), "2a9422d33571");
    // The layers of a docker archive are stored unpacked, under the digests that the configuration names.
    let docker = open("skopeo-docker-archive.tar", ArchiveForm::Docker).await;
    let repository = "team/tiny".parse().unwrap();
    let digest = docker.resolve(&repository, &"v1".parse().unwrap()).await.unwrap();
    let image = ImageId { registry: docker.identity().name, repository, digest };
    let Ok(Manifest::Image(manifest)) = docker.manifest(&image).await.unwrap().parse() else { panic!() };
    let config = image_config::fetch(&docker, &image.repository, &manifest.config).await.unwrap();
    let layers: Vec<Digest> = manifest.layers.into_iter().map(|layer| layer.digest).collect();
    assert_eq!(layers, config.diff_ids);
}
