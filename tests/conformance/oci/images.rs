//! Small images to fill a registry with.

use std::collections::BTreeMap;

use cve_monitor_core::testkit::laws::registry::Seeded;
use cve_monitor_core::vocabulary::{Descriptor, Digest, MediaType, RepositoryName, Tag};

pub(super) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// The three parts of an image.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) config: Vec<u8>,
    pub(super) layer: Vec<u8>,
    pub(super) manifest: Vec<u8>,
}

impl Image {
    /// An image that no other seed gives.
    pub(super) fn of(seed: &str) -> Self {
        let config = format!(r#"{{"os":"linux","architecture":"amd64","author":"{seed}"}}"#).into_bytes();
        let layer = format!("layer of {seed}").repeat(100).into_bytes();
        let part = |kind: &str, bytes: &[u8]| {
            format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, Digest::of(bytes), bytes.len())
        };
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
            MediaType::OCI_MANIFEST,
            part(CONFIG_TYPE, &config),
            part(LAYER_TYPE, &layer)
        )
        .into_bytes();
        Self { config, layer, manifest }
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The layer, as a manifest describes it.
    pub(super) fn blob(&self) -> Descriptor {
        Descriptor {
            media_type: MediaType(LAYER_TYPE.to_owned()),
            digest: Digest::of(&self.layer),
            size: self.layer.len() as u64,
        }
    }

    /// The image with its last byte another: of the same length, and still JSON where the part is.
    pub(super) fn damaged(bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        match damaged.last_mut() {
            Some(last @ b'}') => *last = b' ',
            Some(last) => *last ^= 1,
            None => {}
        }
        damaged
    }
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a valid name")
}

/// Four images under five tags, as (tag, image).
pub(super) fn tagged() -> Vec<(Tag, Image)> {
    let images = [("a", "one"), ("b", "two"), ("b-again", "two"), ("c", "three"), ("d", "four")];
    images.map(|(tag, seed)| (parsed(tag), Image::of(seed))).to_vec()
}

/// What a harness says about a repository that holds these, and an untagged image where one is listed.
pub(super) fn seeded(repository: &RepositoryName, tagged: &[(Tag, Digest)], blob: Descriptor) -> Seeded {
    let mut by_digest: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
    for (tag, digest) in tagged {
        by_digest.entry(digest.clone()).or_default().push(tag.clone());
    }
    Seeded { repository: repository.clone(), tagged: by_digest, untagged: vec![], blob }
}
