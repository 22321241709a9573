//! What may break a rule, and why: `xtask/tidy.toml`. An exception that nothing needs any more is itself a violation.

use serde::Deserialize;

use super::Violation;
use crate::tree::Tree;

pub(super) const FILE: &str = "xtask/tidy.toml";
pub(super) const STALE: &str = "stale-exception";

/// The committed settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Words that stand in no file.
    pub(super) forbidden_words: Vec<String>,
    #[serde(default, rename = "exception")]
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    rule: String,
    path: String,
    /// The one thing that is excused; everything where it is not given.
    subject: Option<String>,
    /// The bound that holds instead; none at all where it is not given.
    at_most: Option<usize>,
    reason: String,
}

impl Exception {
    fn covers(&self, violation: &Violation) -> bool {
        self.rule == violation.rule
            && self.path == violation.path
            && self.subject.as_ref().is_none_or(|subject| *subject == violation.subject)
            && self.at_most.is_none_or(|most| violation.measure <= most)
    }
}

impl Settings {
    pub(super) fn read(tree: &Tree) -> Result<Self, String> {
        let text = tree.text(FILE).ok_or_else(|| format!("{FILE} is missing"))?;
        toml::from_str(text).map_err(|error| format!("{FILE}: {error}"))
    }

    /// What is left of `found`, with a violation for each exception that excuses nothing or gives no reason.
    pub(super) fn excuse(&self, found: Vec<Violation>) -> Vec<Violation> {
        let idle = self.exceptions.iter().filter_map(|exception| {
            let Exception { rule, path, reason, .. } = exception;
            let problem = if reason.trim().is_empty() {
                "gives no reason"
            } else if found.iter().any(|violation| exception.covers(violation)) {
                return None;
            } else {
                "excuses nothing any more: remove it"
            };
            Some(Violation::new(STALE, FILE, format!("the exception of `{path}` from `{rule}` {problem}")))
        });
        let idle: Vec<Violation> = idle.collect();
        let covered =
            |violation: &Violation| self.exceptions.iter().any(|exception| exception.covers(violation));
        found.into_iter().filter(|violation| !covered(violation)).chain(idle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(exception: &str) -> Settings {
        let text = format!(
            "forbidden_words = []\n[[exception]]\nrule = \"file-lines\"\npath = \"a.rs\"\n{exception}"
        );
        toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn long(lines: usize) -> Vec<Violation> {
        vec![Violation::new("file-lines", "a.rs", "too long").measure(lines)]
    }

    #[test]
    fn an_exception_excuses_up_to_its_own_bound() {
        let settings = settings("at_most = 320\nreason = \"r\"");
        assert!(settings.excuse(long(320)).is_empty());
        let left = settings.excuse(long(321));
        assert_eq!(left.iter().map(|violation| violation.rule).collect::<Vec<_>>(), ["file-lines", STALE]);
    }

    #[test]
    fn an_exception_that_is_no_longer_needed_fails() {
        let left = settings("reason = \"r\"").excuse(vec![]);
        assert_eq!(left.first().map(|violation| violation.rule), Some(STALE));
    }

    #[test]
    fn an_exception_without_a_reason_fails() {
        let left = settings("reason = \" \"").excuse(long(301));
        assert_eq!(left.first().map(|violation| violation.rule), Some(STALE));
    }

    #[test]
    fn an_exception_of_one_subject_excuses_no_other() {
        let settings = settings("subject = \"x\"\nreason = \"r\"");
        let other = vec![long(301).remove(0).subject("x"), long(301).remove(0).subject("y")];
        let left = settings.excuse(other);
        assert_eq!(left.iter().map(|violation| violation.subject.as_str()).collect::<Vec<_>>(), ["y"]);
    }
}
