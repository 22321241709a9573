//! The names that advisories call an installed package by.

use crate::PackageKind;

/// The names under which advisories may speak of an installed package, each once.
///
/// Debian, Ubuntu and their kin speak of source packages. Some distributions of RPM and Alpine packages speak of
/// source packages and some of binary ones (OSV schema, "Defined ecosystems"): of those kinds both names count,
/// since a layer does not say which distribution it will be part of. Language packages have one name, in the form
/// of [`normalized_name`].
pub fn advisory_names(kind: PackageKind, name: &str, source: &str) -> Vec<String> {
    match kind {
        PackageKind::Deb => vec![source.to_owned()],
        PackageKind::Apk | PackageKind::Rpm if name != source => vec![name.to_owned(), source.to_owned()],
        _ => vec![normalized_name(kind, name)],
    }
}

/// A package's name in the form in which two spellings of it are the same.
///
/// PyPI: lower case, runs of `-`, `_` and `.` as one `-` (PEP 503). Packagist and NuGet: lower case. All others
/// are exact.
pub fn normalized_name(kind: PackageKind, name: &str) -> String {
    match kind {
        PackageKind::Pypi => {
            let mut normalized = String::with_capacity(name.len());
            for character in name.trim().chars() {
                match character {
                    '-' | '_' | '.' if normalized.ends_with('-') => {}
                    '-' | '_' | '.' => normalized.push('-'),
                    other => normalized.push(other.to_ascii_lowercase()),
                }
            }
            normalized
        }
        PackageKind::Composer | PackageKind::Nuget => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_package_are_one_name() {
        for (kind, name, expected) in [
            (PackageKind::Pypi, "Ruamel._-Yaml", "ruamel-yaml"),
            (PackageKind::Pypi, "zope.interface", "zope-interface"),
            (PackageKind::Nuget, "Newtonsoft.Json", "newtonsoft.json"),
            (PackageKind::Composer, "Symfony/HTTP-kernel", "symfony/http-kernel"),
            (PackageKind::Npm, "@Hapi/Hoek", "@Hapi/Hoek"),
            (PackageKind::Golang, "github.com/Masterminds/goutils", "github.com/Masterminds/goutils"),
            (PackageKind::Maven, "com.Example:Core", "com.Example:Core"),
        ] {
            assert_eq!(advisory_names(kind, name, name), [expected]);
        }
    }

    #[test]
    fn system_packages_have_the_names_that_their_distributions_speak_of() {
        assert_eq!(advisory_names(PackageKind::Deb, "libssl3", "openssl"), ["openssl"]);
        assert_eq!(advisory_names(PackageKind::Rpm, "perl-libs", "perl"), ["perl-libs", "perl"]);
        assert_eq!(advisory_names(PackageKind::Apk, "libcrypto3", "openssl"), ["libcrypto3", "openssl"]);
        assert_eq!(advisory_names(PackageKind::Apk, "musl", "musl"), ["musl"]);
    }
}
