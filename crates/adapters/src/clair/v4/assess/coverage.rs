//! Which of Clair's updaters an image's distribution and packages need. The names are those of claircore 1.5.48; a
//! distribution that is not here has no updater in Clair.

use std::collections::BTreeSet;

use super::super::operations::{Operations, matches};
use super::wire::Distribution;

/// The releases of Debian that `debian/updater` certainly brings something about. It is one updater for all releases and
/// has what Debian's security tracker lists (<https://security-tracker.debian.org/tracker/data/json>): those that Debian
/// or its long-term support looks after; bullseye's ended in August 2026. Of these it keeps the ones that a mirror has
/// with a version number (claircore, debian/updater.go and debian/parser.go), so neither testing nor sid.
const DEBIAN_RELEASES: [&str; 2] = ["12", "13"];
/// Oracle's updaters: one a year, or one of all years (claircore, oracle/updater.go).
const ORACLE: &str = "oracle-*-updater";
const ORACLE_ALL: &str = "oracle-all-updater";
/// The first year of Oracle's (claircore, oracle/updaterset.go).
const ORACLE_SINCE: u16 = 2007;

/// The updaters of a distribution; a `*` stands for any text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Updaters {
    /// Without this nothing is known of the distribution.
    pub(super) own: String,
    /// Without this something is missing: packages of another repository.
    pub(super) besides: Option<String>,
}

/// What a distribution needs; none where Clair has nothing for it.
pub(super) fn updaters(distribution: &Distribution) -> Option<Updaters> {
    let Distribution { did, version, version_id, version_code_name, .. } = distribution;
    let own = |own: String| Some(Updaters { own, besides: None });
    // Alpine's scanner fills in the version, the others the version id.
    let number = if version_id.is_empty() { version.as_str() } else { version_id.as_str() };
    let major = number.split('.').next().unwrap_or_default();
    match did.as_str() {
        "debian" => own("debian/updater".to_owned()),
        "ubuntu" => own(format!("ubuntu/updater/{version_code_name}")),
        "alpine" => {
            let release = if number == "edge" { number.to_owned() } else { format!("v{number}") };
            Some(Updaters {
                own: format!("alpine-main-{release}-updater"),
                besides: Some(format!("alpine-community-{release}-updater")),
            })
        }
        "rhel" => own("rhel-vex".to_owned()),
        "amzn" => own(match major {
            "2018" => "aws-AL1-updater".to_owned(),
            major => format!("aws-AL{major}-updater"),
        }),
        "ol" => own(ORACLE.to_owned()),
        "sles" => own(format!("suse-updater-suse.linux.enterprise.server.{major}")),
        "opensuse-leap" => own(format!("suse-updater-opensuse.leap.{number}")),
        "photon" => own(format!("photon-updater-photon{major}")),
        _ => None,
    }
}

/// Whether the updater of this distribution, having completed, has certainly brought something about this release. All
/// but Debian's are made for one release, or for all there ever were. Of any other release an advisory is the proof.
pub(super) fn is_certain(distribution: &Distribution) -> bool {
    distribution.did != "debian" || DEBIAN_RELEASES.contains(&distribution.version_id.as_str())
}

/// What Oracle's yearly updaters leave out of the years that have ended by the latest operation. Clair begins an updater
/// with its year, whose list of advisories Oracle may not have published yet.
pub(super) fn missing_years(known: &Operations) -> Vec<String> {
    let mut years = BTreeSet::new();
    let mut this_year = None;
    for (updater, last) in known.latest() {
        if updater == ORACLE_ALL {
            return vec![];
        }
        let year = updater.strip_prefix("oracle-").and_then(|rest| rest.strip_suffix("-updater"));
        years.extend(year.filter(|year| year.len() == 4).and_then(|year| year.parse::<u16>().ok()));
        this_year = this_year.max(u16::try_from(last.date.day().0).ok());
    }
    let end = this_year.max(years.last().copied()).unwrap_or_default();
    let missing = (ORACLE_SINCE..end).filter(|year| !years.contains(year));
    missing.map(|year| format!("oracle-{year}-updater")).collect()
}

/// The updater of a kind of language package; none for kinds of distributions.
pub(super) fn language_updater(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "pypi" => "osv/pypi",
        "maven" => "osv/maven",
        "golang" => "osv/go",
        "gem" => "osv/rubygems",
        "npm" => "osv/npm",
        _ => return None,
    })
}

/// Whether an updater that was waited for in vain may have known something of an image that needs `wanted`: it may
/// not where it is known to be another distribution's or another language's.
pub(super) fn may_concern(updater: &str, wanted: &BTreeSet<String>) -> bool {
    const KNOWN: [&str; 10] = [
        "debian/", "ubuntu/", "alpine-", "rhel-vex", "aws-", "oracle-", "suse-", "photon-", "osv/", "clair.",
    ];
    let known = KNOWN.iter().any(|family| updater.starts_with(family));
    !known || wanted.iter().any(|pattern| matches(pattern, updater))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn distribution(did: &str, version: &str, version_id: &str, code_name: &str) -> Distribution {
        Distribution {
            did: did.to_owned(),
            version: version.to_owned(),
            version_id: version_id.to_owned(),
            version_code_name: code_name.to_owned(),
            ..Distribution::default()
        }
    }

    #[test]
    fn each_distribution_has_the_updater_that_claircore_names() {
        for (did, version, version_id, code_name, own) in [
            ("debian", "12 (bookworm)", "12", "bookworm", "debian/updater"),
            ("ubuntu", "22.04 (Jammy)", "22.04", "jammy", "ubuntu/updater/jammy"),
            ("alpine", "3.20", "", "", "alpine-main-v3.20-updater"),
            ("alpine", "edge", "", "", "alpine-main-edge-updater"),
            ("rhel", "9", "9", "", "rhel-vex"),
            ("amzn", "2018.03", "2018.03", "", "aws-AL1-updater"),
            ("amzn", "2", "2", "", "aws-AL2-updater"),
            ("amzn", "2023", "2023", "", "aws-AL2023-updater"),
            ("ol", "9", "9", "", "oracle-*-updater"),
            ("sles", "15", "15", "", "suse-updater-suse.linux.enterprise.server.15"),
            ("opensuse-leap", "15.5", "15.5", "", "suse-updater-opensuse.leap.15.5"),
            ("photon", "3.0", "3.0", "", "photon-updater-photon3"),
        ] {
            let found = updaters(&distribution(did, version, version_id, code_name)).unwrap();
            assert_eq!(found.own, own, "{did} {version}");
        }
        let alpine = updaters(&distribution("alpine", "3.20", "", "")).unwrap();
        assert_eq!(alpine.besides.as_deref(), Some("alpine-community-v3.20-updater"));
        for did in ["rocky", "almalinux", "fedora", "wolfi", ""] {
            assert_eq!(updaters(&distribution(did, "9", "9", "")), None, "{did}");
        }
    }

    #[test]
    fn a_release_of_debian_that_its_tracker_does_not_list_is_not_certain() {
        for version_id in ["12", "13"] {
            assert!(is_certain(&distribution("debian", "", version_id, "")), "{version_id}");
        }
        for version_id in ["", "8", "9", "10", "11", "14", "99"] {
            assert!(!is_certain(&distribution("debian", "", version_id, "")), "{version_id}");
        }
        assert!(is_certain(&distribution("ubuntu", "", "14.04", "trusty")), "its updater is of this release");
    }

    #[test]
    fn oracles_years_have_no_holes_up_to_the_last_that_has_ended() {
        let missing = |date: &str, updaters: &mut dyn Iterator<Item = String>| {
            let list = |name| (name, json!([{"ref": "11111111-1111-4111-8111-111111111111", "date": date}]));
            let lists: serde_json::Map<_, _> = updaters.map(list).collect();
            missing_years(&serde_json::from_value(lists.into()).unwrap())
        };
        const NOW: &str = "2026-07-24T10:00:00Z";
        let without = |years: &[u16]| {
            let there: Vec<u16> = (2007..=2026).filter(|year| !years.contains(year)).collect();
            missing(NOW, &mut there.into_iter().map(|year| format!("oracle-{year}-updater")))
        };
        assert_eq!(without(&[]), [""; 0]);
        assert_eq!(without(&[2007, 2019]), ["oracle-2007-updater", "oracle-2019-updater"]);
        assert_eq!(without(&[2026]), [""; 0], "this year's may not be published yet");
        assert_eq!(without(&[2025, 2026]), ["oracle-2025-updater"]);
        assert_eq!(without(&(2010..=2026).collect::<Vec<_>>()).len(), 16, "2010 to 2025");
        let of_2009 = "oracle-2009-updater".to_owned();
        assert_eq!(missing("2008-01-01T00:00:00Z", &mut [of_2009.clone()].into_iter()).len(), 2);
        assert_eq!(missing(NOW, &mut [of_2009, ORACLE_ALL.to_owned()].into_iter()), [""; 0]);
    }

    #[test]
    fn a_missing_updater_of_another_distribution_is_no_loss() {
        let wanted: BTreeSet<String> = ["debian/updater", "osv/pypi"].map(str::to_owned).into();
        assert!(may_concern("osv/pypi", &wanted));
        assert!(!may_concern("alpine-main-v3.20-updater", &wanted));
        assert!(!may_concern("osv/go", &wanted));
        assert!(may_concern("our-own-updater", &wanted), "nobody knows whose it is");
    }
}
