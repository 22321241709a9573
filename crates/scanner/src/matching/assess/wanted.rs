//! The names and versions by which a package is matched.

use crate::advisory::{Ecosystem, NameBasis, normalized_name};
use crate::version::{VersionOrder, pep440};
use crate::{PackageInstance, PackageKind};

/// One name of a package, with the version that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::matching) struct Wanted<'a> {
    /// The name, as a database keeps it.
    pub(in crate::matching) name: String,
    /// The version.
    pub(in crate::matching) version: &'a str,
    /// The order of that version.
    pub(in crate::matching) order: VersionOrder,
}

/// What to look up for a package; nothing where its identity is not known well enough.
pub(in crate::matching) fn wanted<'a>(
    package: &'a PackageInstance,
    ecosystem: &Ecosystem,
) -> Vec<Wanted<'a>> {
    if !ecosystem.is_system() {
        let name = normalized_name(package.kind, &package.name);
        let order = ecosystem.order();
        return if is_known(package) {
            vec![Wanted { name, version: &package.version, order }]
        } else {
            Vec::new()
        };
    }
    let binary =
        || Wanted { name: package.name.clone(), version: &package.version, order: ecosystem.order() };
    match ecosystem.basis() {
        NameBasis::Binary => vec![binary()],
        NameBasis::Source => vec![source(package, ecosystem)],
        NameBasis::Either if package.name == package.source => vec![binary()],
        NameBasis::Either => vec![binary(), source(package, ecosystem)],
    }
}

/// Whether advisories can speak of a language's package: a jar that has but a file name has no group, and a Go program
/// built from a working copy has no version.
pub(in crate::matching) fn is_known(package: &PackageInstance) -> bool {
    match package.kind {
        PackageKind::Maven => package.name.contains(':'),
        PackageKind::Golang => {
            package.version.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit())
        }
        _ => true,
    }
}

/// Whether advisories say for certain which packages are affected: the order of Python's versions knows nothing of a
/// version that is none, so that what is said of it may be wrong.
pub(in crate::matching) fn is_certain(package: &PackageInstance) -> bool {
    is_known(package) && (package.kind != PackageKind::Pypi || pep440::is_version(&package.version))
}

/// The source's name and version. An RPM package does not know its source's epoch: it is its own where the versions
/// are, and else does not count.
fn source<'a>(package: &'a PackageInstance, ecosystem: &Ecosystem) -> Wanted<'a> {
    let name = package.source.clone();
    let (version, order) = match ecosystem.order() {
        VersionOrder::Rpm => {
            let without_epoch =
                package.version.split_once(':').map_or(&*package.version, |(_, version)| version);
            if without_epoch == package.source_version {
                (&package.version, VersionOrder::Rpm)
            } else {
                (&package.source_version, VersionOrder::RpmWithoutEpoch)
            }
        }
        order => (&package.source_version, order),
    };
    Wanted { name, version, order }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(kind: PackageKind, fields: [&str; 4]) -> PackageInstance {
        let [name, version, source, source_version] = fields.map(str::to_owned);
        PackageInstance {
            kind,
            name,
            version,
            arch: String::new(),
            source,
            source_version,
            location: String::new(),
            layer: 0,
            module: None,
            owned_by: None,
        }
    }

    fn of(ecosystem: &str, package: &PackageInstance) -> Vec<(String, String, VersionOrder)> {
        let ecosystem = Ecosystem::parse(ecosystem).unwrap();
        let all = wanted(package, &ecosystem).into_iter();
        all.map(|wanted| (wanted.name, wanted.version.to_owned(), wanted.order)).collect()
    }

    #[test]
    fn distributions_speak_of_binary_or_of_source_packages() {
        let errno = package(PackageKind::Rpm, ["perl-Errno", "0:1.28-420.el8", "perl", "5.26.3-420.el8"]);
        assert_eq!(
            of("AlmaLinux:8", &errno),
            [("perl-Errno".into(), "0:1.28-420.el8".into(), VersionOrder::Rpm)]
        );
        let by_source = ("perl".into(), "5.26.3-420.el8".into(), VersionOrder::RpmWithoutEpoch);
        assert_eq!(of("Rocky Linux:8", &errno), [by_source]);
        assert_eq!(of("Azure Linux:3", &errno).len(), 2);
        let ssl = package(PackageKind::Apk, ["libssl3", "3.1.8-r1", "openssl", "3.1.8-r1"]);
        assert_eq!(of("Alpine:v3.19", &ssl), [("openssl".into(), "3.1.8-r1".into(), VersionOrder::Apk)]);
        assert_eq!(of("Wolfi", &ssl).len(), 2);
    }

    #[test]
    fn a_source_of_the_same_version_has_the_same_epoch() {
        let libs = package(PackageKind::Rpm, ["perl-libs", "4:5.26.3-420.el8", "perl", "5.26.3-420.el8"]);
        assert_eq!(
            of("Rocky Linux:8", &libs),
            [("perl".into(), "4:5.26.3-420.el8".into(), VersionOrder::Rpm)]
        );
    }

    #[test]
    fn names_of_languages_are_normalised_and_unknown_identities_left_out() {
        let flask = package(PackageKind::Pypi, ["Flask_Login", "1", "Flask_Login", "1"]);
        assert_eq!(of("PyPI", &flask)[0].0, "flask-login");
        let jar = |name| package(PackageKind::Maven, [name, "1.9.3", name, "1.9.3"]);
        assert_eq!(of("Maven", &jar("commons-beanutils")), []);
        assert_eq!(of("Maven", &jar("a:b")).len(), 1);
        let module = |version| package(PackageKind::Golang, ["m", version, "m", version]);
        assert_eq!(of("Go", &module("(devel)")), []);
        assert_eq!(of("Go", &module("v1.2.3+dirty")).len(), 1);
    }
}
