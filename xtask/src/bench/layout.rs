//! The images of an OCI layout, each as a layout of its own: other scanners read no layout of several images.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// An image for this benchmark.
#[derive(Debug)]
pub(super) struct Image {
    /// Its name in the layout, with the platform for one of several.
    pub(super) name: String,
    /// A layout with this image alone, named `latest`.
    pub(super) layout: PathBuf,
    /// The files of its layers, base first.
    pub(super) layers: Vec<PathBuf>,
}

/// Takes every image out of a layout, into folders below `out`. Images for several platforms are as many images.
pub(super) fn images(layout: &Path, out: &Path) -> Result<Vec<Image>, String> {
    let index = json_of(&layout.join("index.json"))?;
    let mut images = Vec::new();
    for entry in list(&index, "manifests") {
        let name = entry["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap_or("image");
        let manifest = json_of(&blob(layout, entry)?)?;
        let children = list(&manifest, "manifests");
        if children.is_empty() {
            images.push(single(layout, out, name.to_owned(), entry)?);
        }
        for child in children {
            let architecture = child["platform"]["architecture"].as_str().unwrap_or("other");
            images.push(single(layout, out, format!("{name}@{architecture}"), child)?);
        }
    }
    Ok(images)
}

fn single(layout: &Path, out: &Path, name: String, entry: &Value) -> Result<Image, String> {
    let folder = out.join(name.replace(['/', ':'], "-"));
    let manifest = json_of(&blob(layout, entry)?)?;
    let mut layers = Vec::new();
    for layer in list(&manifest, "layers") {
        layers.push(take(layout, &folder, layer)?);
    }
    take(layout, &folder, &manifest["config"])?;
    take(layout, &folder, entry)?;
    let named = json!({
        "mediaType": entry["mediaType"], "digest": entry["digest"], "size": entry["size"],
        "annotations": {"org.opencontainers.image.ref.name": "latest"},
    });
    let index = json!({"schemaVersion": 2, "manifests": [named]});
    write(&folder.join("index.json"), &index.to_string())?;
    write(&folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(Image { name, layout: folder, layers })
}

/// Brings a blob into a layout, as the same file where the disk can.
fn take(from: &Path, to: &Path, descriptor: &Value) -> Result<PathBuf, String> {
    let (source, target) = (blob(from, descriptor)?, blob(to, descriptor)?);
    let failed = |error: std::io::Error| format!("{}: {error}", target.display());
    fs::create_dir_all(target.parent().unwrap_or(to)).map_err(failed)?;
    if !target.exists() {
        fs::hard_link(&source, &target).or_else(|_| fs::copy(&source, &target).map(drop)).map_err(failed)?;
    }
    Ok(target)
}

fn blob(layout: &Path, descriptor: &Value) -> Result<PathBuf, String> {
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.split_once(':'));
    let (algorithm, hex) =
        digest.ok_or_else(|| format!("{}: a descriptor has no digest", layout.display()))?;
    Ok(layout.join("blobs").join(algorithm).join(hex))
}

fn list<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    object[member].as_array().map_or(&[], Vec::as_slice)
}

fn json_of(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
