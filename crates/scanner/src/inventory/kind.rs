//! Kinds of packages, named by their package-URL types, and the key of the index from packages to layers.

use serde::{Deserialize, Serialize};

/// A kind of package, by its package-URL type. The variants are in the order of their names, so that keys sort
/// here as they do in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PackageKind {
    /// Arch Linux packages.
    Alpm,
    /// Alpine packages.
    Apk,
    /// Rust crates in binaries.
    Cargo,
    /// Slices of Ubuntu packages, as chisel cuts them.
    Chisel,
    /// PHP packages.
    Composer,
    /// Debian and Ubuntu packages.
    Deb,
    /// Ruby gems.
    Gem,
    /// Go modules in binaries.
    Golang,
    /// Java archives.
    Maven,
    /// Node packages.
    Npm,
    /// .NET packages.
    Nuget,
    /// Python distributions.
    Pypi,
    /// RPM packages.
    Rpm,
}

/// All kinds, in order.
const ALL_KINDS: [PackageKind; 13] = {
    use PackageKind::{Alpm, Apk, Cargo, Chisel, Composer, Deb, Gem, Golang, Maven, Npm, Nuget, Pypi, Rpm};
    [Alpm, Apk, Cargo, Chisel, Composer, Deb, Gem, Golang, Maven, Npm, Nuget, Pypi, Rpm]
};

impl PackageKind {
    /// The stable name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Alpm => "alpm",
            Self::Chisel => "chisel",
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Maven => "maven",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
        }
    }

    /// The kind of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL_KINDS.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The kind that an OSV ecosystem speaks of, where this version matches it.
    ///
    /// An ecosystem without a release (`Debian`) is not matched: its versions are not those of any image.
    /// Ubuntu Pro is not either: an image does not say whether it is entitled to those fixes.
    pub fn of_ecosystem(ecosystem: &str) -> Option<Self> {
        match ecosystem.split_once(':') {
            Some(("Ubuntu", release)) if release.starts_with("Pro:") => None,
            Some(("Debian" | "Ubuntu", release)) if !release.is_empty() => Some(Self::Deb),
            _ => None,
        }
    }
}

impl std::fmt::Display for PackageKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What advisories name a package by: for Debian and Ubuntu, the source package.
///
/// The release is not part of it, since a layer does not know which image it will be part of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageKey {
    /// The kind of package.
    pub kind: PackageKind,
    /// The name that advisories use.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_name_is_the_one_shown() {
        for kind in ALL_KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(PackageKind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn kinds_sort_as_their_names_do() {
        assert!(ALL_KINDS.is_sorted());
        assert!(ALL_KINDS.map(PackageKind::as_str).is_sorted());
    }

    #[test]
    fn ecosystems_of_a_release_have_a_kind() {
        assert_eq!(PackageKind::of_ecosystem("Debian:12"), Some(PackageKind::Deb));
        assert_eq!(PackageKind::of_ecosystem("Ubuntu:22.04:LTS"), Some(PackageKind::Deb));
        for other in ["Debianoid:12", "Debian", "Debian:", "Ubuntu:Pro:22.04:LTS", "PyPI", ""] {
            assert_eq!(PackageKind::of_ecosystem(other), None, "{other}");
        }
    }
}
