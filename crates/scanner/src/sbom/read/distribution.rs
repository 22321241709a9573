//! The distribution that a document speaks of.

use std::collections::BTreeSet;

use super::document::System;
use crate::inventory::Distribution;

/// Names that tools give distributions, and the `ID` of their os-release (Trivy's `OSType`, in lower case).
const OTHER_NAMES: [(&str, &str); 8] = [
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("cbl-mariner", "mariner"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("oracle", "ol"),
    ("redhat", "rhel"),
    ("suse linux enterprise server", "sles"),
];

/// The system that is named as such; else the one that all packages say they are of. None where there is none, or more
/// than one.
pub(super) fn distribution(named: &[System], of_packages: &BTreeSet<String>) -> Option<Distribution> {
    match named {
        [] => {}
        [System { id, version, pretty_name }] => {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            return of(id, given(version).as_deref(), given(pretty_name).as_deref());
        }
        _ => return None,
    }
    let mut all = of_packages.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => {
            let release = |(id, version): (&'_ str, &'_ str)| {
                version
                    .starts_with(|first: char| first.is_ascii_digit())
                    .then(|| (id.to_owned(), version.to_owned()))
            };
            match only.rsplit_once('-').and_then(release) {
                Some((id, version)) => of(&id, Some(&version), None),
                None => of(only, None, None),
            }
        }
        _ => None,
    }
}

fn of(id: &str, version: Option<&str>, pretty_name: Option<&str>) -> Option<Distribution> {
    let id = id.to_ascii_lowercase();
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == id).map(|(_, id)| (*id).to_owned());
    let id = other.unwrap_or(id);
    (!id.is_empty()).then(|| Distribution::of(&id, version, pretty_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(id: &str, version: &str, pretty_name: &str) -> System {
        System { id: id.to_owned(), version: version.to_owned(), pretty_name: pretty_name.to_owned() }
    }

    fn ecosystem(named: &[System], of_packages: &[&str]) -> Option<String> {
        let of_packages = of_packages.iter().map(|&text| text.to_owned()).collect();
        distribution(named, &of_packages)?.ecosystem
    }

    #[test]
    fn a_system_that_is_named_counts_before_what_packages_say() {
        let leap = system("opensuse.leap", "15.5", "openSUSE Leap 15.5");
        assert_eq!(ecosystem(&[leap], &["debian-12"]).as_deref(), Some("openSUSE:Leap 15.5"));
        assert_eq!(
            ecosystem(&[system("redhat", "9.4", "")], &[]).as_deref(),
            Some("Red Hat:enterprise_linux:9")
        );
        for (text, expected) in [
            ("debian-12", Some("Debian:12")),
            ("alpine-3.19.1", Some("Alpine:v3.19")),
            ("alma-8.5", Some("AlmaLinux:8")),
            ("wolfi-20230201", Some("Wolfi")),
            ("wolfi", Some("Wolfi")),
            ("bookworm", None),
        ] {
            assert_eq!(ecosystem(&[], &[text]).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn of_two_none_is_known() {
        assert_eq!(ecosystem(&[], &["debian-11", "debian-12"]), None);
        assert_eq!(
            ecosystem(&[system("debian", "12", ""), system("alpine", "3.19", "")], &["debian-12"]),
            None
        );
        assert_eq!(ecosystem(&[], &[]), None);
        assert_eq!(distribution(&[system("", "", "")], &BTreeSet::new()), None);
    }
}
