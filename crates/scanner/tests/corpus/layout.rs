//! An OCI layout on disk, read just enough to hand layers to the scanner.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use cve_monitor_scanner::{ExpectedBlob, Extraction, LayerRecord, read_layer};
use serde_json::Value;

pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn open(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The digest of the manifest that a reference names.
    pub(crate) fn manifest(&self, reference: &str) -> String {
        let index: Value =
            serde_json::from_str(&fs::read_to_string(self.root.join("index.json")).unwrap()).unwrap();
        let named = index["manifests"].as_array().unwrap().iter().find(|manifest| {
            manifest["annotations"]["org.opencontainers.image.ref.name"].as_str() == Some(reference)
        });
        named.unwrap()["digest"].as_str().unwrap().to_owned()
    }

    /// The digest of every image's manifest, by its name; those of an index have one name.
    pub(crate) fn manifests(&self) -> Vec<(String, String)> {
        let index: Value =
            serde_json::from_str(&fs::read_to_string(self.root.join("index.json")).unwrap()).unwrap();
        let digest = |manifest: &Value| manifest["digest"].as_str().unwrap().to_owned();
        let mut all = Vec::new();
        for named in index["manifests"].as_array().unwrap() {
            let name = named["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
            match self.json(&digest(named))["manifests"].as_array() {
                Some(children) => all.extend(children.iter().map(|child| (name.to_owned(), digest(child)))),
                None => all.push((name.to_owned(), digest(named))),
            }
        }
        all
    }

    /// The records of a manifest's layers, base first.
    pub(crate) fn records(&self, manifest: &str) -> Vec<LayerRecord> {
        let manifest = self.json(manifest);
        let layers = manifest["layers"].as_array().unwrap().iter();
        layers
            .map(|layer| {
                let expected = ExpectedBlob {
                    digest: layer["digest"].as_str().unwrap().to_owned(),
                    size: layer["size"].as_u64(),
                    media_type: layer["mediaType"].as_str().unwrap().to_owned(),
                };
                let blob = File::open(self.blob(&expected.digest)).unwrap();
                read_layer(blob, &expected, &Extraction::default()).unwrap()
            })
            .collect()
    }

    pub(crate) fn diff_ids(&self, manifest: &str) -> Vec<String> {
        let config = self.json(self.json(manifest)["config"]["digest"].as_str().unwrap());
        let ids = config["rootfs"]["diff_ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    fn json(&self, digest: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.blob(digest)).unwrap()).unwrap()
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.root.join("blobs").join(digest.replace(':', "/"))
    }
}
