//! `docker save` before its version 25, and podman's: `manifest.json` names configurations and layers by path, and
//! no manifest is there. One is made for each image: docker's schema 2, over the true digests of the stored bytes.
//!
//! The same archive gives the same manifest for ever; another archive of the same image may store other bytes (a
//! tool may compress, or not) and then has another digest, as two pushes of it would.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;

use cve_monitor_core::vocabulary::{Descriptor, Digest, MediaType};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::image_config::MAX_IMAGE_CONFIG_BYTES;
use super::archive::Place;
use super::references::{MAX_INDEX_BYTES, Named};
use super::tar_members::{Member, Members, read, section};

const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
const LAYER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
const LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker has no name of its own for these.
const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// How many bytes are hashed at a time.
const HASH_BYTES: usize = 256 * 1024;

/// What was made: the names of the images, and where the bytes of every digest are.
pub(super) struct Made {
    pub(super) names: Vec<Named>,
    pub(super) places: HashMap<Digest, Place>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

/// The fields in the order in which docker itself writes them: the order is part of the digest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// Makes the manifests of the images that `manifest.json` lists.
pub(super) fn manifests(file: &mut File, members: &Members, list: Member) -> Result<Made, String> {
    let bytes = read(file, list, MAX_INDEX_BYTES).map_err(|e| format!("manifest.json: {e}"))?;
    let saved: Vec<Saved> = serde_json::from_slice(&bytes).map_err(|e| format!("manifest.json: {e}"))?;
    let mut made = Made { names: Vec::new(), places: HashMap::new() };
    // Images of one archive share layers, by link or by name: each is hashed once.
    let mut hashed = HashMap::new();
    for image in saved {
        let find = |path: &str| {
            members.get(path).ok_or_else(|| format!("manifest.json names `{path}`, which is missing"))
        };
        let member = find(&image.config)?;
        let config = read(file, member, MAX_IMAGE_CONFIG_BYTES as u64)
            .map(|bytes| descriptor(CONFIG_TYPE, Digest::of(&bytes), member))
            .map_err(|e| format!("{}: {e}", image.config))?;
        made.places.insert(config.digest.clone(), Place::Member(member));
        let mut layers = Vec::with_capacity(image.layers.len());
        for path in &image.layers {
            let member = find(path)?;
            let layer = match hashed.get(&member) {
                Some(layer) => Descriptor::clone(layer),
                None => hash_layer(file, member).map_err(|e| format!("{path}: {e}"))?,
            };
            made.places.insert(layer.digest.clone(), Place::Member(member));
            hashed.insert(member, layer.clone());
            layers.push(layer);
        }
        let manifest = Manifest { schema_version: 2, media_type: MediaType::DOCKER_MANIFEST, config, layers };
        let bytes = serde_json::to_vec(&manifest).map_err(|e| e.to_string())?;
        let digest = Digest::of(&bytes);
        made.places.insert(digest.clone(), Place::Made(bytes));
        let tags = image.repo_tags.unwrap_or_default();
        let untagged = tags.is_empty().then_some(None);
        let names = tags.into_iter().map(Some).chain(untagged);
        made.names.extend(names.map(|name| Named { digest: digest.clone(), name }));
    }
    Ok(made)
}

fn hash_layer(file: &mut File, member: Member) -> std::io::Result<Descriptor> {
    let mut part = section(file, member)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; HASH_BYTES];
    let mut media_type = None;
    loop {
        let read = part.read(&mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        media_type.get_or_insert_with(|| layer_type(chunk));
        if read == 0 {
            break;
        }
        hash.update(chunk);
    }
    Ok(descriptor(media_type.unwrap_or(LAYER_TAR), Digest::from_hash(&hash.finalize()), member))
}

fn layer_type(start: &[u8]) -> &'static str {
    match start {
        [0x1f, 0x8b, ..] => LAYER_GZIP,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => LAYER_ZSTD,
        _ => LAYER_TAR,
    }
}

fn descriptor(media_type: &str, digest: Digest, member: Member) -> Descriptor {
    Descriptor { media_type: MediaType(media_type.to_owned()), digest, size: member.size }
}
