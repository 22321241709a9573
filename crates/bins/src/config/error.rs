//! What is wrong with a configuration: everything at once, each with its place and its remedy.

use std::fmt;

use super::keys::keys;

/// How alike two names are at least, from 0 to 1, for one to be suggested in place of the other.
const SUGGEST_FROM: f64 = 0.8;

/// All problems of a configuration; written one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    /// Out of at least one problem.
    pub(super) fn of(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// Each problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl From<String> for ConfigError {
    fn from(problem: String) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// "; did you mean `store.path`?" for a key that is nearly one, else where the keys are listed.
pub(super) fn suggest_key(unknown: &str) -> String {
    let sections = keys().filter_map(|key| key.key.split(['.', '[']).next());
    nearest(unknown, keys().map(|key| key.key).chain(sections))
        .map_or_else(|| "; the keys are listed in docs/config.md".to_owned(), did_you_mean)
}

/// The same for variables.
pub(super) fn suggest_variable(unknown: &str) -> String {
    let variables: Vec<String> = keys().filter_map(super::keys::Key::variable).collect();
    nearest(unknown, variables.iter().map(String::as_str)).map_or_else(
        || "; unset it, or give another program's variable another name".to_owned(),
        did_you_mean,
    )
}

fn did_you_mean(name: &str) -> String {
    format!("; did you mean `{name}`?")
}

fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |name: &&str| strsim::normalized_damerau_levenshtein(unknown, name);
    let best = known.max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(&best) >= SUGGEST_FROM || own_name(best) == own_name(unknown)).then_some(best)
}

/// The last part of a key: the right name in the wrong section is worth a suggestion too.
fn own_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_a_key_is_suggested() {
        for (unknown, expected) in [
            ("stroe.path", "did you mean `store.path`?"),
            ("registry[].pasword_file", "did you mean `registry[].password_file`?"),
            ("registri", "did you mean `registry`?"),
            ("main.lists_per_second", "did you mean `reconcile.lists_per_second`?"),
            ("zebra", "docs/config.md"),
        ] {
            assert!(suggest_key(unknown).contains(expected), "{unknown}: {}", suggest_key(unknown));
        }
        assert!(suggest_variable("CVE_MONITOR_STORE_PTH").contains("`CVE_MONITOR_STORE_PATH`"));
        assert!(suggest_variable("CVE_MONITOR_Q").contains("unset it"));
    }
}
