//! What an OSV ecosystem stands for: the kind of package, the order of its versions, the names it speaks of.

use crate::PackageKind;
use crate::version::VersionOrder;

/// An ecosystem whose advisories this version matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ecosystem {
    /// The name that a database keeps its rules under. Spellings of one thing have one name.
    pub name: String,
    family: &'static Family,
}

/// Which of a system package's names the advisories speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameBasis {
    /// The source package's, and its version.
    Source,
    /// The binary package's, and its version.
    Binary,
    /// "The package": either.
    Either,
}

/// How the rest of an ecosystem's string names a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Release {
    /// There has to be one.
    Needed,
    /// There is none.
    None,
    /// What follows is the address of a repository, which no image knows of its packages.
    Repository,
    /// Ubuntu's: `Pro:` is left out, since an image does not say whether it is entitled to those fixes.
    Ubuntu,
    /// A product of Red Hat's: only the repositories of Enterprise Linux itself are matched, as one.
    RedHatProduct,
    /// A product of SUSE's: the modules of an Enterprise Server are part of it, and its siblings consist of it.
    SuseProduct,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Family {
    name: &'static str,
    kind: PackageKind,
    basis: NameBasis,
    release: Release,
}

const fn system(name: &'static str, kind: PackageKind, basis: NameBasis, release: Release) -> Family {
    Family { name, kind, basis, release }
}

const fn language(name: &'static str, kind: PackageKind, release: Release) -> Family {
    Family { name, kind, basis: NameBasis::Binary, release }
}

/// All of them (OSV schema, "Defined ecosystems"). `AlmaLinux` speaks of binary packages, whatever the schema says.
const FAMILIES: [Family; 27] = {
    use NameBasis::{Binary, Either, Source};
    use PackageKind::{Apk, Cargo, Composer, Deb, Gem, Golang, Maven, Npm, Nuget, Pypi, Rpm};
    use Release::{Needed, None, RedHatProduct, Repository, SuseProduct, Ubuntu as UbuntuRelease};
    [
        system("Debian", Deb, Source, Needed),
        system("Ubuntu", Deb, Source, UbuntuRelease),
        system("Echo", Deb, Source, None),
        system("Alpine", Apk, Source, Needed),
        system("Alpaquita", Apk, Source, Needed),
        system("BellSoft Hardened Containers", Apk, Source, Needed),
        system("Wolfi", Apk, Either, None),
        system("Chainguard", Apk, Either, None),
        system("MinimOS", Apk, Either, None),
        system("CleanStart", Apk, Either, None),
        system("AlmaLinux", Rpm, Binary, Needed),
        system("Rocky Linux", Rpm, Source, Needed),
        system("Red Hat", Rpm, Binary, RedHatProduct),
        system("SUSE", Rpm, Source, SuseProduct),
        system("openSUSE", Rpm, Source, Needed),
        system("Mageia", Rpm, Source, Needed),
        system("openEuler", Rpm, Source, Needed),
        system("Photon OS", Rpm, Either, Needed),
        system("Azure Linux", Rpm, Either, Needed),
        language("PyPI", Pypi, None),
        language("npm", Npm, None),
        language("Maven", Maven, Repository),
        language("Go", Golang, None),
        language("crates.io", Cargo, None),
        language("RubyGems", Gem, None),
        language("Packagist", Composer, Repository),
        language("NuGet", Nuget, None),
    ]
};

/// What precedes the release of Red Hat's own distribution in an ecosystem's string.
const ENTERPRISE_LINUX: &str = "enterprise_linux:";
/// What precedes the name of a module of SUSE's distribution.
const SUSE_MODULE: &str = "Linux Enterprise Module for ";
/// Products that are SUSE's server with other packages besides.
const SUSE_SERVERS: [&str; 3] = [
    "Linux Enterprise Server for SAP Applications ",
    "Linux Enterprise High Performance Computing ",
    "Linux Enterprise Desktop ",
];

impl Ecosystem {
    /// Reads an ecosystem's string; none where it is not matched.
    ///
    /// A distribution without a release (`Debian`) is not: its versions are not those of any image.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, release) =
            text.split_once(':').map_or((text, None), |(name, release)| (name, Some(release)));
        let family = FAMILIES.iter().find(|family| family.name == name)?;
        let release = release.filter(|release| !release.is_empty());
        let named = |release: &str| Some(format!("{name}:{release}"));
        let name = match (family.release, release) {
            (Release::None, None) | (Release::Repository, _) => Some(name.to_owned()),
            (Release::Needed, Some(release)) => named(release),
            (Release::Ubuntu, Some(release)) if release.starts_with(|first: char| first.is_ascii_digit()) => {
                named(release)
            }
            (Release::RedHatProduct, Some(product)) => named(&enterprise_linux(product)?),
            (Release::SuseProduct, Some(product)) => named(&suse_server(product)),
            _ => None,
        }?;
        Some(Self { name, family })
    }

    /// The ecosystem that a package of a kind is judged in, on a distribution.
    pub fn of(kind: PackageKind, distribution: Option<&str>) -> Option<Self> {
        let language = FAMILIES.iter().find(|family| family.kind == kind && !family.is_system());
        match language {
            Some(family) => Some(Self { name: family.name.to_owned(), family }),
            None => Self::parse(distribution?).filter(|ecosystem| ecosystem.kind() == kind),
        }
    }

    /// The kind of its packages.
    pub fn kind(&self) -> PackageKind {
        self.family.kind
    }

    /// Whether its packages are those of a distribution.
    pub fn is_system(&self) -> bool {
        self.family.is_system()
    }

    /// The names that its advisories speak of.
    pub fn basis(&self) -> NameBasis {
        self.family.basis
    }

    /// The order of its versions.
    pub fn order(&self) -> VersionOrder {
        match self.family.kind {
            PackageKind::Apk => VersionOrder::Apk,
            PackageKind::Rpm => VersionOrder::Rpm,
            PackageKind::Pypi => VersionOrder::Pep440,
            PackageKind::Maven => VersionOrder::Maven,
            PackageKind::Gem => VersionOrder::RubyGems,
            PackageKind::Composer => VersionOrder::Composer,
            PackageKind::Nuget => VersionOrder::Nuget,
            PackageKind::Npm | PackageKind::Golang | PackageKind::Cargo => VersionOrder::Semver,
            _ => VersionOrder::Dpkg,
        }
    }

    /// The name of its folder among OSV's exports: all releases of a distribution share one.
    pub fn export(&self) -> &'static str {
        self.family.name
    }
}

impl Family {
    fn is_system(&self) -> bool {
        matches!(self.kind, PackageKind::Deb | PackageKind::Apk | PackageKind::Rpm)
    }
}

/// `enterprise_linux:9::appstream` and its like as one: an image does not say which repositories are enabled, and a
/// package's name decides by itself. Extended support, and other products, are left out.
fn enterprise_linux(product: &str) -> Option<String> {
    let release = product.strip_prefix(ENTERPRISE_LINUX)?;
    let major = release.split([':', '.']).next().filter(|major| !major.is_empty())?;
    Some(format!("{ENTERPRISE_LINUX}{major}"))
}

/// `Linux Enterprise Module for Basesystem 15 SP5` as the server's `15 SP5`: its packages are the server's. So are those of
/// the server for SAP, of which the advisories of most packages name the modules alone.
fn suse_server(product: &str) -> String {
    if let Some(release) = SUSE_SERVERS.iter().find_map(|name| product.strip_prefix(name)) {
        return format!("Linux Enterprise Server {release}");
    }
    let Some(module) = product.strip_prefix(SUSE_MODULE) else { return product.to_owned() };
    let last_words = module.rmatch_indices(' ').map(|(at, _)| &module[at + 1..]);
    let is_release = |text: &&str| text.starts_with(|first: char| first.is_ascii_digit());
    match last_words.take(2).find(is_release) {
        Some(release) => format!("Linux Enterprise Server {release}"),
        None => product.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Ecosystem::parse(text).map(|ecosystem| ecosystem.name)
    }

    #[test]
    fn spellings_of_one_ecosystem_have_one_name() {
        for (text, expected) in [
            ("Debian:12", "Debian:12"),
            ("Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS"),
            ("Alpine:v3.19", "Alpine:v3.19"),
            ("Wolfi", "Wolfi"),
            ("Red Hat:enterprise_linux:9::appstream", "Red Hat:enterprise_linux:9"),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat:enterprise_linux:9"),
            ("Red Hat:enterprise_linux:10.1", "Red Hat:enterprise_linux:10"),
            ("Red Hat:enterprise_linux:9", "Red Hat:enterprise_linux:9"),
            ("SUSE:Linux Enterprise Server 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"),
            ("SUSE:Linux Enterprise Module for Python 3 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"),
            (
                "SUSE:Linux Enterprise Server for SAP Applications 15 SP5",
                "SUSE:Linux Enterprise Server 15 SP5",
            ),
            (
                "SUSE:Linux Enterprise High Performance Computing 12 SP5",
                "SUSE:Linux Enterprise Server 12 SP5",
            ),
            ("SUSE:Linux Enterprise Desktop 15 SP6", "SUSE:Linux Enterprise Server 15 SP6"),
            ("SUSE:Linux Enterprise Micro 5.5", "SUSE:Linux Enterprise Micro 5.5"),
            ("openSUSE:Leap 15.5", "openSUSE:Leap 15.5"),
            ("PyPI", "PyPI"),
            ("Maven:https://maven.google.com", "Maven"),
            ("Packagist:https://packages.drupal.org/8", "Packagist"),
        ] {
            assert_eq!(name(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_no_image_can_be_told_to_be_is_not_matched() {
        for text in [
            "Debian",
            "Debian:",
            "Debianoid:12",
            "Ubuntu:Pro:22.04:LTS",
            "Ubuntu:Pro:FIPS:22.04:LTS",
            "Red Hat:rhel_eus:9.2::appstream",
            "Red Hat:openshift:4.12::el9",
            "Red Hat:enterprise_linux:",
            "Root:Debian:12",
            "Seal:Maven",
            "Bitnami",
            "Hex",
            "Wolfi:1",
            "pypi",
            "",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn packages_are_judged_in_the_ecosystem_of_their_kind() {
        let of = |kind, distribution| Ecosystem::of(kind, distribution).map(|ecosystem| ecosystem.name);
        assert_eq!(of(PackageKind::Rpm, Some("Rocky Linux:9")).as_deref(), Some("Rocky Linux:9"));
        assert_eq!(of(PackageKind::Rpm, Some("Debian:12")), None);
        assert_eq!(of(PackageKind::Deb, None), None);
        for (kind, expected) in [(PackageKind::Cargo, "crates.io"), (PackageKind::Golang, "Go")] {
            assert_eq!(of(kind, None).as_deref(), Some(expected));
            assert_eq!(of(kind, Some("Debian:12")).as_deref(), Some(expected));
        }
        assert_eq!(of(PackageKind::Alpm, Some("Debian:12")), None);
    }

    #[test]
    fn every_kind_has_its_order() {
        for (text, order) in [
            ("Debian:12", VersionOrder::Dpkg),
            ("Chainguard", VersionOrder::Apk),
            ("SUSE:x", VersionOrder::Rpm),
            ("PyPI", VersionOrder::Pep440),
            ("Go", VersionOrder::Semver),
            ("Packagist", VersionOrder::Composer),
        ] {
            assert_eq!(Ecosystem::parse(text).unwrap().order(), order);
        }
    }
}
