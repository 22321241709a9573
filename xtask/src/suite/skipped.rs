//! Which tests may be skipped, why, and what provides what they need.

use std::io::Write;
use std::path::Path;

use serde::Deserialize;

/// The committed lists; each test binary that skips anything has one.
const FILES: [&str; 5] = [
    "tests/conformance/may-be-ignored.toml",
    "tests/packaging/may-be-ignored.toml",
    "tests/scenarios/may-be-ignored.toml",
    "tests/terraform/may-be-ignored.toml",
    "xtask/deploy/tests/may-be-ignored.toml",
];

/// Tests that may be skipped. Any other skipped test fails the run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipList {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The test's name, or its beginning and `*`.
    rows: String,
    why: String,
    /// What provides what the test needs.
    command: String,
}

impl Entry {
    fn covers(&self, test: &str) -> bool {
        self.rows.strip_suffix('*').map_or(self.rows == test, |start| test.starts_with(start))
    }
}

impl SkipList {
    /// Reads the lists; an absent one is empty.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let mut all = Self::default();
        for file in FILES {
            match std::fs::read_to_string(root.join(file)) {
                Ok(text) => {
                    let list: Self = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
                    all.entry.extend(list.entry);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{file} cannot be read: {error}")),
            }
        }
        Ok(all)
    }

    /// Prints the skipped tests, entry by entry of the lists; answers those that are on none.
    pub(super) fn explain(
        &self,
        ignored: &[(String, Option<String>)],
        out: &mut impl Write,
    ) -> std::io::Result<Vec<String>> {
        for entry in &self.entry {
            let skipped: Vec<_> = ignored.iter().filter(|(name, _)| entry.covers(name)).collect();
            if !skipped.is_empty() {
                let Entry { rows, why, command } = entry;
                writeln!(
                    out,
                    "\nskipped ({}): {rows}\n  because: {why}\n  to run it: {command}",
                    skipped.len()
                )?;
            }
            for (name, seen) in skipped {
                let seen = seen.as_ref().map(|seen| format!(": {seen}")).unwrap_or_default();
                writeln!(out, "    {name}{seen}")?;
            }
        }
        let listed = |name: &str| self.entry.iter().any(|entry| entry.covers(name));
        Ok(ignored.iter().filter(|(name, _)| !listed(name)).map(|(name, _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(ignored: &[&str]) -> (String, Vec<String>) {
        let text = "[[entry]]\nrows = \"queue::sqs::*\"\nwhy = \"an endpoint\"\ncommand = \"raise it\"";
        let list: SkipList = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let ignored: Vec<_> = ignored.iter().map(|name| ((*name).to_owned(), None)).collect();
        let mut out = Vec::new();
        let left = list.explain(&ignored, &mut out).unwrap_or_else(|error| panic!("{error}"));
        (String::from_utf8_lossy(&out).into_owned(), left)
    }

    #[test]
    fn a_listed_test_is_shown_with_its_reason_and_remedy() {
        let (out, left) = explained(&["queue::sqs::Q1"]);
        assert!(left.is_empty());
        for part in ["queue::sqs::Q1", "an endpoint", "raise it"] {
            assert!(out.contains(part), "{out}");
        }
    }

    #[test]
    fn a_test_that_is_not_on_the_list_may_not_be_skipped() {
        assert_eq!(explained(&["queue::sqlite::Q1"]).1, ["queue::sqlite::Q1"]);
    }
}
