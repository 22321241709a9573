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

    /// Whether packages of this kind are a distribution's.
    pub(crate) fn is_system(self) -> bool {
        matches!(self, Self::Alpm | Self::Apk | Self::Chisel | Self::Deb | Self::Rpm)
    }

    /// The kind of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL_KINDS.iter().copied().find(|kind| kind.as_str() == name)
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
}
