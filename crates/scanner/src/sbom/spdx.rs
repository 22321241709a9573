//! SPDX 2.3, as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).

use serde::Serialize;

use super::{Subject, TOOL, gaps, identifier, package_url};
use crate::inventory::{ImageInventory, SbomSource};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const SYSTEM: &str = "SPDXRef-OperatingSystem";
/// Nothing is said about it, which is not the same as that there is nothing.
const NOT_SAID: &str = "NOASSERTION";

/// The document of an image. What could not be read is its comment.
///
/// # Errors
///
/// None in practice: the document is plain text.
pub fn spdx(inventory: &ImageInventory, subject: &Subject<'_>) -> Result<String, serde_json::Error> {
    let gaps = gaps(inventory);
    let comment = (!gaps.is_empty()).then(|| format!("This inventory is not complete. {}.", gaps.join(". ")));
    let packages = packages(inventory, subject);
    let describes = Relationship { from: DOCUMENT, kind: "DESCRIBES", to: IMAGE.to_owned() };
    let contains = packages[1..].iter().map(|package| Relationship {
        from: IMAGE,
        kind: "CONTAINS",
        to: package.id.clone(),
    });
    let relationships = std::iter::once(describes).chain(contains).collect();
    let mut document = Document {
        version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: subject.image,
        namespace: String::new(),
        creation: Creation {
            created: subject.created,
            creators: [format!("Tool: {TOOL}-{}", subject.tool_version)],
        },
        comment,
        packages,
        relationships,
    };
    document.namespace = identifier(&serde_json::to_vec(&document)?);
    serde_json::to_string_pretty(&document)
}

/// The image itself comes first.
fn packages<'a>(inventory: &'a ImageInventory, subject: &Subject<'a>) -> Vec<Package<'a>> {
    let mut packages = vec![Package {
        version: subject.digest,
        purpose: Some("CONTAINER"),
        ..Package::new(IMAGE.to_owned(), subject.image)
    }];
    packages.extend(inventory.distribution.as_ref().map(|distribution| Package {
        version: distribution.version_id.as_deref(),
        description: distribution.pretty_name.as_deref(),
        purpose: Some("OPERATING-SYSTEM"),
        ..Package::new(SYSTEM.to_owned(), &distribution.id)
    }));
    packages.extend(inventory.packages.iter().enumerate().map(|(at, package)| {
        let layer = match (&inventory.sbom, subject.layers.get(package.layer)) {
            (Some(SbomSource { digest, .. }), _) => {
                format!("listed in SBOM {}", digest.as_deref().unwrap_or_default())
            }
            (None, Some(digest)) => format!("since layer {} ({digest})", package.layer),
            (None, None) => format!("since layer {}", package.layer),
        };
        let owner = package.owned_by.as_ref().map(|owner| format!(", part of {owner}")).unwrap_or_default();
        Package {
            version: Some(&package.version),
            source_info: Some(format!("found in {}, {layer}{owner}", package.location)),
            references: vec![Reference {
                category: "PACKAGE-MANAGER",
                kind: "purl",
                locator: package_url(package, inventory.distribution.as_ref()),
            }],
            ..Package::new(format!("SPDXRef-Package-{}", at + 1), &package.name)
        }
    }));
    packages
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "spdxVersion")]
    version: &'static str,
    #[serde(rename = "dataLicense")]
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    #[serde(rename = "documentNamespace")]
    namespace: String,
    #[serde(rename = "creationInfo")]
    creation: Creation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    packages: Vec<Package<'a>>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct Creation<'a> {
    created: &'a str,
    creators: [String; 1],
}

#[derive(Serialize)]
struct Package<'a> {
    #[serde(rename = "SPDXID")]
    id: String,
    name: &'a str,
    #[serde(rename = "versionInfo", skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(rename = "primaryPackagePurpose", skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
    #[serde(rename = "downloadLocation")]
    download_location: &'static str,
    #[serde(rename = "filesAnalyzed")]
    files_analyzed: bool,
    #[serde(rename = "licenseConcluded")]
    license_concluded: &'static str,
    #[serde(rename = "licenseDeclared")]
    license_declared: &'static str,
    #[serde(rename = "copyrightText")]
    copyright: &'static str,
    #[serde(rename = "sourceInfo", skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    #[serde(rename = "externalRefs", skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference>,
}

impl<'a> Package<'a> {
    fn new(id: String, name: &'a str) -> Self {
        Self {
            id,
            name,
            version: None,
            description: None,
            purpose: None,
            download_location: NOT_SAID,
            files_analyzed: false,
            license_concluded: NOT_SAID,
            license_declared: NOT_SAID,
            copyright: NOT_SAID,
            source_info: None,
            references: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Serialize)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: &'static str,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}
