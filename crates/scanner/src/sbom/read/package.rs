//! A package of SPDX 2.3 (<https://spdx.github.io/spdx-spec/v2.3/package-information/>) and what relates it to others.

use serde::Deserialize;
use serde::de::{DeserializeSeed as _, Deserializer};

use super::Found;
use super::document::{Document, System};
use super::seeds::Each;

/// What syft's comments on a relationship begin with where a package of the distribution brought another one.
const OWNERSHIP: &str = "ownership-by-file-overlap";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpdxPackage {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version_info: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    primary_package_purpose: Option<String>,
    #[serde(default)]
    source_info: Option<String>,
    #[serde(default)]
    external_refs: FirstPurl,
}

#[derive(Default)]
struct FirstPurl(String);

impl<'de> Deserialize<'de> for FirstPurl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Reference {
            #[serde(rename = "referenceType", default)]
            kind: String,
            #[serde(rename = "referenceLocator", default)]
            locator: String,
        }
        let mut first = String::new();
        Each::of(|reference: Reference| {
            if first.is_empty() && reference.kind == "purl" {
                first = reference.locator;
            }
            Ok(())
        })
        .deserialize(deserializer)?;
        Ok(Self(first))
    }
}

#[derive(Deserialize)]
pub(super) struct Relationship {
    #[serde(rename = "spdxElementId", default)]
    from: String,
    #[serde(rename = "relationshipType", default)]
    kind: String,
    #[serde(rename = "relatedSpdxElement", default)]
    to: String,
    #[serde(default)]
    comment: Option<String>,
}

impl SpdxPackage {
    pub(super) fn give(self, document: &mut Document) -> Result<(), &'static str> {
        let purl = self.external_refs.0;
        match self.primary_package_purpose.as_deref() {
            Some("OPERATING-SYSTEM" | "OPERATING_SYSTEM") => {
                document.system(System {
                    id: self.name,
                    version: self.version_info.unwrap_or_default(),
                    pretty_name: self.description.unwrap_or_default(),
                });
                return Ok(());
            }
            Some("CONTAINER" | "FILE" | "SOURCE" | "ARCHIVE" | "FIRMWARE" | "DEVICE" | "APPLICATION")
                if purl.is_empty() =>
            {
                return Ok(());
            }
            _ => {}
        }
        let (location, owner, source) = said(self.source_info.as_deref().unwrap_or_default());
        document.package(Found { id: self.id, name: self.name, purl, location, owner, source })
    }
}

impl Relationship {
    pub(super) fn give(self, document: &mut Document) -> Result<(), &'static str> {
        match self.kind.as_str() {
            "DESCRIBES" => document.subject(self.to),
            "DESCRIBED_BY" => document.subject(self.from),
            "OTHER" if self.comment.is_some_and(|comment| comment.starts_with(OWNERSHIP)) => {
                document.owns(self.from, self.to)
            }
            _ => Ok(()),
        }
    }
}

type Said = (String, Option<String>, Option<(String, String)>);

/// What the tools write about where they found a package: we, syft, Trivy.
fn said(source_info: &str) -> Said {
    if let Some(rest) = source_info.strip_prefix("found in ")
        && let Some((location, layer)) =
            rest.rsplit_once(", since layer ").or_else(|| rest.rsplit_once(", listed in SBOM "))
    {
        let owner = layer.rsplit_once(", part of ").map(|(_, owner)| owner.to_owned());
        return (location.to_owned(), owner, None);
    }
    if let Some(rest) = source_info.strip_prefix("acquired package info from ")
        && let Some((_, paths)) = rest.split_once(": ")
    {
        return (paths.split(", ").next().unwrap_or_default().to_owned(), None, None);
    }
    let built = source_info.strip_prefix("built package from: ").and_then(|source| source.rsplit_once(' '));
    (String::new(), None, built.map(|(name, version)| (name.to_owned(), version.to_owned())))
}
