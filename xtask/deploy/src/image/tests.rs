//! Images hold what they should, and are the same whenever they are made.

use std::io::Read as _;

use super::layout::{write_archive, write_folder};
use super::*;

fn program(name: &str, byte: u8) -> Program {
    Program { name: name.to_owned(), bytes: vec![byte; 100_000] }
}

fn image(variant: Variant) -> Image {
    let programs = variant.programs().iter().map(|name| program(name, b'x')).collect();
    Image::assemble(variant, "amd64", programs, b"authorities".to_vec()).unwrap()
}

/// Path, mode and owner of everything in a layer.
fn contents(blob: &Blob) -> Vec<(String, u32, u64)> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(blob.bytes.as_slice()).read_to_end(&mut tar).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), 0);
        (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.uid().unwrap())
    });
    entries.collect()
}

#[test]
fn the_same_bytes_come_out_twice() {
    let (first, second) = (image(Variant::Workers), image(Variant::Workers));
    assert_eq!(first.digest(), second.digest());
    for (one, other) in first.blobs.iter().zip(&second.blobs) {
        assert_eq!(one.bytes, other.bytes);
    }
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.tar", "b.tar"].map(|name| folder.path().join(name));
    write_archive(&first, &files[0], "t").unwrap();
    write_archive(&second, &files[1], "t").unwrap();
    assert_eq!(std::fs::read(&files[0]).unwrap(), std::fs::read(&files[1]).unwrap());
}

#[test]
fn a_program_that_changes_changes_its_own_layer_alone() {
    let before = image(Variant::Workers);
    let programs = vec![program("ingest", b'y'), program("notifier", b'x'), program("reconciler", b'x')];
    let after = Image::assemble(Variant::Workers, "amd64", programs, b"authorities".to_vec()).unwrap();
    let differing = |index: usize| before.blobs[index].digest != after.blobs[index].digest;
    // Configuration, base, ingest, notifier, reconciler.
    assert_eq!([0, 1, 2, 3, 4].map(differing), [true, false, true, false, false]);
    assert_ne!(before.digest(), after.digest());
}

#[test]
fn workers_are_on_the_path_with_authorities_and_without_an_entrypoint() {
    let image = image(Variant::Workers);
    let base = contents(&image.blobs[1]);
    assert!(base.contains(&(AUTHORITIES.to_owned(), 0o644, 0)), "{base:?}");
    assert!(base.contains(&("tmp".to_owned(), 0o1777, 0)), "{base:?}");
    assert!(contents(&image.blobs[2]).contains(&("usr/bin/ingest".to_owned(), 0o755, 0)));
    let config: Value = serde_json::from_slice(&image.blobs[0].bytes).unwrap();
    assert_eq!(config["config"]["Env"][0], "PATH=/usr/bin");
    assert_eq!(config["config"]["User"], "65532:65532");
    assert!(config["config"]["Entrypoint"].is_null());
    assert_eq!(config["architecture"], "amd64");
}

#[test]
fn the_all_in_one_watches_and_may_write_where_its_volume_is() {
    let image = image(Variant::AllInOne);
    assert!(contents(&image.blobs[1]).contains(&(DATA.to_owned(), 0o755, u64::from(USER))));
    let config: Value = serde_json::from_slice(&image.blobs[0].bytes).unwrap();
    assert_eq!(config["config"]["Entrypoint"], json!(["cve-monitor"]));
    assert_eq!(config["config"]["Cmd"], json!(["watch"]));
    assert_eq!(config["config"]["WorkingDir"], format!("/{DATA}"));
}

#[test]
fn manifest_configuration_and_layers_name_one_another() {
    let image = image(Variant::Workers);
    let manifest: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    assert_eq!(manifest["config"]["digest"], image.blobs[0].digest.as_str());
    let config: Value = serde_json::from_slice(&image.blobs[0].bytes).unwrap();
    for (index, blob) in image.blobs[1..].iter().enumerate() {
        assert_eq!(manifest["layers"][index]["digest"], digest(&blob.bytes).as_str());
        assert_eq!(manifest["layers"][index]["size"], blob.bytes.len());
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(blob.bytes.as_slice()).read_to_end(&mut tar).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][index], digest(&tar).as_str());
    }
}

#[test]
fn a_layout_has_every_blob_under_its_digest() {
    let (image, folder) = (image(Variant::Workers), tempfile::tempdir().unwrap());
    write_folder(&image, folder.path(), "0.1.0").unwrap();
    let index: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], image.digest());
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "0.1.0");
    for blob in image.blobs.iter().chain([&image.manifest]) {
        let path = folder.path().join("blobs").join(blob.digest.replace(':', "/"));
        assert_eq!(digest(&std::fs::read(path).unwrap()), blob.digest);
    }
    assert!(folder.path().join("oci-layout").is_file());
}
