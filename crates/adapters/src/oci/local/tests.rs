//! Layouts and archives as tools write them, and what is wrong with broken ones.

use std::fs;
use std::path::Path;

use futures::TryStreamExt as _;

use super::*;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Puts a blob into a layout.
fn put(root: &Path, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    fs::create_dir_all(root.join("blobs/sha256")).unwrap();
    fs::write(root.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    digest
}

fn manifest(config: &[u8], layer: &[u8]) -> String {
    let descriptor = |kind: &str, bytes: &[u8]| {
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, Digest::of(bytes), bytes.len())
    };
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{}]}}"#,
        descriptor("application/vnd.oci.image.config.v1+json", config),
        descriptor("application/vnd.oci.image.layer.v1.tar", layer)
    )
}

/// Writes a layout whose index names these images.
fn layout(root: &Path, images: &[(&str, &[u8])]) -> Vec<Digest> {
    let digests: Vec<Digest> = images
        .iter()
        .map(|(_, layer)| {
            put(root, b"{}");
            put(root, layer);
            put(root, manifest(b"{}", layer).as_bytes())
        })
        .collect();
    let entries: Vec<String> = images
        .iter()
        .zip(&digests)
        .map(|((name, _), digest)| {
            let annotation = format!(r#""org.opencontainers.image.ref.name":"{name}""#);
            format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1,"annotations":{{{annotation}}}}}"#)
        })
        .collect();
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(
        root.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(",")),
    )
    .unwrap();
    digests
}

async fn open_layout(root: &Path) -> LocalRegistry {
    LocalRegistry::open_layout(parsed("local"), parsed("app"), root.to_owned()).await.unwrap()
}

async fn open_archive(path: &Path, form: ArchiveForm) -> Result<LocalRegistry, OpenError> {
    LocalRegistry::open_archive(parsed("local"), parsed("app"), path.to_owned(), form).await
}

fn image(repository: &str, digest: &Digest) -> ImageId {
    ImageId { registry: parsed("local"), repository: parsed(repository), digest: digest.clone() }
}

async fn read(registry: &LocalRegistry, blob: &Descriptor) -> Result<Vec<u8>, RegistryError> {
    let chunks: Vec<bytes::Bytes> = registry.blob(&parsed("app"), blob).await?.try_collect().await?;
    Ok(chunks.concat())
}

fn layer_of(manifest: &RawManifest) -> Descriptor {
    let Ok(cve_monitor_core::vocabulary::Manifest::Image(parsed)) = manifest.parse() else {
        panic!("not an image")
    };
    parsed.layers[0].clone()
}

/// A tar of these members; a target instead of bytes makes a symbolic link.
fn tar_of(path: &Path, members: &[(&str, Result<&[u8], &str>)]) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        match content {
            Ok(bytes) => {
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, name, *bytes).unwrap();
            }
            Err(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, name, target).unwrap();
            }
        }
    }
    builder.finish().unwrap();
}

#[tokio::test]
async fn a_layout_is_read_anew_on_each_listing() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[("v1", b"one")]);
    let registry = open_layout(folder.path()).await;
    assert_eq!(registry.images(&parsed("app"), None, 9).await.map(|p| p.items.len()), Ok(1));
    let digests = layout(folder.path(), &[("v1", b"one"), ("v2", b"two")]);
    assert_eq!(registry.images(&parsed("app"), None, 9).await.map(|p| p.items.len()), Ok(2));
    assert_eq!(registry.resolve(&parsed("app"), &parsed("v2")).await, Ok(digests[1].clone()));
    let selected = registry.select(Some(&LocalName::Tag(parsed("v2")))).await;
    assert_eq!(selected, Ok(vec![image("app", &digests[1])]));
    let none = registry.select(Some(&LocalName::Tag(parsed("v3")))).await;
    assert!(matches!(none, Err(RegistryError::NotFound(_))), "{none:?}");
}

#[tokio::test]
async fn an_image_whose_layout_is_not_mounted_is_not_called_gone() {
    let folder = tempfile::tempdir().unwrap();
    let digests = layout(folder.path(), &[("v1", b"one")]);
    let registry = open_layout(folder.path()).await;
    let absent = registry.manifest(&image("app", &Digest::of(b"other"))).await;
    assert!(matches!(absent, Err(RegistryError::NotFound(_))), "{absent:?}");
    folder.close().unwrap();
    let unmounted = registry.manifest(&image("app", &digests[0])).await;
    assert!(matches!(unmounted, Err(RegistryError::Transient(_))), "{unmounted:?}");
}

#[tokio::test]
async fn the_bound_of_a_manifest_holds_at_its_edge() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[]);
    let at = put(folder.path(), &vec![b' '; MAX_MANIFEST_BYTES]);
    let over = put(folder.path(), &vec![b' '; MAX_MANIFEST_BYTES + 1]);
    let registry = open_layout(folder.path()).await;
    assert_eq!(registry.manifest(&image("app", &at)).await.map(|m| m.bytes.len()), Ok(MAX_MANIFEST_BYTES));
    let refused = registry.manifest(&image("app", &over)).await;
    assert!(matches!(refused, Err(RegistryError::Unsupported(_))), "{refused:?}");
}

#[tokio::test]
async fn a_blob_of_many_chunks_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let layer: Vec<u8> = (0..3 * CHUNK_BYTES + 7).map(|n| (n % 251) as u8).collect();
    let digests = layout(folder.path(), &[("v1", &layer)]);
    let registry = open_layout(folder.path()).await;
    let manifest = registry.manifest(&image("app", &digests[0])).await.unwrap();
    assert_eq!(read(&registry, &layer_of(&manifest)).await, Ok(layer));
}

#[tokio::test]
async fn an_old_docker_archive_is_read_with_its_links_and_always_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let list = r#"[{"Config":"c.json","RepoTags":["debian:12","team/app:v1"],"Layers":["a/layer.tar","b/layer.tar"]},
                   {"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#;
    tar_of(
        &path,
        &[
            ("a/layer.tar", Ok(b"plain")),
            ("b/layer.tar", Err("../a/layer.tar")),
            ("c.json", Ok(b"{\"os\":\"linux\"}")),
            ("manifest.json", Ok(list.as_bytes())),
        ],
    );
    let registry = open_archive(&path, ArchiveForm::Docker).await.unwrap();
    let names = registry.repositories(None, 9).await.unwrap().items;
    assert_eq!(names, [parsed("app"), parsed("library/debian"), parsed::<RepositoryName>("team/app")]);
    let digest = registry.resolve(&parsed("team/app"), &parsed("v1")).await.unwrap();
    assert_eq!(registry.resolve(&parsed("library/debian"), &parsed("12")).await, Ok(digest.clone()));
    // The order of the fields is part of the digest, and so for ever.
    let layer = format!(
        r#"{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","digest":"{}","size":5}}"#,
        Digest::of(b"plain")
    );
    let expected = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","#,
            r#""config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{}","size":14}},"#,
            r#""layers":[{layer},{layer}]}}"#
        ),
        Digest::of(b"{\"os\":\"linux\"}"),
        layer = layer
    );
    assert_eq!(digest, Digest::of(expected.as_bytes()));
    let manifest = registry.manifest(&image("team/app", &digest)).await.unwrap();
    assert_eq!(read(&registry, &layer_of(&manifest)).await, Ok(b"plain".to_vec()));
}

#[tokio::test]
async fn layers_are_named_by_how_they_are_packed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let list = r#"[{"Config":"c","RepoTags":["a:1"],"Layers":["plain","gzip","zstd","empty"]}]"#;
    tar_of(
        &path,
        &[
            ("plain", Ok(b"plain")),
            ("gzip", Ok(&[0x1f, 0x8b, 8])),
            ("zstd", Ok(&[0x28, 0xb5, 0x2f, 0xfd])),
            ("empty", Ok(b"")),
            ("c", Ok(b"{}")),
            ("manifest.json", Ok(list.as_bytes())),
        ],
    );
    let registry = open_archive(&path, ArchiveForm::Docker).await.unwrap();
    let digest = registry.resolve(&parsed("library/a"), &parsed("1")).await.unwrap();
    let manifest = registry.manifest(&image("library/a", &digest)).await.unwrap();
    let Ok(cve_monitor_core::vocabulary::Manifest::Image(manifest)) = manifest.parse() else { panic!() };
    let ends: Vec<&str> = manifest.layers.iter().filter_map(|l| l.media_type.0.rsplit('.').next()).collect();
    assert_eq!(ends, ["tar", "gzip", "tar+zstd", "tar"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_archive_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let list = r#"[{"Config":"c","RepoTags":[],"Layers":["gone/layer.tar"]}]"#;
    let old_form: &[(&str, Result<&[u8], &str>)] =
        &[("c", Ok(b"{}")), ("manifest.json", Ok(list.as_bytes()))];
    for (bytes, members, form, expected) in [
        (Some(vec![0x1f, 0x8b, 8, 0]), None, ArchiveForm::Oci, "gunzip FILE"),
        (Some(vec![0x28, 0xb5, 0x2f, 0xfd]), None, ArchiveForm::Docker, "zstd -d FILE"),
        (Some(vec![7; 2000]), None, ArchiveForm::Docker, "no tar archive"),
        (None, Some(old_form), ArchiveForm::Oci, "write docker-archive:FILE"),
        (None, Some(old_form), ArchiveForm::Docker, "names `gone/layer.tar`, which is missing"),
        (None, Some(&[("x", Ok(b"x".as_slice()))]), ArchiveForm::Docker, "neither `index.json` nor"),
    ] {
        match (bytes, members) {
            (Some(bytes), _) => fs::write(&path, bytes).unwrap(),
            (None, members) => tar_of(&path, members.unwrap_or_default()),
        }
        let error = open_archive(&path, form).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("a.tar"), "{error}");
    }
    assert!(open_archive(Path::new("/nowhere.tar"), ArchiveForm::Oci).await.is_err());
    let no_layout = LocalRegistry::open_layout(parsed("l"), parsed("app"), folder.path().to_owned()).await;
    assert!(no_layout.unwrap_err().to_string().contains("there is no `index.json`"));
}

#[tokio::test]
async fn an_archive_that_is_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    tar_of(&path, &[("index.json", Ok(br#"{"manifests":[]}"#)), ("big", Ok(&[1; 4096]))]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..512 + 512 + 512 + 1000]).unwrap();
    let error = open_archive(&path, ArchiveForm::Oci).await.unwrap_err().to_string();
    assert!(error.contains("cut short"), "{error}");
}

#[tokio::test]
async fn blobs_of_a_layout_have_an_address_and_those_of_an_archive_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let digests = layout(folder.path(), &[("v1", b"one")]);
    let registry = open_layout(folder.path()).await;
    let manifest = registry.manifest(&image("app", &digests[0])).await.unwrap();
    let location = registry.location(&parsed("app"), &layer_of(&manifest)).await.unwrap();
    assert!(location.uri.starts_with("file:///") && location.headers.is_empty(), "{}", location.uri);
    let path = folder.path().join("a.tar");
    tar_of(&path, &[("index.json", Ok(br#"{"manifests":[]}"#))]);
    let archive = open_archive(&path, ArchiveForm::Oci).await.unwrap();
    let none = archive.location(&parsed("app"), &layer_of(&manifest)).await;
    assert!(matches!(none, Err(RegistryError::Unsupported(_))));
}

#[tokio::test]
async fn a_docker_archive_with_an_index_of_its_own_is_read_by_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let bytes = manifest(b"{}", b"layer");
    let digest = Digest::of(bytes.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}","size":1,"annotations":{{
            "io.containerd.image.name":"docker.io/team/app:v1","org.opencontainers.image.ref.name":"v1"}}}}]}}"#
    );
    let blob = format!("blobs/sha256/{}", digest.hex());
    let list = br#"[{"Config":"gone","RepoTags":["team/app:v1"],"Layers":["gone"]}]"#;
    tar_of(
        &path,
        &[
            (&blob, Ok(bytes.as_bytes())),
            ("index.json", Ok(index.as_bytes())),
            ("manifest.json", Ok(list.as_slice())),
        ],
    );
    let registry = open_archive(&path, ArchiveForm::Docker).await.unwrap();
    assert_eq!(registry.resolve(&parsed("team/app"), &parsed("v1")).await, Ok(digest.clone()));
    assert_eq!(registry.manifest(&image("team/app", &digest)).await.map(|m| m.bytes), Ok(bytes.into_bytes()));
}

#[tokio::test]
async fn what_refers_to_an_image_of_a_layout_is_found_by_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let image_digest = layout(folder.path(), &[("v1", b"one")]).remove(0);
    let subject = format!(
        r#"{{"schemaVersion":2,"artifactType":"application/spdx+json","config":{{"mediaType":"c"}},"layers":[],
            "subject":{{"mediaType":"{OCI_MANIFEST}","digest":"{image_digest}","size":1}}}}"#
    );
    let referrer = put(folder.path(), subject.as_bytes());
    let gone = Digest::of(b"gone");
    let entries: Vec<String> = [&image_digest, &referrer, &gone]
        .iter()
        .map(|digest| format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1}}"#))
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    fs::write(folder.path().join("index.json"), index).unwrap();
    let registry = open_layout(folder.path()).await;
    let found = registry.referrers(&image("app", &image_digest)).await.unwrap();
    let expected = Referrer {
        digest: referrer.clone(),
        artifact_type: Some("application/spdx+json".to_owned()),
        created: None,
    };
    assert_eq!(found, [expected]);
    assert_eq!(registry.referrers(&image("app", &referrer)).await, Ok(vec![]));
}

#[tokio::test]
async fn an_index_may_have_so_many_bytes_and_no_more_in_a_folder_and_in_an_archive() {
    let padded = |text: &str, length: u64| {
        let mut padded = text.as_bytes().to_vec();
        padded.resize(usize::try_from(length).unwrap(), b' ');
        padded
    };
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), &[]);
    let archive = folder.path().join("archive.tar");
    for (length, good) in [(MAX_INDEX_BYTES, true), (MAX_INDEX_BYTES + 1, false)] {
        let bytes = padded(r#"{"manifests":[]}"#, length);
        fs::write(folder.path().join("index.json"), &bytes).unwrap();
        let path = folder.path().to_owned();
        let opened = LocalRegistry::open_layout(parsed("local"), parsed("app"), path).await;
        assert_eq!(opened.is_ok(), good, "{opened:?}");
        for (member, form) in [("index.json", ArchiveForm::Oci), ("manifest.json", ArchiveForm::Docker)] {
            // Docker's list is one of images: here of none.
            let bytes = if member == "index.json" { bytes.clone() } else { padded("[]", length) };
            tar_of(&archive, &[(member, Ok(&bytes))]);
            let opened = open_archive(&archive, form).await;
            assert_eq!(opened.is_ok(), good, "{member} {length}: {:?}", opened.err());
        }
    }
}

#[tokio::test]
async fn so_many_manifests_are_asked_for_their_subject_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let image = image("app", &layout(folder.path(), &[("a", b"layer")])[0]);
    for (count, good) in [(MAX_SUBJECTS, true), (MAX_SUBJECTS + 1, false)] {
        let entries: Vec<String> = (0..count)
            .map(|number| format!(r#"{{"digest":"{}"}}"#, Digest::of(number.to_string().as_bytes())))
            .collect();
        let index = format!(r#"{{"manifests":[{}]}}"#, entries.join(","));
        fs::write(folder.path().join("index.json"), index).unwrap();
        let found = open_layout(folder.path()).await.referrers(&image).await;
        match good {
            true => assert_eq!(found, Ok(vec![])),
            false => assert!(matches!(found, Err(RegistryError::Unsupported(_))), "{found:?}"),
        }
    }
}
