//! Which advisories an image needs.

use std::collections::BTreeSet;

use crate::ImageInventory;
use crate::advisory::Ecosystem;

/// The ecosystems in which the packages of an image are judged: those whose advisories have to be there before it is
/// assessed. Packages that belong to others count too: what is suppressed is told.
pub fn ecosystems(inventory: &ImageInventory) -> BTreeSet<Ecosystem> {
    let own = inventory.distribution.as_ref().and_then(|distribution| distribution.ecosystem.as_deref());
    inventory.packages.iter().filter_map(|package| Ecosystem::of(package.kind, own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Distribution, PackageInstance, PackageKind};

    fn inventory(kinds: &[PackageKind], distribution: &str) -> ImageInventory {
        let package = |kind: &PackageKind| PackageInstance {
            kind: *kind,
            name: "p".to_owned(),
            version: "1".to_owned(),
            arch: String::new(),
            source: "p".to_owned(),
            source_version: "1".to_owned(),
            location: "l".to_owned(),
            layer: 0,
            module: None,
            owned_by: None,
        };
        ImageInventory {
            distribution: Distribution::parse(distribution),
            packages: kinds.iter().map(package).collect(),
            unread: [].into(),
            problems: vec![],
            looked_at: vec![],
            has_package_database: true,
            sbom: None,
        }
    }

    #[test]
    fn packages_of_the_system_need_their_release_and_those_of_languages_their_own() {
        let debian = "ID=debian\nVERSION_ID=12\n";
        let needed = |kinds: &[PackageKind], distribution| -> Vec<String> {
            let all = ecosystems(&inventory(kinds, distribution));
            all.into_iter().map(|ecosystem| format!("{} of {}", ecosystem.name, ecosystem.export())).collect()
        };
        let both = needed(&[PackageKind::Deb, PackageKind::Npm], debian);
        assert_eq!(both, ["Debian:12 of Debian", "npm of npm"]);
        assert_eq!(needed(&[PackageKind::Pypi], debian), ["PyPI of PyPI"]);
        assert_eq!(needed(&[PackageKind::Deb], "ID=kali\n"), [""; 0]);
        assert_eq!(needed(&[], debian), [""; 0]);
    }
}
