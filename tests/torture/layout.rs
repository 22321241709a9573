//! An OCI layout on disk that holds all images, each under its name.

use std::fs;
use std::path::PathBuf;

use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

/// A layout that grows.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) folder: PathBuf,
    manifests: Vec<Value>,
}

impl Layout {
    pub(crate) fn create(folder: PathBuf) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder, manifests: vec![] }
    }

    /// Stores bytes under their digest.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.put_as(&digest, bytes);
        digest
    }

    /// Stores bytes under any digest.
    pub(crate) fn put_as(&mut self, digest: &Digest, bytes: &[u8]) {
        fs::write(self.folder.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    }

    /// Lists a manifest under a name.
    pub(crate) fn name(&mut self, name: &str, digest: &Digest, bytes: usize) {
        self.manifests.push(json!({
            "mediaType": crate::image::MANIFEST, "digest": digest, "size": bytes,
            "annotations": {"org.opencontainers.image.ref.name": name},
        }));
    }

    /// Writes the list of what was named.
    pub(crate) fn finish(&self) {
        let index =
            json!({"schemaVersion": 2, "mediaType": crate::image::INDEX, "manifests": self.manifests});
        fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
    }
}
