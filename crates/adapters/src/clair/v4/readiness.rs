//! Whether Clair's first load is over. Nothing says so outright: the list of update operations names an updater once
//! it has completed for the first time, and a report is 200 from the first of many on.

use std::time::Duration;

use cve_monitor_core::vocabulary::Timestamp;

use super::operations::{Operations, matches};

/// How long to wait for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patience {
    /// The updaters to wait for, by name; a `*` stands for any text. None: all that show themselves.
    pub(super) expected: Vec<String>,
    /// Where none are named: the first load is over when for so long no updater has come for the first time.
    pub(super) period: Duration,
    /// So long after the oldest operation nothing is waited for any more.
    pub(super) deadline: Duration,
}

/// What the list of operations says about the first load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FirstLoad {
    /// It is not over; with what is waited for, for people.
    Running(String),
    /// It is over, but for these expected updaters, which have been given up waiting for.
    Over(Vec<String>),
}

impl Patience {
    /// Whether the first load is over, by all operations that are retained.
    pub(super) fn judge(&self, operations: &Operations, now: Timestamp) -> FirstLoad {
        let dates = |of: fn(&[super::operations::Operation]) -> Option<Timestamp>| {
            operations.updaters().filter_map(move |(_, list)| of(list))
        };
        let oldest =
            |list: &[super::operations::Operation]| list.iter().map(|operation| operation.date).min();
        let Some(began) = dates(oldest).min() else {
            return FirstLoad::Running("none of its updaters has completed yet".to_owned());
        };
        if now.since(began) >= self.deadline {
            return FirstLoad::Over(self.missing(operations));
        }
        if !self.expected.is_empty() {
            let missing = self.missing(operations);
            return if missing.is_empty() {
                FirstLoad::Over(missing)
            } else {
                FirstLoad::Running(format!("these updaters have not completed yet: {}", missing.join(", ")))
            };
        }
        // An updater's oldest operation is its first one, or so old that operations before it have been collected.
        let newcomer = dates(oldest).max().unwrap_or(began);
        if now.since(newcomer) >= self.period {
            return FirstLoad::Over(vec![]);
        }
        let (number, until) = (operations.updaters().count(), newcomer.plus(self.period));
        FirstLoad::Running(format!(
            "{number} updaters have completed; if no other comes, it is ready at {until}"
        ))
    }

    /// The expected updaters that no operation is of.
    pub(super) fn missing(&self, operations: &Operations) -> Vec<String> {
        let has = |pattern: &&String| operations.updaters().any(|(updater, _)| matches(pattern, updater));
        self.expected.iter().filter(|pattern| !has(pattern)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(hour: u32) -> Timestamp {
        format!("2026-07-24T{hour:02}:00:00Z").parse().unwrap()
    }

    /// Updaters with the hours of their operations, newest first.
    fn operations(updaters: &[(&str, &[u32])]) -> Operations {
        let lists = updaters.iter().map(|(updater, hours)| {
            let list = hours.iter().map(|hour| {
                format!(r#"{{"ref":"11111111-1111-4111-8111-{hour:012}","date":"{}"}}"#, at(*hour))
            });
            format!(r#""{updater}":[{}]"#, list.collect::<Vec<_>>().join(","))
        });
        serde_json::from_str(&format!("{{{}}}", lists.collect::<Vec<_>>().join(","))).unwrap()
    }

    fn judge(expected: &[&str], updaters: &[(&str, &[u32])], now: u32) -> Result<Vec<String>, String> {
        let expected = expected.iter().map(|&name| name.to_owned()).collect();
        let patience = Patience { expected, period: 6 * HOUR, deadline: 12 * HOUR };
        match patience.judge(&operations(updaters), at(now)) {
            FirstLoad::Running(why) => Err(why),
            FirstLoad::Over(missing) => Ok(missing),
        }
    }

    #[test]
    fn no_operation_is_never_ready() {
        assert!(judge(&[], &[], 23).is_err());
        assert!(judge(&["debian/updater"], &[], 23).is_err());
    }

    #[test]
    fn expected_updaters_are_waited_for_by_name() {
        let debian = ("debian/updater", &[1][..]);
        assert_eq!(judge(&["debian/updater"], &[debian], 1), Ok(vec![]));
        let error = judge(&["debian/updater", "osv/go"], &[debian], 1).unwrap_err();
        assert!(error.contains("osv/go") && !error.contains("debian"), "{error}");
        assert_eq!(judge(&["debian/*", "osv/go"], &[debian, ("osv/go", &[2])], 2), Ok(vec![]));
    }

    #[test]
    fn a_missing_one_is_named_from_the_deadline_on() {
        let debian = ("debian/updater", &[1][..]);
        assert!(judge(&["debian/updater", "osv/go"], &[debian], 12).is_err());
        assert_eq!(judge(&["debian/updater", "osv/go"], &[debian], 13), Ok(vec!["osv/go".to_owned()]));
    }

    #[test]
    fn unnamed_updaters_are_waited_for_until_none_is_new_for_a_period() {
        let (debian, go) = (("debian/updater", &[1][..]), ("osv/go", &[3][..]));
        assert!(judge(&[], &[debian, go], 8).is_err());
        assert_eq!(judge(&[], &[debian, go], 9), Ok(vec![]));
        assert_eq!(
            judge(&[], &[("debian/updater", &[8, 1]), go], 9),
            Ok(vec![]),
            "a second round is no newcomer"
        );
        assert_eq!(judge(&[], &[debian, go, ("osv/npm", &[12])], 13), Ok(vec![]), "the deadline ends it");
    }
}
