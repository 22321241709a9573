//! Documents as they should be. Both were checked by hand against the formats' schemas.

use std::collections::BTreeMap;

use super::*;
use crate::inventory::{Distribution, PackageInstance, PackageKind, Unread};
use crate::layer::LayerProblem;

/// A package with no more than its name and version.
pub(super) fn package(kind: PackageKind, name: &str, version: &str) -> PackageInstance {
    PackageInstance {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        arch: String::new(),
        source: name.to_owned(),
        source_version: version.to_owned(),
        location: "some/file".to_owned(),
        layer: 0,
        module: None,
        owned_by: None,
    }
}

pub(super) fn inventory() -> ImageInventory {
    let mut libc = package(PackageKind::Deb, "libc6", "2.36-9+deb12u13");
    libc.arch = "amd64".to_owned();
    libc.source = "glibc".to_owned();
    libc.location = "var/lib/dpkg/status".to_owned();
    let mut yaml = package(PackageKind::Pypi, "pyyaml", "6.0");
    yaml.owned_by = Some("deb:python3-yaml".to_owned());
    let mut log4j = package(PackageKind::Maven, "org.apache.logging.log4j:log4j-core", "2.14.1");
    log4j.location = "opt/app.jar!BOOT-INF/lib/log4j-core-2.14.1.jar".to_owned();
    log4j.layer = 1;
    let mut hoek = package(PackageKind::Npm, "@hapi/hoek", "8.5.0");
    hoek.layer = 2;
    ImageInventory {
        distribution: Distribution::parse("ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12\""),
        packages: vec![libc, yaml, log4j, hoek],
        unread: BTreeMap::new(),
        problems: Vec::new(),
        looked_at: vec![PackageKind::Deb],
        has_package_database: true,
        sbom: None,
    }
}

pub(super) const SUBJECT: Subject<'_> = Subject {
    image: "registry.example/app:1.2",
    digest: Some("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    layers: &[
        "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
    ],
    created: "2026-01-31T12:00:00Z",
    tool_version: "1.2.3",
};

fn incomplete() -> ImageInventory {
    let example = "opt/x.jar".to_owned();
    ImageInventory {
        unread: BTreeMap::from([(PackageKind::Maven, Unread { count: 2, example })]),
        problems: vec![
            (1, LayerProblem::Encrypted),
            (0, LayerProblem::MalformedDatabase { path: "opt/y.jar".to_owned(), parts: 1 }),
        ],
        ..inventory()
    }
}

#[test]
fn a_complete_inventory_as_cyclonedx() {
    assert_eq!(cyclonedx(&inventory(), &SUBJECT).unwrap() + "\n", include_str!("golden/complete.cdx.json"));
}

#[test]
fn a_complete_inventory_as_spdx() {
    assert_eq!(spdx(&inventory(), &SUBJECT).unwrap() + "\n", include_str!("golden/complete.spdx.json"));
}

#[test]
fn an_inventory_that_is_not_complete_says_so_and_why() {
    let document = cyclonedx(&incomplete(), &SUBJECT).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["compositions"][0]["aggregate"], "incomplete");
    let gaps: Vec<_> = document["metadata"]["properties"].as_array().unwrap().iter().collect();
    assert_eq!(gaps.len(), 3);
    assert_eq!(gaps[0]["value"], "2 files of kind maven were not read, such as opt/x.jar");
    let document = spdx(&incomplete(), &SUBJECT).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let comment = "This inventory is not complete. 2 files of kind maven were not read, such as opt/x.jar. \
                   layer 1 was not read to its end: encrypted. \
                   opt/y.jar in layer 0 was not read to its end: malformed_database.";
    assert_eq!(document["comment"], comment);
}

#[test]
fn an_inventory_that_knows_nothing_of_the_system_is_not_complete() {
    let language = package(PackageKind::Golang, "golang.org/x/text", "0.3.6");
    let without = |found: ImageInventory| {
        let document: serde_json::Value =
            serde_json::from_str(&cyclonedx(&found, &SUBJECT).unwrap()).unwrap();
        assert_eq!(document["compositions"][0]["aggregate"], "incomplete");
        document["metadata"]["properties"][0]["value"].as_str().unwrap().to_owned()
    };
    let scratch =
        ImageInventory { has_package_database: false, packages: vec![language.clone()], ..inventory() };
    assert_eq!(without(scratch), "no package database was found, so that nothing is listed of the system");
    let emptied = ImageInventory { packages: vec![language], ..inventory() };
    assert_eq!(without(emptied), "the package database names no package");
    let unknown = ImageInventory { distribution: None, ..inventory() };
    assert_eq!(without(unknown), "the distribution is not known");
}

#[test]
fn an_image_without_anything_is_still_a_document() {
    let empty = ImageInventory { distribution: None, packages: Vec::new(), ..inventory() };
    let subject = Subject { digest: None, layers: &[], ..SUBJECT };
    for document in [cyclonedx(&empty, &subject).unwrap(), spdx(&empty, &subject).unwrap()] {
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert!(document.is_object());
    }
}

#[test]
fn documents_of_different_content_have_different_identifiers() {
    let serial = |inventory: &ImageInventory, subject: &Subject<'_>| {
        let document = cyclonedx(inventory, subject).unwrap();
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        document["serialNumber"].as_str().unwrap().to_owned()
    };
    let one = serial(&inventory(), &SUBJECT);
    assert_eq!(one, serial(&inventory(), &SUBJECT));
    assert_ne!(one, serial(&incomplete(), &SUBJECT));
    assert_ne!(one, serial(&inventory(), &Subject { created: "2026-02-01T00:00:00Z", ..SUBJECT }));
    let (prefix, uuid) = one.rsplit_once(':').unwrap();
    assert_eq!((prefix, uuid.len(), &uuid[14..15]), ("urn:uuid", 36, "8"));
}
