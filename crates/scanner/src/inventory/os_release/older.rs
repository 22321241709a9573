//! The files in which distributions said what they are before there was os-release.

use super::{Distribution, field};
use crate::layer::path::file_name;

/// Products by how `redhat-release` and its like begin, and their identifiers.
const PRODUCTS: [(&str, &str); 8] = [
    ("Red Hat Enterprise Linux", "rhel"),
    ("CentOS", "centos"),
    ("Oracle Linux", "ol"),
    ("AlmaLinux", "almalinux"),
    ("Rocky Linux", "rocky"),
    ("Fedora", "fedora"),
    ("Amazon Linux", "amzn"),
    ("Mageia", "mageia"),
];

/// Reads such a file; the path says which form it has.
pub(super) fn parse(path: &str, text: &str) -> Option<Distribution> {
    let line = || text.lines().map(str::trim).find(|line| !line.is_empty());
    match file_name(path) {
        "alpine-release" => line().map(|version| Distribution::of("alpine", Some(version), None)),
        "debian_version" => {
            // Before a release it is the name of the next one: `trixie/sid`.
            let version = line()?;
            let number = version.starts_with(|first: char| first.is_ascii_digit()).then_some(version);
            Some(Distribution::of("debian", number, None))
        }
        "lsb-release" => {
            let id = field(text, "DISTRIB_ID")?.to_ascii_lowercase();
            let (version, name) = (field(text, "DISTRIB_RELEASE"), field(text, "DISTRIB_DESCRIPTION"));
            Some(Distribution::of(&id, version.as_deref(), name.as_deref()))
        }
        _ => {
            let line = line()?;
            let (product, release) = line.split_once(" release ")?;
            let (_, id) = PRODUCTS.iter().find(|(name, _)| product.starts_with(name))?;
            Some(Distribution::of(id, release.split_whitespace().next(), Some(line)))
        }
    }
}
