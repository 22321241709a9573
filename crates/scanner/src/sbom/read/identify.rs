//! A package of a document as one of an inventory, by its package URL.

use std::borrow::Cow;
use std::str::FromStr as _;

use packageurl::PackageUrl;

use super::Found;
use crate::advisory::normalized_name;
use crate::inventory::{PackageInstance, PackageKind, READ_KINDS, rpm_module, split_source};

/// What a package of a document is.
pub(super) enum Identified {
    /// One of a kind that is judged, with the distribution that it says it is of.
    Package { package: Box<PackageInstance>, system: Option<String> },
    /// One of a kind that is known, but that cannot be judged: of which nothing is read, or without a version.
    Unread(PackageKind),
    /// One of a kind that is not known.
    Unknown(String),
    /// The image itself, or a part of it that is no package.
    NoPackage,
}

pub(super) fn identify(found: &Found) -> Identified {
    if found.purl.is_empty() {
        return Identified::Unknown("without a package URL".to_owned());
    }
    let Ok(url) = PackageUrl::from_str(&found.purl) else {
        return Identified::Unknown("with a package URL that cannot be read".to_owned());
    };
    let kind = match (url.ty(), PackageKind::from_name(url.ty())) {
        ("oci" | "docker", _) => return Identified::NoPackage,
        (_, Some(kind)) => kind,
        (other, None) => return Identified::Unknown(other.to_owned()),
    };
    let version = url.version().unwrap_or_default();
    // What tools write where they do not know it.
    if !READ_KINDS.contains(&kind) || version.is_empty() || version.eq_ignore_ascii_case("unknown") {
        return Identified::Unread(kind);
    }
    let name = spelt(kind, name_of(kind, &url), &found.name);
    let mut package = PackageInstance {
        kind,
        version: version.to_owned(),
        arch: String::new(),
        source: name.clone(),
        source_version: version.to_owned(),
        name,
        location: found.location.trim_start_matches('/').to_owned(),
        layer: 0,
        module: None,
        owned_by: None,
    };
    let qualifier = |key: &str| url.qualifiers().get(key).map(|value| value.as_ref().to_owned());
    if !kind.is_system() {
        if kind == PackageKind::Golang && package.name == "stdlib" {
            package.version = version.trim_start_matches("go").to_owned();
            package.source_version.clone_from(&package.version);
        }
        return Identified::Package { package: Box::new(package), system: None };
    }
    package.arch = qualifier("arch").unwrap_or_default();
    if kind == PackageKind::Rpm {
        package.version = format!("{}:{version}", qualifier("epoch").unwrap_or_else(|| "0".to_owned()));
        let label = qualifier("rpmmod").or_else(|| qualifier("modularitylabel"));
        package.module = label.as_deref().and_then(rpm_module);
    }
    if let Some((name, version)) = qualifier("upstream").and_then(|text| upstream(kind, &text)) {
        package.source = name;
        package.source_version = version.unwrap_or(package.source_version);
    } else if let Some((name, version)) = &found.source {
        package.source.clone_from(name);
        package.source_version.clone_from(version);
    }
    Identified::Package { package: Box::new(package), system: qualifier("distro") }
}

/// The name as inventories have it.
fn name_of<'a>(kind: PackageKind, url: &'a PackageUrl<'_>) -> Cow<'a, str> {
    let separator = match kind {
        PackageKind::Maven => ":",
        PackageKind::Npm | PackageKind::Golang | PackageKind::Composer => "/",
        _ => return url.name().into(),
    };
    match url.namespace() {
        Some(namespace) => format!("{namespace}{separator}{}", url.name()).into(),
        None => url.name().into(),
    }
}

/// Package URLs have some names in lower case that advisories, and people, write otherwise: the document's own
/// spelling of the same name counts.
fn spelt(kind: PackageKind, name: Cow<'_, str>, given: &str) -> String {
    let is_same = normalized_name(kind, given).eq_ignore_ascii_case(&normalized_name(kind, &name));
    if is_same { given.to_owned() } else { name.into_owned() }
}

/// `name`, `name@version`, or the file of a source RPM.
fn upstream(kind: PackageKind, text: &str) -> Option<(String, Option<String>)> {
    if kind == PackageKind::Rpm && text.ends_with(".rpm") {
        return split_source(text).map(|(name, version)| (name, Some(version)));
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (text, None),
    };
    (!name.is_empty()).then(|| (name.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(purl: &str, name: &str) -> Identified {
        identify(&Found { purl: purl.to_owned(), name: name.to_owned(), ..Found::default() })
    }

    fn package(purl: &str, name: &str) -> PackageInstance {
        match of(purl, name) {
            Identified::Package { package, .. } => *package,
            _ => panic!("{purl}"),
        }
    }

    #[test]
    fn packages_of_distributions_have_their_sources_in_every_spelling() {
        for (purl, expected) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&upstream=openssl",
                ["libssl3", "3.0.11-1", "openssl", "3.0.11-1"],
            ),
            (
                "pkg:deb/debian/bsdutils@1%3A2.38.1-5?arch=amd64&upstream=util-linux%402.38.1-5",
                ["bsdutils", "1:2.38.1-5", "util-linux", "2.38.1-5"],
            ),
            (
                "pkg:apk/alpine/libcrypto3@3.1.4-r5?upstream=openssl",
                ["libcrypto3", "3.1.4-r5", "openssl", "3.1.4-r5"],
            ),
            (
                "pkg:rpm/redhat/perl-Errno@1.28-420.el8?epoch=0&upstream=perl-5.26.3-420.el8.src.rpm",
                ["perl-Errno", "0:1.28-420.el8", "perl", "5.26.3-420.el8"],
            ),
            (
                "pkg:rpm/almalinux/openssl@1.1.1k-5.el8?epoch=1",
                ["openssl", "1:1.1.1k-5.el8", "openssl", "1.1.1k-5.el8"],
            ),
        ] {
            let found = package(purl, "");
            let fields = [&found.name, &found.version, &found.source, &found.source_version];
            assert_eq!(fields, expected.each_ref().map(|text| text), "{purl}");
        }
        let module = package("pkg:rpm/almalinux/npm@8.19-1?rpmmod=nodejs:18:807002:bd13", "npm");
        assert_eq!(module.module.as_deref(), Some("nodejs:18"));
    }

    #[test]
    fn a_name_is_spelt_as_the_document_has_it_where_it_is_the_same() {
        for (purl, given, expected) in [
            (
                "pkg:golang/github.com/masterminds/goutils@v1.1.0",
                "github.com/Masterminds/goutils",
                "github.com/Masterminds/goutils",
            ),
            ("pkg:pypi/ruamel-yaml@0.17", "ruamel.yaml", "ruamel.yaml"),
            ("pkg:maven/org.yaml/snakeyaml@1.26", "snakeyaml", "org.yaml:snakeyaml"),
            ("pkg:npm/%40hapi/hoek@8.5.0", "@hapi/hoek", "@hapi/hoek"),
            ("pkg:gem/rack@2.1.4", "another", "rack"),
        ] {
            assert_eq!(package(purl, given).name, expected);
        }
        assert_eq!(package("pkg:golang/stdlib@go1.21.3", "stdlib").version, "1.21.3");
    }

    #[test]
    fn what_cannot_be_judged_is_not_passed_over() {
        assert!(matches!(of("", "x"), Identified::Unknown(_)));
        assert!(matches!(of("pkg:conan/zlib@1", "zlib"), Identified::Unknown(kind) if kind == "conan"));
        assert!(matches!(of("no url", "x"), Identified::Unknown(_)));
        assert!(matches!(of("pkg:npm/a", "a"), Identified::Unread(PackageKind::Npm)));
        assert!(matches!(of("pkg:maven/g/a@UNKNOWN", "a"), Identified::Unread(PackageKind::Maven)));
        assert!(matches!(of("pkg:alpm/arch/bash@5", "bash"), Identified::Unread(PackageKind::Alpm)));
        assert!(matches!(of("pkg:oci/app@sha256:0", "app"), Identified::NoPackage));
    }
}
