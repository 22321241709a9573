//! Images of any layers, and what is wrong with them.

use std::io::Write as _;

use cve_monitor_core::vocabulary::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::archive::Tar;
use crate::layout::Layout;

pub(crate) const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A layer: what its descriptor says, and what the layout holds under its digest.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) media_type: &'static str,
    /// What the digest and the size are those of.
    pub(crate) bytes: Vec<u8>,
    pub(crate) stored: Stored,
    /// The archive's own digest; what is packed in no known way has that of its bytes.
    diff_id: Digest,
}

#[derive(Debug, Clone)]
pub(crate) enum Stored {
    Faithfully,
    Nowhere,
    /// These bytes in the place of the right ones.
    As(Vec<u8>),
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

impl Layer {
    /// Bytes as they are.
    pub(crate) fn raw(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let diff_id = Digest::of(&bytes);
        Self { media_type, bytes, stored: Stored::Faithfully, diff_id }
    }

    /// An archive that is not compressed.
    pub(crate) fn plain(archive: Vec<u8>) -> Self {
        Self::raw(TAR, archive)
    }

    /// An archive, packed by this.
    pub(crate) fn packed(media_type: &'static str, archive: &[u8], pack: fn(&[u8]) -> Vec<u8>) -> Self {
        Self { diff_id: Digest::of(archive), ..Self::raw(media_type, pack(archive)) }
    }

    pub(crate) fn stored(self, stored: Stored) -> Self {
        Self { stored, ..self }
    }
}

impl From<Tar> for Layer {
    fn from(archive: Tar) -> Self {
        Self::packed(GZIP, &archive.end(), gzip)
    }
}

/// An image.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    platform: (&'static str, &'static str),
    /// Changes the configuration before it is written.
    config: fn(&mut Value),
    /// What the layout holds of the configuration in place of it.
    config_stored: Option<&'static [u8]>,
    has_config: bool,
    /// Changes the manifest before it is written.
    manifest: Option<fn(&mut Value)>,
}

impl<L: Into<Layer>, const N: usize> From<[L; N]> for Image {
    fn from(layers: [L; N]) -> Self {
        Self::of(layers)
    }
}

impl Image {
    /// An image for linux/amd64.
    pub(crate) fn of<L: Into<Layer>>(layers: impl IntoIterator<Item = L>) -> Self {
        Self {
            layers: layers.into_iter().map(Into::into).collect(),
            platform: ("linux", "amd64"),
            config: |_| {},
            config_stored: None,
            has_config: true,
            manifest: None,
        }
    }

    pub(crate) fn platform(self, os: &'static str, architecture: &'static str) -> Self {
        Self { platform: (os, architecture), ..self }
    }

    pub(crate) fn manifest(self, manifest: fn(&mut Value)) -> Self {
        Self { manifest: Some(manifest), ..self }
    }

    pub(crate) fn config(self, config: fn(&mut Value)) -> Self {
        Self { config, ..self }
    }

    pub(crate) fn config_stored(self, bytes: &'static [u8]) -> Self {
        Self { config_stored: Some(bytes), ..self }
    }

    pub(crate) fn without_config(self) -> Self {
        Self { has_config: false, ..self }
    }

    fn configuration(&self) -> Vec<u8> {
        let diff_ids: Vec<&str> = self.layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let (os, architecture) = self.platform;
        let mut config = json!({"os": os, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        (self.config)(&mut config);
        config.to_string().into_bytes()
    }

    /// The configuration and the layers; none of an image that has no form without its manifest: what the manifest says
    /// besides, and blobs that are missing or are not what it promises.
    pub(crate) fn without_manifest(&self) -> Option<(Vec<u8>, Vec<&[u8]>)> {
        let is_plain = self.manifest.is_none() && self.has_config && self.config_stored.is_none();
        let is_whole = self.layers.iter().all(|layer| matches!(layer.stored, Stored::Faithfully));
        let layers = || self.layers.iter().map(|layer| layer.bytes.as_slice()).collect();
        (is_plain && is_whole).then(|| (self.configuration(), layers()))
    }

    /// Writes its blobs; the bytes of its manifest.
    pub(crate) fn write(&self, layout: &mut Layout) -> Vec<u8> {
        let config = self.configuration();
        if self.has_config {
            layout.put_as(&Digest::of(&config), self.config_stored.unwrap_or(&config));
        }
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| {
                let digest = Digest::of(&layer.bytes);
                match &layer.stored {
                    Stored::Faithfully => layout.put_as(&digest, &layer.bytes),
                    Stored::Nowhere => {}
                    Stored::As(bytes) => layout.put_as(&digest, bytes),
                }
                json!({"mediaType": layer.media_type, "digest": digest, "size": layer.bytes.len()})
            })
            .collect();
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": Digest::of(&config), "size": config.len()},
            "layers": layers,
        });
        if let Some(change) = self.manifest {
            change(&mut manifest);
        }
        manifest.to_string().into_bytes()
    }
}
