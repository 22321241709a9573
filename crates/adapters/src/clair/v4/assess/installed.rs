//! The packages of an image, each where it lies.

use cve_monitor_core::vocabulary::{Digest, PackageKind};

use super::wire::{Distribution, Environment, Package, Report, Repository};

/// The key of repositories that are named by CPEs of Red Hat's products (claircore, `rhel/internal/common`).
const CPE_REPOSITORY: &str = "rhel-cpe-repository";

/// A kind of package, in the words that all scanners here use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Apk,
    Deb,
    Gem,
    Golang,
    Maven,
    Npm,
    /// An image of Red Hat, which is a package to its own catalogue.
    Oci,
    Pypi,
    Rpm,
    /// What a later Clair may find.
    Unknown,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Gem => "gem",
            Self::Golang => "golang",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::Oci => "oci",
            Self::Pypi => "pypi",
            Self::Rpm => "rpm",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the distribution's own advisories speak about it.
    pub(super) fn is_of_distribution(self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm)
    }

    /// Whether Clair writes what repairs it as a range (claircore's OSV updater, of ecosystems whose versions it
    /// cannot put in order itself).
    pub(super) fn is_repaired_by_range(self) -> bool {
        matches!(self, Self::Gem | Self::Maven | Self::Pypi)
    }
}

impl From<&Kind> for PackageKind {
    fn from(kind: &Kind) -> Self {
        Self(kind.as_str().to_owned())
    }
}

/// A package in one place of an image.
#[derive(Debug)]
pub(super) struct Installed<'a> {
    /// Clair's number for the package.
    pub(super) id: &'a str,
    pub(super) package: &'a Package,
    pub(super) kind: Kind,
    pub(super) distribution: Option<&'a Distribution>,
    /// The name of the repository that it comes from; of a language's package alone.
    pub(super) repository: Option<&'a str>,
    /// Whether it comes from a repository of Red Hat's products, which its advisories speak about.
    pub(super) of_red_hat: bool,
    /// The file that says that it is installed.
    pub(super) location: &'a str,
    /// The layer that brought it in.
    pub(super) layer: Option<Digest>,
}

impl<'a> Installed<'a> {
    /// All packages of a report, in the order of Clair's numbers.
    pub(super) fn all(report: &'a Report) -> Vec<Self> {
        let places = report.packages.iter().flat_map(|(id, package)| {
            let places = report.environments.get(id).map(|list| list.0.as_slice()).unwrap_or_default();
            places.iter().map(move |place| Self::in_place(report, id, package, place))
        });
        places.collect()
    }

    fn in_place(report: &'a Report, id: &'a str, package: &'a Package, place: &'a Environment) -> Self {
        let distribution = report.distributions.get(&place.distribution_id);
        let repositories = place.repository_ids.iter().filter_map(|id| report.repository.get(id));
        let repository: Option<&Repository> =
            repositories.into_iter().find(|found| of_repository(&found.name).is_some());
        let mut repositories = place.repository_ids.iter().filter_map(|id| report.repository.get(id));
        let of_red_hat = repositories.any(|found| found.key == CPE_REPOSITORY);
        let (prefix, location) = prefixed(&place.package_db);
        let kind = repository
            .and_then(|found| of_repository(&found.name))
            .or_else(|| prefix.and_then(of_prefix))
            .or_else(|| of_path(location))
            .or_else(|| distribution.and_then(of_distribution))
            .unwrap_or(Kind::Unknown);
        Self {
            id,
            package,
            kind,
            distribution,
            repository: repository.map(|found| found.name.as_str()),
            of_red_hat,
            location,
            layer: place.introduced_in.parse().ok(),
        }
    }

    /// What its advisories call its ecosystem: its repository, or its distribution.
    pub(super) fn ecosystem(&self) -> Option<&'a str> {
        if self.kind == Kind::Oci {
            return Some("rhcc");
        }
        if self.of_red_hat {
            return Some("rhel");
        }
        self.repository.or_else(|| Some(self.distribution?.did.as_str())).filter(|name| !name.is_empty())
    }
}

/// A distribution as reports have always named it: `debian:12`, `alpine:v3.20`.
pub(super) fn namespace(distribution: &Distribution) -> String {
    let Distribution { did, version, version_id, pretty_name, .. } = distribution;
    let number = if version_id.is_empty() { version } else { version_id };
    match did.as_str() {
        "" => pretty_name.clone(),
        "alpine" if number != "edge" => format!("alpine:v{number}"),
        did => format!("{did}:{number}"),
    }
}

/// Clair writes how it found a language's package before its place: `python:usr/lib/python3/dist-packages`.
fn prefixed(package_db: &str) -> (Option<&str>, &str) {
    match package_db.split_once(':') {
        Some((prefix, place)) if prefix.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            (Some(prefix), place)
        }
        _ => (None, package_db),
    }
}

fn of_repository(name: &str) -> Option<Kind> {
    Some(match name {
        "pypi" => Kind::Pypi,
        "maven" => Kind::Maven,
        "go" => Kind::Golang,
        "rubygems" => Kind::Gem,
        "npm" => Kind::Npm,
        "Red Hat Container Catalog" => Kind::Oci,
        _ => return None,
    })
}

fn of_prefix(prefix: &str) -> Option<Kind> {
    Some(match prefix {
        "python" => Kind::Pypi,
        "maven" | "jar" | "file" => Kind::Maven,
        "go" => Kind::Golang,
        "ruby" => Kind::Gem,
        "nodejs" => Kind::Npm,
        // The forms of RPM's database.
        "sqlite" | "bdb" | "ndb" => Kind::Rpm,
        _ => return None,
    })
}

fn of_path(path: &str) -> Option<Kind> {
    let is_under = |folder: &str| path.trim_start_matches('/').starts_with(folder);
    if is_under("var/lib/dpkg") {
        Some(Kind::Deb)
    } else if is_under("lib/apk") || is_under("usr/lib/apk") {
        Some(Kind::Apk)
    } else if is_under("var/lib/rpm") || is_under("usr/lib/sysimage/rpm") || is_under("usr/share/rpm") {
        Some(Kind::Rpm)
    } else {
        None
    }
}

fn of_distribution(distribution: &Distribution) -> Option<Kind> {
    Some(match distribution.did.as_str() {
        "debian" | "ubuntu" => Kind::Deb,
        "alpine" => Kind::Apk,
        "rhel" | "amzn" | "ol" | "sles" | "opensuse-leap" | "photon" => Kind::Rpm,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_package_lies_tells_its_kind() {
        for (package_db, kind, location) in [
            ("var/lib/dpkg/status", Some(Kind::Deb), "var/lib/dpkg/status"),
            ("var/lib/dpkg/status.d/libc6", Some(Kind::Deb), "var/lib/dpkg/status.d/libc6"),
            ("lib/apk/db/installed", Some(Kind::Apk), "lib/apk/db/installed"),
            ("sqlite:var/lib/rpm", Some(Kind::Rpm), "var/lib/rpm"),
            ("usr/lib/sysimage/rpm/rpmdb.sqlite", Some(Kind::Rpm), "usr/lib/sysimage/rpm/rpmdb.sqlite"),
            ("python:usr/lib/python3/dist-packages", Some(Kind::Pypi), "usr/lib/python3/dist-packages"),
            ("jar:opt/a.jar:b.jar", Some(Kind::Maven), "opt/a.jar:b.jar"),
            ("go:usr/local/bin/app", Some(Kind::Golang), "usr/local/bin/app"),
            ("opt/Other:thing", None, "opt/Other:thing"),
        ] {
            let (prefix, place) = prefixed(package_db);
            assert_eq!(place, location);
            assert_eq!(prefix.and_then(of_prefix).or_else(|| of_path(place)), kind, "{package_db}");
        }
    }
}
