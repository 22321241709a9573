//! Kinds of packages, named by their package-URL types, and the key of the index from packages to layers.

use serde::{Deserialize, Serialize};

/// A kind of package, by its package-URL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PackageKind {
    /// Debian and Ubuntu packages.
    Deb,
    /// RPM packages.
    Rpm,
    /// Alpine packages.
    Apk,
    /// Arch Linux packages.
    Alpm,
    /// Slices of Ubuntu packages, as chisel cuts them.
    Chisel,
    /// Python distributions.
    Pypi,
    /// Node packages.
    Npm,
    /// Java archives.
    Maven,
    /// Go modules in binaries.
    Golang,
    /// Rust crates in binaries.
    Cargo,
    /// Ruby gems.
    Gem,
    /// PHP packages.
    Composer,
    /// .NET packages.
    Nuget,
}

/// The kinds that this version reads; every other kind is evidence of what it does not see.
pub const READ_KINDS: &[PackageKind] = &[PackageKind::Deb];

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

    /// The kind that an OSV ecosystem speaks of, where this version can match it.
    pub fn of_ecosystem(ecosystem: &str) -> Option<Self> {
        match ecosystem.split(':').next() {
            Some("Debian" | "Ubuntu") => Some(Self::Deb),
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
        for kind in [PackageKind::Deb, PackageKind::Golang, PackageKind::Nuget, PackageKind::Alpm] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn ecosystems_name_their_kind_by_their_first_word() {
        assert_eq!(PackageKind::of_ecosystem("Debian:12"), Some(PackageKind::Deb));
        assert_eq!(PackageKind::of_ecosystem("Ubuntu:22.04:LTS"), Some(PackageKind::Deb));
        assert_eq!(PackageKind::of_ecosystem("Debianoid:12"), None);
    }
}
