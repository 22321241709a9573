//! What is pushed: read out of an OCI layout, or made of a seed.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::world::digest_of;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Manifests, those of an index before it, and the blobs that they name.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// The manifests; the last is what a tag leads to.
    pub manifests: Vec<Bytes>,
    /// Configs and layers.
    pub blobs: Vec<Bytes>,
}

impl Pushed {
    /// What a name in a layout leads to (`org.opencontainers.image.ref.name`).
    ///
    /// # Errors
    /// Where it is not there, or does not hash to its digest.
    pub fn from_layout(layout: &Path, name: &str) -> Result<Self, String> {
        let index = read(&layout.join("index.json"))?;
        let index: Value = serde_json::from_slice(&index).map_err(|e| format!("index.json: {e}"))?;
        let entry =
            index["manifests"].as_array().into_iter().flatten().find(|entry| {
                entry["annotations"]["org.opencontainers.image.ref.name"].as_str() == Some(name)
            });
        let digest = entry.and_then(|entry| entry["digest"].as_str());
        let digest = digest.ok_or_else(|| format!("{} has no `{name}`", layout.display()))?;
        let mut pushed = Self::default();
        pushed.take(layout, digest)?;
        Ok(pushed)
    }

    /// An image of one layer that no other seed gives.
    #[must_use]
    pub fn of_seed(seed: &str) -> Self {
        let config = json!({ "os": "linux", "architecture": "amd64", "author": seed }).to_string();
        let layer = format!("layer of {seed}").repeat(100);
        let part = |kind: &str, bytes: &str| json!({ "mediaType": kind, "digest": digest_of(bytes.as_bytes()), "size": bytes.len() });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": part("application/vnd.oci.image.config.v1+json", &config),
            "layers": [part("application/vnd.oci.image.layer.v1.tar", &layer)],
        });
        Self { manifests: vec![manifest.to_string().into()], blobs: vec![config.into(), layer.into()] }
    }

    /// An index over the images of these seeds.
    #[must_use]
    pub fn index_of(seeds: &[&str]) -> Self {
        let mut all = Self::default();
        let mut children = vec![];
        for (at, seed) in seeds.iter().enumerate() {
            let image = Self::of_seed(seed);
            let manifest = &image.manifests[0];
            let architecture = ["amd64", "arm64", "s390x"][at % 3];
            children.push(json!({
                "mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": manifest.len(),
                "platform": { "os": "linux", "architecture": architecture },
            }));
            all.manifests.extend(image.manifests);
            all.blobs.extend(image.blobs);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children });
        all.manifests.push(index.to_string().into());
        all
    }

    /// The digest of what a tag leads to.
    #[must_use]
    pub fn digest(&self) -> String {
        self.manifests.last().map(|manifest| digest_of(manifest)).unwrap_or_default()
    }

    fn take(&mut self, layout: &Path, digest: &str) -> Result<(), String> {
        let bytes = blob(layout, digest)?;
        let manifest: Value = serde_json::from_slice(&bytes).map_err(|e| format!("{digest}: {e}"))?;
        for child in manifest["manifests"].as_array().into_iter().flatten() {
            self.take(layout, child["digest"].as_str().unwrap_or_default())?;
        }
        for part in parts(&manifest) {
            self.blobs.push(blob(layout, &part)?);
        }
        self.manifests.push(bytes);
        Ok(())
    }
}

/// The media type of a manifest, the type of what it is about, and the blobs that it names.
pub(super) fn described(manifest: &[u8]) -> (String, Option<String>, BTreeSet<String>) {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let guess = if manifest["manifests"].is_array() { OCI_INDEX } else { OCI_MANIFEST };
    let media_type = manifest["mediaType"].as_str().unwrap_or(guess).to_owned();
    let artifact = manifest["artifactType"].as_str().or(manifest["config"]["mediaType"].as_str());
    (media_type, artifact.map(str::to_owned), parts(&manifest).collect())
}

fn parts(manifest: &Value) -> impl Iterator<Item = String> {
    let layers = manifest["layers"].as_array().into_iter().flatten();
    let parts = std::iter::once(&manifest["config"]).chain(layers);
    parts.filter_map(|part| part["digest"].as_str().map(str::to_owned))
}

fn blob(layout: &Path, digest: &str) -> Result<Bytes, String> {
    let hex = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let hex = hex.ok_or_else(|| format!("`{digest}` is no digest"))?;
    let bytes = read(&layout.join("blobs/sha256").join(hex))?;
    if digest_of(&bytes) == digest { Ok(bytes) } else { Err(format!("{digest} is damaged in the layout")) }
}

fn read(path: &Path) -> Result<Bytes, String> {
    std::fs::read(path).map(Bytes::from).map_err(|e| format!("{}: {e}", path.display()))
}
