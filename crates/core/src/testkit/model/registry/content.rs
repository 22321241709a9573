//! What lies in the registry in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde_json::json;

use crate::ports::{ListedImage, RegistryError};
use crate::vocabulary::{Digest, ImageId, MediaType, Platform, RawManifest, RepositoryName, Tag, Timestamp};

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) repositories: BTreeMap<RepositoryName, Repository>,
    pub(super) blobs: BTreeMap<Digest, Bytes>,
    pub(super) pushed: BTreeMap<(RepositoryName, Digest), Timestamp>,
    pub(super) archived: BTreeSet<ImageId>,
    pub(super) failures: VecDeque<RegistryError>,
    pub(super) closed: BTreeMap<RepositoryName, RegistryError>,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) manifests: BTreeMap<Digest, RawManifest>,
    pub(super) tags: BTreeMap<Tag, Digest>,
}

impl Content {
    pub(super) fn put(
        &mut self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        manifest: RawManifest,
    ) -> Digest {
        let digest = Digest::of(&manifest.bytes);
        let repository = self.repositories.entry(repository.clone()).or_default();
        repository.manifests.insert(digest.clone(), manifest);
        if let Some(tag) = tag {
            repository.tags.insert(tag.clone(), digest.clone());
        }
        digest
    }

    pub(super) fn put_blob(&mut self, bytes: Vec<u8>) -> (Digest, usize) {
        let digest = Digest::of(&bytes);
        let size = bytes.len();
        self.blobs.insert(digest.clone(), Bytes::from(bytes));
        (digest, size)
    }

    pub(super) fn image_manifest(&mut self, platform: &Platform, layers: &[Vec<u8>]) -> RawManifest {
        let layers: Vec<_> = layers.iter().map(|layer| self.put_blob(layer.clone())).collect();
        let diff_ids: Vec<_> = layers.iter().map(|(digest, _)| digest.clone()).collect();
        let mut config = json!({
            "os": platform.os,
            "architecture": platform.architecture,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        if let Some(variant) = &platform.variant {
            config["variant"] = json!(variant);
        }
        let config = self.put_blob(config.to_string().into_bytes());
        let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER_TYPE, layer)).collect();
        raw(
            MediaType::OCI_MANIFEST,
            &json!({
                "schemaVersion": 2,
                "mediaType": MediaType::OCI_MANIFEST,
                "config": descriptor(CONFIG_TYPE, &config),
                "layers": layers,
            }),
        )
    }

    pub(super) fn tag(&mut self, repository: &RepositoryName, tag: &Tag, digest: &Digest) -> bool {
        let found = self.repositories.get_mut(repository).filter(|r| r.manifests.contains_key(digest));
        found.is_some_and(|repository| {
            repository.tags.insert(tag.clone(), digest.clone());
            true
        })
    }

    pub(super) fn untag(&mut self, repository: &RepositoryName, tag: &Tag) {
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.tags.remove(tag);
        }
    }

    pub(super) fn delete(&mut self, repository: &RepositoryName, digest: &Digest) -> bool {
        self.repositories.get_mut(repository).is_some_and(|repository| {
            repository.tags.retain(|_, led_to| led_to != digest);
            repository.manifests.remove(digest).is_some()
        })
    }

    pub(super) fn damage(&mut self, digest: &Digest) -> bool {
        let mut found = false;
        for repository in self.repositories.values_mut() {
            if let Some(manifest) = repository.manifests.get_mut(digest) {
                manifest.bytes.push(b' ');
                found = true;
            }
        }
        if let Some(blob) = self.blobs.get_mut(digest) {
            *blob = Bytes::from([blob, &b"!"[..]].concat());
            found = true;
        }
        found
    }

    pub(super) fn tags_of(&self, repository: &RepositoryName, digest: &Digest) -> Vec<Tag> {
        let tags = self.repositories.get(repository).into_iter().flat_map(|found| &found.tags);
        tags.filter(|(_, led_to)| *led_to == digest).map(|(tag, _)| tag.clone()).collect()
    }

    pub(super) fn listed(&self, repository: &RepositoryName) -> Result<Vec<ListedImage>, RegistryError> {
        let found = self.repositories.get(repository);
        let found = found.ok_or_else(|| RegistryError::NotFound(format!("repository {repository}")))?;
        let listed = found.manifests.keys().map(|digest| ListedImage {
            digest: digest.clone(),
            tags: self.tags_of(repository, digest),
            pushed: self.pushed.get(&(repository.clone(), digest.clone())).copied(),
        });
        Ok(listed.collect())
    }
}

fn descriptor(media_type: &str, (digest, size): &(Digest, usize)) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": digest, "size": size })
}

fn raw(media_type: &str, json: &serde_json::Value) -> RawManifest {
    RawManifest { media_type: Some(MediaType(media_type.to_owned())), bytes: json.to_string().into_bytes() }
}

pub(super) fn index_manifest(children: &[(Digest, Option<Platform>)]) -> RawManifest {
    let manifests: Vec<_> = children
        .iter()
        .map(|(digest, platform)| {
            let mut child = descriptor(MediaType::OCI_MANIFEST, &(digest.clone(), 2));
            if let Some(platform) = platform {
                child["platform"] = json!(platform);
            }
            child
        })
        .collect();
    raw(
        MediaType::OCI_INDEX,
        &json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": manifests }),
    )
}
