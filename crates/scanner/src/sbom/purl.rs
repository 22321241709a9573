//! Package URLs (<https://github.com/package-url/purl-spec>).

use packageurl::PackageUrl;

use crate::inventory::{Distribution, PackageInstance, PackageKind};

/// The URL of a package, which names it to tools of all kinds.
///
/// Packages of a distribution carry its name and release, their architecture and, where it has another name or
/// version, their source package; an RPM's epoch and module are qualifiers. A Java archive whose group nobody
/// knows is `generic`, since the type `maven` demands one.
pub fn package_url(package: &PackageInstance, distribution: Option<&Distribution>) -> String {
    let Parts { kind, namespace, name, version, qualifiers } = Parts::of(package, distribution);
    // All of these fail on empty names and unknown types only. No inventory holds any, but a name may be all in front of
    // what divides it: `@scope/`.
    let whole = || PackageUrl::new("generic", package.name.as_str());
    let Ok(mut url) = PackageUrl::new(kind, name).or_else(|_| whole()) else { return String::new() };
    if let Some(namespace) = namespace {
        let _ = url.with_namespace(namespace);
    }
    let _ = url.with_version(version);
    for (key, value) in qualifiers {
        let _ = url.add_qualifier(key, value);
    }
    url.to_string()
}

struct Parts<'a> {
    kind: &'static str,
    namespace: Option<&'a str>,
    name: &'a str,
    version: &'a str,
    qualifiers: Vec<(&'static str, String)>,
}

impl<'a> Parts<'a> {
    fn of(package: &'a PackageInstance, distribution: Option<&'a Distribution>) -> Self {
        let (name, version) = (package.name.as_str(), package.version.as_str());
        let plain = |kind, namespace, name| Self { kind, namespace, name, version, qualifiers: Vec::new() };
        match package.kind {
            PackageKind::Npm => match name.split_once('/') {
                Some((scope, name)) => plain("npm", Some(scope), name),
                None => plain("npm", None, name),
            },
            PackageKind::Maven => match name.split_once(':') {
                Some((group, artifact)) => plain("maven", Some(group), artifact),
                None => plain("generic", None, name),
            },
            PackageKind::Golang => match name.rsplit_once('/') {
                Some((path, name)) => plain("golang", Some(path), name),
                None => plain("golang", None, name),
            },
            PackageKind::Composer => match name.split_once('/') {
                Some((vendor, name)) => plain("composer", Some(vendor), name),
                None => plain("generic", None, name),
            },
            PackageKind::Pypi | PackageKind::Cargo | PackageKind::Gem | PackageKind::Nuget => {
                plain(package.kind.as_str(), None, name)
            }
            PackageKind::Deb | PackageKind::Chisel => Self::of_system("deb", package, distribution),
            PackageKind::Rpm | PackageKind::Apk | PackageKind::Alpm => {
                Self::of_system(package.kind.as_str(), package, distribution)
            }
        }
    }

    fn of_system(
        kind: &'static str,
        package: &'a PackageInstance,
        distribution: Option<&'a Distribution>,
    ) -> Self {
        let mut qualifiers = Vec::new();
        let mut add = |key, value: String| {
            if !value.is_empty() {
                qualifiers.push((key, value));
            }
        };
        let mut version = package.version.as_str();
        if kind == "rpm"
            && let Some((epoch, rest)) = version.split_once(':')
        {
            version = rest;
            add("epoch", if epoch == "0" { String::new() } else { epoch.to_owned() });
        }
        add("rpmmod", package.module.clone().unwrap_or_default());
        add("arch", package.arch.clone());
        if let Some(distribution) = distribution {
            let release = distribution.version_id.as_ref().map(|version| format!("-{version}"));
            add("distro", format!("{}{}", distribution.id, release.unwrap_or_default()));
        }
        if package.source_version != version {
            add("upstream", format!("{}@{}", package.source, package.source_version));
        } else if package.source != package.name {
            add("upstream", package.source.clone());
        }
        let namespace = distribution.map(|distribution| distribution.id.as_str());
        Self { kind, namespace, name: &package.name, version, qualifiers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(kind: PackageKind, name: &str, version: &str) -> PackageInstance {
        crate::sbom::tests::package(kind, name, version)
    }

    fn url(kind: PackageKind, name: &str, version: &str) -> String {
        package_url(&package(kind, name, version), None)
    }

    #[test]
    fn packages_of_languages_are_named_as_the_specification_has_it() {
        use PackageKind::{Cargo, Composer, Gem, Golang, Maven, Npm, Nuget, Pypi};
        for (kind, name, version, expected) in [
            (Pypi, "ruamel-yaml", "0.17.21", "pkg:pypi/ruamel-yaml@0.17.21"),
            (Npm, "@hapi/hoek", "8.5.0", "pkg:npm/%40hapi/hoek@8.5.0"),
            (Npm, "left-pad", "1.3.0", "pkg:npm/left-pad@1.3.0"),
            (Maven, "org.yaml:snakeyaml", "1.26", "pkg:maven/org.yaml/snakeyaml@1.26"),
            (Maven, "commons-collections3", "3.2.2", "pkg:generic/commons-collections3@3.2.2"),
            (Golang, "golang.org/x/text", "v0.3.6", "pkg:golang/golang.org/x/text@v0.3.6"),
            (
                Golang,
                "github.com/dgrijalva/jwt-go",
                "v3.2.0+incompatible",
                "pkg:golang/github.com/dgrijalva/jwt-go@v3.2.0%2Bincompatible",
            ),
            (Golang, "stdlib", "1.19.8", "pkg:golang/stdlib@1.19.8"),
            (Cargo, "smallvec", "1.6.0", "pkg:cargo/smallvec@1.6.0"),
            (Gem, "rack", "2.1.4", "pkg:gem/rack@2.1.4"),
            (Composer, "Symfony/http-kernel", "v4.4.10", "pkg:composer/symfony/http-kernel@v4.4.10"),
            (Nuget, "Newtonsoft.Json", "12.0.3", "pkg:nuget/Newtonsoft.Json@12.0.3"),
        ] {
            assert_eq!(url(kind, name, version), expected);
        }
    }

    #[test]
    fn a_name_of_which_nothing_is_left_is_kept_whole() {
        use PackageKind::{Golang, Maven, Npm};
        for (kind, name) in [(Npm, "@scope/"), (Maven, "group:"), (Golang, "example.org/")] {
            assert!(url(kind, name, "1").starts_with("pkg:generic/"), "{name}: {}", url(kind, name, "1"));
        }
    }

    #[test]
    fn packages_of_a_distribution_say_which() {
        let debian = Distribution::parse("ID=debian\nVERSION_ID=12").unwrap();
        let mut bsdutils = package(PackageKind::Deb, "bsdutils", "1:2.38.1-5+deb12u3");
        bsdutils.arch = "amd64".to_owned();
        bsdutils.source = "util-linux".to_owned();
        bsdutils.source_version = "2.38.1-5+deb12u3".to_owned();
        assert_eq!(
            package_url(&bsdutils, Some(&debian)),
            "pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u3?arch=amd64&distro=debian-12&upstream=util-linux%402.38.1-5%2Bdeb12u3"
        );
        bsdutils.source_version.clone_from(&bsdutils.version);
        let url = package_url(&bsdutils, Some(&debian));
        assert!(url.ends_with("&upstream=util-linux"), "{url}");
        assert_eq!(package_url(&package(PackageKind::Apk, "musl", "1.2"), None), "pkg:apk/musl@1.2");
    }

    #[test]
    fn the_epoch_of_an_rpm_is_a_qualifier() {
        let alma = Distribution::parse("ID=almalinux\nVERSION_ID=8.5").unwrap();
        let mut package = package(PackageKind::Rpm, "openssl", "1:1.1.1k-5.el8");
        package.source_version = "1.1.1k-5.el8".to_owned();
        let url = package_url(&package, Some(&alma));
        assert_eq!(url, "pkg:rpm/almalinux/openssl@1.1.1k-5.el8?distro=almalinux-8.5&epoch=1");
        package.version = "0:1.1.1k-5.el8".to_owned();
        package.module = Some("openssl:3".to_owned());
        let url = package_url(&package, Some(&alma));
        let expected = "pkg:rpm/almalinux/openssl@1.1.1k-5.el8?distro=almalinux-8.5&rpmmod=openssl:3";
        assert_eq!(url, expected);
    }
}
