//! What refers to an image: a list of referrers (distribution-spec 1.1, "Listing Referrers"), and the attestations that
//! `BuildKit` lists in an index beside the image (its "Image attestation storage").

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{MAX_ENTRIES, ManifestError, RawManifest};
use crate::vocabulary::{Digest, Timestamp};

/// The image that an attestation in an index is about.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
/// When it was made, as far as it says (OCI image-spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// What it is, where the list says.
    pub artifact_type: Option<String>,
    /// When it was made, where the list says.
    pub created: Option<Timestamp>,
}

#[derive(Deserialize)]
struct List {
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    digest: Digest,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Entry {
    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    fn referrer(self) -> Referrer {
        let created = self.annotation(CREATED).and_then(|text| text.parse().ok());
        Referrer { digest: self.digest, artifact_type: self.artifact_type, created }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referring {
    artifact_type: Option<String>,
    config: Option<Typed>,
    subject: Option<Subject>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

impl RawManifest {
    /// This manifest as one that refers to an image; none where its subject is not that.
    #[must_use]
    pub fn referring_to(&self, image: &Digest) -> Option<Referrer> {
        let manifest: Referring = serde_json::from_slice(&self.bytes).ok()?;
        manifest.subject.filter(|subject| subject.digest == *image)?;
        let entry = Entry {
            digest: Digest::of(&self.bytes),
            artifact_type: manifest.artifact_type.or_else(|| Some(manifest.config?.media_type)),
            annotations: manifest.annotations,
        };
        Some(entry.referrer())
    }

    /// What a list of referrers lists.
    ///
    /// # Errors
    /// Where it is none, or too long.
    pub fn referrers(&self) -> Result<Vec<Referrer>, ManifestError> {
        Ok(self.list()?.into_iter().map(Entry::referrer).collect())
    }

    /// The attestations about an image that an index lists beside it.
    ///
    /// # Errors
    /// Where it is no index, or too long.
    pub fn attestations_of(&self, image: &Digest) -> Result<Vec<Referrer>, ManifestError> {
        let all = self.list()?.into_iter();
        let of_image = all.filter(|entry| entry.annotation(REFERENCE_DIGEST) == Some(image.as_str()));
        Ok(of_image.map(Entry::referrer).collect())
    }

    fn list(&self) -> Result<Vec<Entry>, ManifestError> {
        let list: List =
            serde_json::from_slice(&self.bytes).map_err(|e| ManifestError::Malformed(e.to_string()))?;
        if list.manifests.len() > MAX_ENTRIES {
            return Err(ManifestError::TooMany(list.manifests.len()));
        }
        Ok(list.manifests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &str) -> RawManifest {
        RawManifest { media_type: None, bytes: format!(r#"{{"manifests":[{entries}]}}"#).into_bytes() }
    }

    #[test]
    fn referrers_have_a_type_and_a_date_where_the_list_says() {
        let digest = Digest::of(b"sbom");
        let entries = format!(
            r#"{{"digest":"{digest}","artifactType":"application/spdx+json",
                "annotations":{{"{CREATED}":"2026-03-01T12:00:00Z"}}}},{{"digest":"{digest}"}}"#
        );
        let found = list(&entries).referrers().unwrap();
        assert_eq!(found[0].artifact_type.as_deref(), Some("application/spdx+json"));
        assert_eq!(found[0].created, "2026-03-01T12:00:00Z".parse().ok());
        assert_eq!(found[1], Referrer { digest, artifact_type: None, created: None });
    }

    #[test]
    fn a_manifest_refers_to_its_subject() {
        let image = Digest::of(b"image");
        let manifest = |text: String| RawManifest { media_type: None, bytes: text.into_bytes() };
        let subject = format!(r#""subject":{{"digest":"{image}"}}"#);
        let of_config = manifest(format!(r#"{{"config":{{"mediaType":"c"}},{subject}}}"#));
        let found = of_config.referring_to(&image).unwrap();
        assert_eq!((found.digest, found.artifact_type.as_deref()), (Digest::of(&of_config.bytes), Some("c")));
        let typed = manifest(format!(r#"{{"artifactType":"a","config":{{"mediaType":"c"}},{subject}}}"#));
        assert_eq!(typed.referring_to(&image).unwrap().artifact_type.as_deref(), Some("a"));
        assert_eq!(typed.referring_to(&Digest::of(b"other")), None);
        assert_eq!(manifest("{}".to_owned()).referring_to(&image), None);
    }

    #[test]
    fn an_index_names_the_attestations_of_each_image() {
        let (image, other, about) = (Digest::of(b"image"), Digest::of(b"other"), Digest::of(b"about"));
        let entries = format!(
            r#"{{"digest":"{image}"}},{{"digest":"{about}","annotations":{{
                "vnd.docker.reference.type":"attestation-manifest","{REFERENCE_DIGEST}":"{image}"}}}}"#
        );
        let of = |digest: &Digest| list(&entries).attestations_of(digest).unwrap().len();
        assert_eq!((of(&image), of(&other)), (1, 0));
    }

    #[test]
    fn a_list_is_as_long_as_its_bound() {
        let entries = vec![format!(r#"{{"digest":"{}"}}"#, Digest::of(b"x")); MAX_ENTRIES + 1];
        assert_eq!(list(&entries[1..].join(",")).referrers().map(|found| found.len()), Ok(MAX_ENTRIES));
        assert_eq!(list(&entries.join(",")).referrers(), Err(ManifestError::TooMany(MAX_ENTRIES + 1)));
        assert!(RawManifest { media_type: None, bytes: b"{}".to_vec() }.referrers().is_err());
    }
}
