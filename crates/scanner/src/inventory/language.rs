//! Packages of programming languages: pure functions from a file's path and bytes to the packages that it names.

pub(crate) mod dotnet;
mod fields;
pub(crate) mod java;
pub(crate) mod lock;
pub(crate) mod node;
pub(crate) mod php;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod ruby;

use super::extractor::Extracted;
use super::kind::PackageKind;
use super::record::InstalledPackage;

/// Bytes of a name or a version; what is longer is not one.
pub(crate) const MAX_FIELD_BYTES: usize = 1024;

/// A package as a file of its language names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LanguagePackage {
    /// As advisories name it, or as written where they do.
    pub(crate) name: String,
    /// As written.
    pub(crate) version: String,
    /// Where it lies in the file, such as `!WEB-INF/lib/a.jar`; empty for the file itself.
    pub(crate) inside: String,
}

impl LanguagePackage {
    /// None where either is not a name or a version of anything: empty, too long, or with white space in it.
    pub(crate) fn new(name: &str, version: &str) -> Option<Self> {
        let is_field = |text: &str| {
            !text.is_empty()
                && text.len() <= MAX_FIELD_BYTES
                && !text.chars().any(|character| character.is_whitespace() || character.is_control())
        };
        let (name, version) = (name.trim(), version.trim());
        (is_field(name) && is_field(version)).then(|| Self {
            name: name.to_owned(),
            version: version.to_owned(),
            inside: String::new(),
        })
    }
}

/// What one file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The packages, in the file's order.
    pub(crate) packages: Vec<LanguagePackage>,
    /// Parts that should name a package and do not.
    pub(crate) malformed_parts: u64,
    /// A limit was reached before the end.
    pub(crate) over_limit: bool,
    /// There is code in it that nothing names.
    pub(crate) unnamed: bool,
}

impl Parsed {
    /// One package, or one part that names none.
    pub(crate) fn one(package: Option<LanguagePackage>) -> Self {
        match package {
            Some(package) => Self { packages: vec![package], ..Self::default() },
            None => Self::malformed(),
        }
    }

    /// A file that should name packages and cannot be read.
    pub(crate) fn malformed() -> Self {
        Self { malformed_parts: 1, ..Self::default() }
    }

    /// Hands everything over; `limit_bytes` is the bound that was met where one was.
    fn report(self, kind: PackageKind, limit_bytes: usize, found: &mut Extracted) {
        for package in self.packages {
            let LanguagePackage { name, version, inside } = package;
            let package = InstalledPackage::new(kind, &name, &version, "");
            found.package(InstalledPackage { inside, ..package });
        }
        for _ in 0..self.malformed_parts {
            found.malformed();
        }
        if self.unnamed {
            found.unnamed = Some(kind);
        }
        if self.over_limit {
            found.too_large(limit_bytes as u64);
        }
    }

    fn add(&mut self, package: Option<LanguagePackage>) {
        match package {
            Some(package) => self.packages.push(package),
            None => self.malformed_parts += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_a_name_and_a_version() {
        let package = LanguagePackage::new(" left-pad ", "1.3.0\r").unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str()), ("left-pad", "1.3.0"));
        for (name, version) in [("", "1"), ("a", ""), ("a b", "1"), ("a", "1\u{0}2")] {
            assert_eq!(LanguagePackage::new(name, version), None, "{name:?} {version:?}");
        }
    }

    #[test]
    fn a_field_has_a_length() {
        let longest = "x".repeat(MAX_FIELD_BYTES);
        assert!(LanguagePackage::new(&longest, &longest).is_some());
        assert!(LanguagePackage::new(&format!("{longest}x"), "1").is_none());
    }
}
