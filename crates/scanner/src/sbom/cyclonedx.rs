//! CycloneDX 1.6, as JSON (<https://cyclonedx.org/docs/1.6/json/>).

use serde::Serialize;

use super::{Subject, TOOL, gaps, identifier, package_url};
use crate::inventory::{ImageInventory, PackageInstance, PackageKind};

/// The image's own name in the document.
const IMAGE: &str = "image";

/// The document of an image.
///
/// What could not be read is in the metadata's properties, and the composition is then `incomplete`.
///
/// # Errors
///
/// None in practice: the document is plain text.
pub fn cyclonedx(inventory: &ImageInventory, subject: &Subject<'_>) -> Result<String, serde_json::Error> {
    let gaps = gaps(inventory);
    let aggregate = if gaps.is_empty() { "complete" } else { "incomplete" };
    let tool = Component { version: Some(subject.tool_version), ..Component::new("application", TOOL) };
    let image = Component {
        reference: Some(IMAGE.to_owned()),
        version: subject.digest,
        ..Component::new("container", subject.image)
    };
    let source = inventory.sbom.iter().filter_map(|sbom| Some(property("taken-from", sbom.digest.clone()?)));
    let mut document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: subject.created,
            tools: Tools { components: [tool] },
            component: image,
            properties: source.chain(gaps.into_iter().map(|gap| property("gap", gap))).collect(),
        },
        components: components(inventory, subject),
        compositions: [Composition { aggregate, assemblies: [IMAGE] }],
    };
    document.serial_number = identifier(&serde_json::to_vec(&document)?);
    serde_json::to_string_pretty(&document)
}

fn components<'a>(inventory: &'a ImageInventory, subject: &Subject<'_>) -> Vec<Component<'a>> {
    let system = inventory.distribution.as_ref().map(|distribution| Component {
        reference: Some("operating-system".to_owned()),
        version: distribution.version_id.as_deref(),
        description: distribution.pretty_name.as_deref(),
        ..Component::new("operating-system", &distribution.id)
    });
    let packages = inventory.packages.iter().enumerate().map(|(at, package)| {
        let (group, name) = group_and_name(package);
        Component {
            reference: Some(format!("package-{}", at + 1)),
            group,
            version: Some(&package.version),
            purl: Some(package_url(package, inventory.distribution.as_ref())),
            properties: properties(package, subject, inventory.sbom.is_none()),
            evidence: Some(Evidence { occurrences: [Occurrence { location: &package.location }] }),
            ..Component::new("library", name)
        }
    });
    system.into_iter().chain(packages).collect()
}

fn group_and_name(package: &PackageInstance) -> (Option<&str>, &str) {
    let separator = match package.kind {
        PackageKind::Maven => ':',
        PackageKind::Npm | PackageKind::Composer => '/',
        _ => return (None, &package.name),
    };
    match package.name.split_once(separator) {
        Some((group, name)) => (Some(group), name),
        None => (None, &package.name),
    }
}

fn properties(package: &PackageInstance, subject: &Subject<'_>, is_of_layers: bool) -> Vec<Property> {
    let layer = is_of_layers.then(|| property("layer", package.layer.to_string()));
    let mut properties: Vec<Property> = layer.into_iter().collect();
    if let Some(owner) = &package.owned_by {
        properties.push(property("owned-by", owner.clone()));
    }
    if let Some(digest) = subject.layers.get(package.layer).filter(|_| is_of_layers) {
        properties.push(property("layer-digest", (*digest).to_owned()));
    }
    properties
}

fn property(name: &str, value: String) -> Property {
    Property { name: format!("{TOOL}:{name}"), value }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "bomFormat")]
    format: &'static str,
    #[serde(rename = "specVersion")]
    spec_version: &'static str,
    #[serde(rename = "serialNumber")]
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    compositions: [Composition; 1],
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: &'a str,
    tools: Tools<'a>,
    component: Component<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Component<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
}

impl<'a> Component<'a> {
    fn new(kind: &'static str, name: &'a str) -> Self {
        Self {
            kind,
            reference: None,
            group: None,
            name,
            version: None,
            description: None,
            purl: None,
            properties: Vec::new(),
            evidence: None,
        }
    }
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Evidence<'a> {
    occurrences: [Occurrence<'a>; 1],
}

#[derive(Serialize)]
struct Occurrence<'a> {
    location: &'a str,
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: [&'static str; 1],
}
