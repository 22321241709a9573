//! Manifests and indexes (OCI image-spec v1.1; docker's image manifest version 2, schema 2).

mod referrer;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Digest;
pub use referrer::Referrer;

/// The longest manifest that is read, in bytes (distribution-spec: registries should take at least 4 MiB).
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// The most layers of one image and the most children of one index.
const MAX_ENTRIES: usize = 4096;

/// A media type, as registries and manifests write it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(pub String);

impl MediaType {
    /// OCI image manifest.
    pub const OCI_MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const OCI_INDEX: &'static str = "application/vnd.oci.image.index.v1+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &'static str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &'static str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// What an `Accept` header for manifests must name.
    pub const ACCEPTED: [&'static str; 4] =
        [Self::OCI_MANIFEST, Self::OCI_INDEX, Self::DOCKER_MANIFEST, Self::DOCKER_LIST];
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a platform is: `linux/arm64/v8`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system.
    pub os: String,
    /// The processor.
    pub architecture: String,
    /// The processor's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// A blob by digest, size (in bytes) and media type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: MediaType,
    /// What it hashes to.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The manifest of an image: a configuration and layers, base first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
}

/// One entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The manifest of the child.
    pub digest: Digest,
    /// The platform, where the index names one.
    pub platform: Option<Platform>,
}

/// Something that a registry holds and that is not an image. A closed list; each by its name in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A build attestation (in-toto statements, as `BuildKit` attaches them).
    Attestation,
    /// A signature (cosign, notation).
    Signature,
    /// A software bill of materials.
    Sbom,
    /// A Helm chart.
    HelmChart,
    /// A WebAssembly module.
    Wasm,
    /// Docker's schema 1: withdrawn by every registry; it must be pushed anew by a current tool.
    DockerSchema1,
    /// Another artifact.
    Other,
}

impl ArtifactKind {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attestation => "attestation",
            Self::Signature => "signature",
            Self::Sbom => "SBOM",
            Self::HelmChart => "Helm chart",
            Self::Wasm => "WebAssembly module",
            Self::DockerSchema1 => "docker schema 1 manifest (push it anew with a current tool)",
            Self::Other => "artifact",
        }
    }

    fn of_type(text: &str) -> Option<Self> {
        // Checked in order: the first name that is part of the type decides.
        const NAMES: [(&str, ArtifactKind); 8] = [
            ("in-toto", ArtifactKind::Attestation),
            ("attestation", ArtifactKind::Attestation),
            ("cosign", ArtifactKind::Signature),
            ("notary", ArtifactKind::Signature),
            ("spdx", ArtifactKind::Sbom),
            ("cyclonedx", ArtifactKind::Sbom),
            ("helm", ArtifactKind::HelmChart),
            ("wasm", ArtifactKind::Wasm),
        ];
        NAMES.into_iter().find(|(name, _)| text.contains(name)).map(|(_, kind)| kind)
    }
}

/// A manifest as a registry serves it: bytes that hash to its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    /// The media type that the registry gave, if any.
    pub media_type: Option<MediaType>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What the bytes of a manifest mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// An image.
    Image(ImageManifest),
    /// A list of images, usually one a platform.
    Index(Vec<Child>),
    /// Not an image.
    Artifact(ArtifactKind),
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Longer than [`MAX_MANIFEST_BYTES`].
    #[error("the manifest is {0} bytes long; at most {MAX_MANIFEST_BYTES} are read")]
    TooLong(usize),
    /// Too many layers or children.
    #[error("the manifest lists {0} entries; at most {MAX_ENTRIES} are read")]
    TooMany(usize),
    /// Not a manifest of any known form.
    #[error("the manifest cannot be read: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<WireChild>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireChild {
    digest: Digest,
    platform: Option<Platform>,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<std::collections::BTreeMap<String, String>>,
}

impl RawManifest {
    /// Reads the bytes. What the registry calls them counts only where they do not say themselves.
    ///
    /// # Errors
    /// Where they are too long, or no manifest.
    pub fn parse(&self) -> Result<Manifest, ManifestError> {
        if self.bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLong(self.bytes.len()));
        }
        let wire: Wire =
            serde_json::from_slice(&self.bytes).map_err(|e| ManifestError::Malformed(e.to_string()))?;
        if wire.schema_version == Some(1) {
            return Ok(Manifest::Artifact(ArtifactKind::DockerSchema1));
        }
        if let Some(children) = wire.manifests {
            return index(children);
        }
        match (wire.config, wire.layers) {
            (Some(config), Some(layers)) => image(wire.artifact_type.as_deref(), config, layers),
            _ => {
                let named =
                    wire.artifact_type.or(wire.media_type).or_else(|| self.media_type.clone().map(|m| m.0));
                match named.as_deref() {
                    Some(name) if name.contains("artifact") || ArtifactKind::of_type(name).is_some() => {
                        Ok(Manifest::Artifact(ArtifactKind::of_type(name).unwrap_or(ArtifactKind::Other)))
                    }
                    _ => Err(ManifestError::Malformed(
                        "neither `manifests` nor `config` and `layers` are there".to_owned(),
                    )),
                }
            }
        }
    }
}

fn index(children: Vec<WireChild>) -> Result<Manifest, ManifestError> {
    if children.len() > MAX_ENTRIES {
        return Err(ManifestError::TooMany(children.len()));
    }
    // BuildKit attaches attestations as children of platform unknown/unknown; they are resolved like
    // every child, and end as "not an image" under their own digest.
    let children = children
        .into_iter()
        .map(|child| Child {
            digest: child.digest,
            platform: child.platform.filter(|_| child.artifact_type.is_none()).filter(|_| {
                !child.annotations.as_ref().is_some_and(|a| a.contains_key("vnd.docker.reference.type"))
            }),
        })
        .collect();
    Ok(Manifest::Index(children))
}

fn image(
    artifact_type: Option<&str>,
    config: Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Manifest, ManifestError> {
    if layers.len() > MAX_ENTRIES {
        return Err(ManifestError::TooMany(layers.len()));
    }
    let image_config = matches!(
        config.media_type.0.as_str(),
        "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json"
    );
    let by_type = artifact_type.map(|t| ArtifactKind::of_type(t).unwrap_or(ArtifactKind::Other));
    let by_layer = || layers.iter().find_map(|layer| ArtifactKind::of_type(&layer.media_type.0));
    let is_image_layer = |layer: &Descriptor| {
        [".image.layer.", ".image.rootfs."].iter().any(|part| layer.media_type.0.contains(part))
    };
    let kind = if image_config && layers.iter().any(is_image_layer) {
        // Runtimes start it, whatever else it says that it is.
        None
    } else if image_config {
        // cosign and BuildKit use the image configuration's media type for what is no image: the layers tell.
        by_type.or_else(by_layer)
    } else {
        by_type
            .or_else(|| ArtifactKind::of_type(&config.media_type.0))
            .or_else(by_layer)
            .or(Some(ArtifactKind::Other))
    };
    Ok(kind.map_or(Manifest::Image(ImageManifest { config, layers }), Manifest::Artifact))
}

#[cfg(test)]
mod tests;
