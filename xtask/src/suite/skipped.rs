//! Which tests may be skipped, why, and what provides what they need.

use std::io::Write;
use std::path::Path;

use serde::Deserialize;

/// The committed list.
pub(super) const FILE: &str = "tests/conformance/may-be-ignored.toml";

/// Tests that may be skipped. Any other skipped test fails the run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipList {
    #[serde(default)]
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The test's name; a `*` at its end stands for any rest.
    name: String,
    reason: String,
    /// What provides what the test needs.
    command: String,
}

impl Row {
    fn names(&self, test: &str) -> bool {
        self.name.strip_suffix('*').map_or(self.name == test, |start| test.starts_with(start))
    }
}

impl SkipList {
    /// Reads the list; an absent one is empty.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(root.join(FILE)) {
            Ok(text) => toml::from_str(&text).map_err(|error| format!("{FILE}: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{FILE} cannot be read: {error}")),
        }
    }

    /// Prints the skipped tests, row by row of the list; answers those that are on none.
    pub(super) fn explain(
        &self,
        ignored: &[(String, Option<String>)],
        out: &mut impl Write,
    ) -> std::io::Result<Vec<String>> {
        for row in &self.row {
            let skipped: Vec<_> = ignored.iter().filter(|(name, _)| row.names(name)).collect();
            if !skipped.is_empty() {
                let Row { name, reason, command } = row;
                writeln!(
                    out,
                    "\nskipped ({}): {name}\n  because: {reason}\n  provide it: {command}",
                    skipped.len()
                )?;
            }
            for (name, _) in skipped {
                writeln!(out, "    {name}")?;
            }
        }
        let listed = |name: &str| self.row.iter().any(|row| row.names(name));
        Ok(ignored.iter().filter(|(name, _)| !listed(name)).map(|(name, _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(ignored: &[&str]) -> (String, Vec<String>) {
        let text = "[[row]]\nname = \"queue/sqs/*\"\nreason = \"an endpoint\"\ncommand = \"raise it\"";
        let list: SkipList = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let ignored: Vec<_> = ignored.iter().map(|name| ((*name).to_owned(), None)).collect();
        let mut out = Vec::new();
        let left = list.explain(&ignored, &mut out).unwrap_or_else(|error| panic!("{error}"));
        (String::from_utf8_lossy(&out).into_owned(), left)
    }

    #[test]
    fn a_listed_test_is_shown_with_its_reason_and_remedy() {
        let (out, left) = explained(&["queue/sqs/Q1"]);
        assert!(left.is_empty());
        for part in ["queue/sqs/Q1", "an endpoint", "raise it"] {
            assert!(out.contains(part), "{out}");
        }
    }

    #[test]
    fn a_test_that_is_not_on_the_list_may_not_be_skipped() {
        assert_eq!(explained(&["queue/sqlite/Q1"]).1, ["queue/sqlite/Q1"]);
    }
}
