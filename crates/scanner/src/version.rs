//! Version orders, one module for each family of package managers.

pub mod apk;
pub mod composer;
mod digits;
pub mod dpkg;
pub mod maven;
pub mod nuget;
pub mod pep440;
pub mod rpm;
pub mod rubygems;
pub mod semver;

use std::cmp::Ordering;

/// A version order. All are total over all strings, so that no version in an advisory can stop a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VersionOrder {
    /// Alpine's.
    Apk,
    /// PHP's.
    Composer,
    /// Debian's.
    Dpkg,
    /// Java's.
    Maven,
    /// .NET's.
    Nuget,
    /// Python's.
    Pep440,
    /// That of RPM packages.
    Rpm,
    /// That of RPM source packages, whose epochs are not known.
    RpmWithoutEpoch,
    /// Ruby's.
    RubyGems,
    /// That of Node, Go and Rust.
    Semver,
}

impl VersionOrder {
    /// All of them, by name.
    pub const ALL: &[Self] = &[
        Self::Apk,
        Self::Composer,
        Self::Dpkg,
        Self::Maven,
        Self::Nuget,
        Self::Pep440,
        Self::Rpm,
        Self::RpmWithoutEpoch,
        Self::RubyGems,
        Self::Semver,
    ];

    /// Compares two versions.
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        match self {
            Self::Apk => apk::compare(left, right),
            Self::Composer => composer::compare(left, right),
            Self::Dpkg => dpkg::compare(left, right),
            Self::Maven => maven::compare(left, right),
            Self::Nuget => nuget::compare(left, right),
            Self::Pep440 => pep440::compare(left, right),
            Self::Rpm => rpm::compare(left, right),
            Self::RpmWithoutEpoch => rpm::compare_without_epoch(left, right),
            Self::RubyGems => rubygems::compare(left, right),
            Self::Semver => semver::compare(left, right),
        }
    }
}
