//! When distributions stop looking after a release: what becomes known afterwards is in no advisory of theirs.

use crate::advisory::{Database, Ecosystem};

/// Releases and the last day of their free security support, long-term support included.
///
/// Debian and Ubuntu: distro-info-data. Alpine: alpinelinux.org/releases. openSUSE: en.opensuse.org/Lifetime. SUSE:
/// suse.com/lifecycle, general support. Red Hat, AlmaLinux, Rocky Linux: their life-cycle pages.
const ENDS: &[(&str, &str)] = &[
    ("Debian:7", "2018-05-31"),
    ("Debian:8", "2020-06-30"),
    ("Debian:9", "2022-06-30"),
    ("Debian:10", "2024-06-30"),
    ("Debian:11", "2026-08-31"),
    ("Debian:12", "2028-06-30"),
    ("Debian:13", "2030-06-30"),
    ("Ubuntu:14.04:LTS", "2019-04-25"),
    ("Ubuntu:16.04:LTS", "2021-04-30"),
    ("Ubuntu:18.04:LTS", "2023-05-31"),
    ("Ubuntu:20.04:LTS", "2025-05-29"),
    ("Ubuntu:22.04:LTS", "2027-06-01"),
    ("Ubuntu:22.10", "2023-07-20"),
    ("Ubuntu:23.04", "2024-01-25"),
    ("Ubuntu:23.10", "2024-07-11"),
    ("Ubuntu:24.04:LTS", "2029-05-31"),
    ("Ubuntu:24.10", "2025-07-10"),
    ("Ubuntu:25.04", "2026-01-15"),
    ("Ubuntu:25.10", "2026-07-09"),
    ("Ubuntu:26.04:LTS", "2031-05-29"),
    ("Alpine:v3.10", "2021-05-01"),
    ("Alpine:v3.11", "2021-11-01"),
    ("Alpine:v3.12", "2022-05-01"),
    ("Alpine:v3.13", "2022-11-01"),
    ("Alpine:v3.14", "2023-05-01"),
    ("Alpine:v3.15", "2023-11-01"),
    ("Alpine:v3.16", "2024-05-23"),
    ("Alpine:v3.17", "2024-11-22"),
    ("Alpine:v3.18", "2025-05-09"),
    ("Alpine:v3.19", "2025-11-01"),
    ("Alpine:v3.20", "2026-04-01"),
    ("Alpine:v3.21", "2026-11-01"),
    ("Alpine:v3.22", "2027-05-01"),
    ("Red Hat:enterprise_linux:6", "2020-11-30"),
    ("Red Hat:enterprise_linux:7", "2024-06-30"),
    ("Red Hat:enterprise_linux:8", "2029-05-31"),
    ("AlmaLinux:8", "2029-03-01"),
    ("Rocky Linux:8", "2029-05-31"),
    ("openSUSE:Leap 15.3", "2022-12-31"),
    ("openSUSE:Leap 15.4", "2023-12-07"),
    ("openSUSE:Leap 15.5", "2024-12-31"),
    ("openSUSE:Leap 15.6", "2026-04-30"),
    ("SUSE:Linux Enterprise Server 12 SP5", "2024-10-31"),
    ("SUSE:Linux Enterprise Server 15 SP3", "2022-12-31"),
    ("SUSE:Linux Enterprise Server 15 SP4", "2023-12-31"),
    ("SUSE:Linux Enterprise Server 15 SP5", "2024-12-31"),
    ("SUSE:Linux Enterprise Server 15 SP6", "2025-12-31"),
];

/// The last day of a release's support, where it lies behind the newest advisory that the database has of the same
/// distribution, whatever release that speaks of. Nothing else tells the time here.
pub(super) fn ended(ecosystem: &Ecosystem, database: &Database) -> Option<&'static str> {
    let (_, end) = ENDS.iter().find(|(name, _)| *name == ecosystem.name)?;
    let of_distribution =
        database.info().ecosystems.iter().filter(|(name, _)| {
            Ecosystem::parse(name).is_some_and(|other| other.export() == ecosystem.export())
        });
    let newest = of_distribution.filter_map(|(_, stats)| stats.last_changed.as_deref()).max()?;
    // Both are dates of one form, which sort as text; the last day still counts.
    newest.get(..end.len()).is_some_and(|newest| newest > *end).then_some(*end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_is_one_that_is_matched_and_every_end_a_date() {
        for (name, end) in ENDS {
            assert_eq!(Ecosystem::parse(name).unwrap().name, *name);
            let is_digit = |at: usize| end.as_bytes()[at].is_ascii_digit();
            assert!(end.len() == 10 && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(is_digit), "{name}: {end}");
        }
    }
}
