//! An image in files: an OCI layout, and the same in one archive.

use std::path::Path;

use serde_json::{Value, json};

use super::Image;
use super::archive::{self, Entry};

/// The version of the layout.
const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// Writes a layout into a folder; what it held of another image stays as it was.
pub(crate) fn write_folder(image: &Image, folder: &Path, tag: &str) -> Result<(), String> {
    for (path, bytes) in files(image, tag) {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(())
}

/// Writes a layout as one archive, as `podman load`, `skopeo` and newer versions of `docker load` read it.
pub(crate) fn write_archive(image: &Image, file: &Path, tag: &str) -> Result<(), String> {
    let entries = files(image, tag).into_iter().map(|(path, bytes)| Entry::file(&path, 0o644, bytes));
    let archive = archive::tar(entries.collect())?;
    std::fs::write(file, archive).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

fn files(image: &Image, tag: &str) -> Vec<(String, Vec<u8>)> {
    let blobs = image.blobs.iter().chain(std::iter::once(&image.manifest));
    let mut files: Vec<(String, Vec<u8>)> =
        blobs.map(|blob| (format!("blobs/{}", blob.digest.replace(':', "/")), blob.bytes.clone())).collect();
    files.push(("oci-layout".to_owned(), LAYOUT.as_bytes().to_vec()));
    files.push(("index.json".to_owned(), index(image, tag).to_string().into_bytes()));
    files
}

fn index(image: &Image, tag: &str) -> Value {
    let mut manifest = image.manifest.descriptor();
    manifest["platform"] = json!({"architecture": image.architecture, "os": "linux"});
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    })
}
