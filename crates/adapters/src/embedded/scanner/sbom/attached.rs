//! Finds the SBOM of an image: among what refers to it in its registry, among the attestations that an index lists
//! beside it, under the tags that cosign derives from its digest. The first that can be read counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cve_monitor_core::ports::{IndexRequest, Registry, RegistryError, ScannerError};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, Referrer};
use cve_monitor_scanner::sbom::{MAX_SBOM_BYTES, read_sbom};
use cve_monitor_scanner::{ImageInventory, SbomProblem};
use futures::StreamExt as _;
use serde::Deserialize;

use crate::embedded::scanner::blocking;
use crate::embedded::scanner::error::refused;

/// How many of the manifests that refer to an image are read.
const MAX_MANIFESTS: usize = 16;
/// What is part of the types of documents, of statements about them and of envelopes around those.
const TYPES: [&str; 6] = ["cyclonedx", "spdx", "sbom", "in-toto", "dsse", "attestation"];
/// Predicates of statements that hold an SBOM (in-toto attestation, "Predicates").
const PREDICATES: [&str; 2] = ["https://spdx.dev/Document", "https://cyclonedx.org/bom"];
/// Where a layer says what the statement in it is about: `BuildKit` and cosign.
const PREDICATE_TYPES: [&str; 2] = ["in-toto.io/predicate-type", "predicateType"];
/// What cosign puts behind the digest of an image, `sha256-….sbom`.
const COSIGN_TAGS: [&str; 2] = ["sbom", "att"];

/// Why a document cannot be used, and which.
pub(super) type Unusable = Option<(Option<Digest>, SbomProblem)>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    artifact_type: Option<String>,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(flatten)]
    blob: Descriptor,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Layer {
    fn may_be_sbom(&self, artifact_type: &str) -> bool {
        let annotations = self.annotations.as_ref();
        let predicate = PREDICATE_TYPES.iter().find_map(|name| annotations?.get(*name));
        let media_type = self.blob.media_type.0.as_str();
        let is_statement = media_type.contains("in-toto") || media_type.contains("dsse");
        match predicate {
            // Versions and fragments may follow.
            Some(predicate) => PREDICATES.iter().any(|known| predicate.starts_with(known)),
            None if is_statement => false,
            None => [media_type, artifact_type].iter().any(|text| is_known(text)),
        }
    }
}

fn is_known(media_type: &str) -> bool {
    TYPES.iter().any(|known| media_type.contains(known))
}

/// The inventory of the first SBOM that can be read. What cannot is told in `problem`, the first of it.
pub(super) async fn find(
    registry: &dyn Registry,
    request: &IndexRequest,
    problem: &mut Unusable,
) -> Result<Option<ImageInventory>, ScannerError> {
    let image = &request.image;
    let mut found = read_any(registry, image, referrers(registry, image).await?, problem).await?;
    for parent in &request.parents {
        if found.is_none() {
            let attestations = beside(registry, image, parent).await?;
            found = read_any(registry, image, attestations, problem).await?;
        }
    }
    for ending in COSIGN_TAGS {
        if found.is_none() {
            let tagged = tagged(registry, image, ending).await?;
            found = read_any(registry, image, tagged, problem).await?;
        }
    }
    Ok(found)
}

/// The newest first; those without a date last, and then by digest: two looks find the same.
async fn referrers(registry: &dyn Registry, image: &ImageId) -> Result<Vec<Digest>, ScannerError> {
    let mut all = there(registry.referrers(image).await)?.unwrap_or_default();
    all.retain(|each| each.artifact_type.as_deref().is_none_or(is_known));
    all.sort_by_key(|each| (Reverse(each.created), each.digest.clone()));
    Ok(digests(all))
}

async fn beside(
    registry: &dyn Registry,
    image: &ImageId,
    parent: &Digest,
) -> Result<Vec<Digest>, ScannerError> {
    let index = there(registry.manifest(&image.sibling(parent.clone())).await)?;
    Ok(digests(index.and_then(|index| index.attestations_of(&image.digest).ok()).unwrap_or_default()))
}

async fn tagged(registry: &dyn Registry, image: &ImageId, ending: &str) -> Result<Vec<Digest>, ScannerError> {
    let tag = format!("sha256-{}.{ending}", image.digest.hex()).parse();
    let Ok(tag) = tag else { return Ok(vec![]) };
    Ok(there(registry.resolve(&image.repository, &tag).await)?.into_iter().collect())
}

fn digests(all: Vec<Referrer>) -> Vec<Digest> {
    if all.len() > MAX_MANIFESTS {
        tracing::warn!(
            count = all.len(),
            "of the manifests that refer to an image only {MAX_MANIFESTS} are read"
        );
    }
    all.into_iter().map(|each| each.digest).take(MAX_MANIFESTS).collect()
}

async fn read_any(
    registry: &dyn Registry,
    image: &ImageId,
    manifests: Vec<Digest>,
    problem: &mut Unusable,
) -> Result<Option<ImageInventory>, ScannerError> {
    for manifest in manifests {
        let Some(raw) = there(registry.manifest(&image.sibling(manifest)).await)? else { continue };
        let Ok(artifact) = serde_json::from_slice::<Artifact>(&raw.bytes) else { continue };
        let kind = artifact.artifact_type.unwrap_or_default();
        for layer in artifact.layers.iter().filter(|layer| layer.may_be_sbom(&kind)).take(MAX_MANIFESTS) {
            match read(registry, image, &layer.blob).await? {
                Ok(inventory) => return Ok(Some(inventory)),
                Err(why) => {
                    tracing::warn!(%image, sbom = %layer.blob.digest, why = why.code(), "an SBOM cannot be used");
                    problem.get_or_insert((Some(layer.blob.digest.clone()), why));
                }
            }
        }
    }
    Ok(None)
}

async fn read(
    registry: &dyn Registry,
    image: &ImageId,
    blob: &Descriptor,
) -> Result<Result<ImageInventory, SbomProblem>, ScannerError> {
    let too_long = SbomProblem::TooLong { limit_bytes: MAX_SBOM_BYTES as u64 };
    if blob.size > MAX_SBOM_BYTES as u64 {
        return Ok(Err(too_long));
    }
    let unreadable = |reason: &str| SbomProblem::Unreadable { reason: reason.to_owned() };
    let Some(mut stream) = there(registry.blob(&image.repository, blob).await)? else {
        return Ok(Err(unreadable("the registry does not have it")));
    };
    let mut bytes = vec![];
    while let Some(chunk) = stream.next().await {
        let Some(chunk) = there(chunk)? else {
            return Ok(Err(unreadable("its bytes are not those of its digest")));
        };
        if bytes.len() + chunk.len() > MAX_SBOM_BYTES {
            return Ok(Err(too_long));
        }
        bytes.extend_from_slice(&chunk);
    }
    let (digest, about) = (blob.digest.to_string(), image.digest.to_string());
    blocking(move || Ok(read_sbom(&bytes, &digest, &about))).await
}

/// What is not there, or not what its digest says, is no SBOM; whatever may be otherwise the next time is an error.
fn there<T>(answer: Result<T, RegistryError>) -> Result<Option<T>, ScannerError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(
            RegistryError::NotFound(_)
            | RegistryError::Unsupported(_)
            | RegistryError::Corrupt(_)
            | RegistryError::Archived(_),
        ) => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_manifests_are_read_and_no_more_the_first_of_them() {
        let referrer = |number: usize| Referrer {
            digest: Digest::of(number.to_string().as_bytes()),
            artifact_type: None,
            created: None,
        };
        for count in [MAX_MANIFESTS, MAX_MANIFESTS + 1] {
            let read = digests((0..count).map(referrer).collect());
            assert_eq!(read, (0..MAX_MANIFESTS).map(|number| referrer(number).digest).collect::<Vec<_>>());
        }
    }
}
