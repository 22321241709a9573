//! The same images as `docker save` wrote them before its version 25, and podman does: configurations and layers by path,
//! and no manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

use crate::archive::Tar;
use crate::case::{Case, Subject};
use crate::families::FAMILIES;
use crate::run::Run;

/// The family that is not read a second time: it takes long, and is about what is inside of layers.
pub(crate) const READ_ONCE: &str = "Bounds";

/// Rows that end otherwise, how, and why.
pub(crate) const OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "encrypted",
        "unknown (partial: layer_unreadable unsupported_format: neither gzip, zstd nor tar)",
        "layers have no types there: that it is encrypted is not said",
    ),
    ("encrypted-says-its-type", "clean", "the same: it is what it reads as, and is loaded as that"),
    (
        "signature",
        "unknown (unsupported: layer_unreadable unsupported_format: neither gzip, zstd nor tar, no_package_database)",
        "the same: it is an image with a layer that cannot be read",
    ),
];

/// The rows that this form can hold, by name.
pub(crate) fn rows() -> Vec<Case> {
    let families = FAMILIES.iter().filter(|(family, _)| *family != READ_ONCE);
    families.flat_map(|(_, rows)| rows()).filter(|row| parts(row).is_some()).collect()
}

fn parts(row: &Case) -> Option<(Vec<u8>, Vec<&[u8]>)> {
    match &row.subject {
        Subject::Image(image) => image.without_manifest(),
        Subject::Manifest(_) | Subject::Misnamed(..) => None,
    }
}

/// Writes one archive of all rows, each tagged by its name. What two images share is in it once.
fn write(rows: &[Case], path: &Path) {
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut list: Vec<Value> = vec![];
    for row in rows {
        let (config, layers) = parts(row).unwrap();
        let config_path = format!("{}.json", Digest::of(&config).hex());
        members.insert(config_path.clone(), config);
        let mut paths = vec![];
        for layer in layers {
            let path = format!("{}/layer.tar", Digest::of(layer).hex());
            members.entry(path.clone()).or_insert_with(|| layer.to_vec());
            paths.push(path);
        }
        let tag = format!("localhost/images:{}", row.name);
        list.push(json!({"Config": config_path, "RepoTags": [tag], "Layers": paths}));
    }
    let tar = members.iter().fold(Tar::default(), |tar, (path, bytes)| tar.file(path, bytes));
    fs::write(path, tar.file("manifest.json", Value::Array(list).to_string()).end()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_image_ends_alike_from_a_docker_archive() {
    let work = tempfile::tempdir().unwrap();
    let (rows, archive) = (rows(), work.path().join("images.tar"));
    write(&rows, &archive);
    let run = Run::over("docker-archive", &archive, work.path()).await;
    let mut wrong = vec![];
    let is_row = |name: &str| rows.iter().any(|row| row.name == name);
    assert!(OTHERWISE.iter().all(|(name, ..)| is_row(name)), "a row that is not there ends otherwise");
    for row in &rows {
        let otherwise = OTHERWISE.iter().find(|(name, ..)| *name == row.name);
        let expected = otherwise.map_or(row.expected, |(_, verdict, _)| verdict);
        let verdict = run.verdict(&run.tagged(row.name).await).await;
        if verdict != expected {
            wrong.push(format!("{}\n   must be  {expected}\n   is       {verdict}", row.name));
        }
    }
    println!("{} images from a docker archive", rows.len());
    assert!(rows.len() >= 250, "{} images", rows.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
