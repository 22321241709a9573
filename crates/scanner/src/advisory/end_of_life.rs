//! When distributions stop looking after a release: what becomes known afterwards is in no advisory of theirs.

mod ends;

use std::collections::BTreeSet;

use self::ends::ENDS;
use super::{Database, Ecosystem};

/// How many records of a distribution may claim a day that has not come.
const MAX_WRONG_STAMPS: usize = 4;
/// Of so few records, or fewer, only a third may.
const STAMPS: usize = 3 * MAX_WRONG_STAMPS;

/// The last day of a release's support, where the advisories of its distribution, whatever release they speak of, have gone
/// on beyond it. Nothing else tells the time here. A release that is older than all that are listed ended before them.
pub(crate) fn ended(ecosystem: &Ecosystem, database: &Database) -> Option<&'static str> {
    let end = end(&ecosystem.name)?;
    let today = database.info().days.get(ecosystem.export())?;
    // Both are days of one form, which sort as text; the last day still counts.
    (today.as_str() > end).then_some(end)
}

fn end(name: &str) -> Option<&'static str> {
    if let Some((_, end)) = ENDS.iter().find(|(listed, _)| *listed == name) {
        return Some(end);
    }
    let (line, release) = release(name)?;
    let listed = ENDS.iter().filter_map(|(listed, end)| Some((self::release(listed)?, end)));
    let (oldest, end) = listed.filter(|((of, _), _)| *of == line).min()?;
    (release < oldest.1).then_some(end)
}

/// What precedes the numbers of a release in its name, and the numbers.
fn release(name: &str) -> Option<(&str, Vec<u32>)> {
    let (line, _) = name.split_at(name.find(|character: char| character.is_ascii_digit())?);
    let numbers = name.split(|character: char| !character.is_ascii_digit()).filter(|text| !text.is_empty());
    Some((line, numbers.map(|text| text.parse().ok()).collect::<Option<_>>()?))
}

/// The newest days that records of one distribution claim.
#[derive(Debug, Default)]
pub(super) struct Stamps(BTreeSet<(String, String)>);

impl Stamps {
    /// Takes a record's stamp in; one that begins with no day says nothing.
    pub(super) fn add(&mut self, record: &str, stamp: &str) {
        let Some(day) = stamp.get(..10).filter(|day| is_day(day)) else { return };
        let is_older = |(oldest, _): &(String, String)| day < oldest.as_str();
        if self.0.len() == STAMPS && self.0.first().is_some_and(is_older) {
            return;
        }
        self.0.insert((day.to_owned(), record.to_owned()));
        if self.0.len() > STAMPS {
            self.0.pop_first();
        }
    }

    /// The day that the distribution has reached: the newest, without those that may be wrong.
    pub(super) fn day(&self) -> Option<&str> {
        self.0.iter().rev().nth(self.0.len() / 3).map(|(day, _)| day.as_str())
    }
}

fn is_day(text: &str) -> bool {
    let is_right =
        |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_is_one_that_is_matched_and_every_end_a_day() {
        for (name, end) in ENDS {
            assert_eq!(Ecosystem::parse(name).unwrap().name, *name);
            assert!(release(name).is_some() && is_day(end), "{name}: {end}");
        }
    }

    #[test]
    fn a_release_below_the_oldest_that_is_listed_has_ended() {
        for (name, expected) in [
            ("Debian:3", Some("2010-02-15")),
            ("Debian:14", None),
            ("Ubuntu:10.04:LTS", Some("2017-04-28")),
            ("Ubuntu:13.10", Some("2014-07-17")),
            ("Ubuntu:26.10", None),
            ("Alpine:v2.7", Some("2016-05-01")),
            ("Alpine:v3.9", Some("2020-11-01")),
            ("Alpine:v3.99", None),
            ("Red Hat:enterprise_linux:5", Some("2020-11-30")),
            ("openSUSE:Leap 42.3", Some("2019-07-01")),
            ("openSUSE:Tumbleweed", None),
            ("SUSE:Linux Enterprise Server 10 SP4", Some("2010-12-31")),
            ("SUSE:Linux Enterprise Server 12 SP5", Some("2024-10-31")),
            ("SUSE:Linux Enterprise Server 16.0", None),
            ("SUSE:Linux Enterprise Micro 5.1", None),
            ("Mageia:1", Some("2017-12-31")),
            ("Photon OS:3.0", Some("2025-10-02")),
            ("Azure Linux:2", Some("2025-07-31")),
            ("openEuler:20.03-LTS", Some("2021-03-31")),
            ("Wolfi", None),
            ("Debian:99999999999", None),
        ] {
            assert_eq!(end(name), expected, "{name}");
        }
    }

    #[test]
    fn a_few_stamps_of_the_future_do_not_tell_the_day() {
        let day = |right: usize, wrong: usize| {
            let mut stamps = Stamps::default();
            for record in 0..right {
                stamps.add(&format!("right {record}"), &format!("2026-01-{:02}T00:00:00Z", record % 28 + 1));
            }
            for record in 0..wrong {
                stamps.add(&format!("wrong {record}"), "2099-01-01T00:00:00Z");
            }
            stamps.day().map(str::to_owned)
        };
        assert_eq!(day(0, 0), None);
        assert_eq!(day(2, 0).as_deref(), Some("2026-01-02"), "of two the newest");
        assert_eq!(day(2, 1).as_deref(), Some("2026-01-02"));
        assert_eq!(day(2, 2).as_deref(), Some("2099-01-01"), "half of them");
        assert_eq!(day(28, 4).as_deref(), Some("2026-01-28"));
        assert_eq!(day(28, 5).as_deref(), Some("2099-01-01"));
    }

    #[test]
    fn a_record_counts_once_and_what_is_no_day_not_at_all() {
        let mut stamps = Stamps::default();
        for stamp in
            ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "later", "2026-01-0é", "20260103T000000Z"]
        {
            stamps.add("one", stamp);
        }
        for _ in 0..9 {
            stamps.add("two", "2099-01-01T00:00:00Z");
        }
        assert_eq!(stamps.day(), Some("2026-01-02"));
    }

    #[test]
    fn so_many_days_that_have_not_come_are_seen_through_and_no_more() {
        for (wrong, expected) in [(MAX_WRONG_STAMPS, "2026-01-01"), (MAX_WRONG_STAMPS + 1, "2999-01-01")] {
            let mut stamps = Stamps::default();
            for record in 0..10 * STAMPS {
                stamps.add(&record.to_string(), "2026-01-01T00:00:00Z");
            }
            for record in 0..wrong {
                stamps.add(&format!("wrong {record}"), "2999-01-01T00:00:00Z");
            }
            assert_eq!(stamps.day(), Some(expected), "{wrong}");
        }
    }
}
