//! The committed list of rows that may be ignored.

use serde::Deserialize;

const LIST: &str = include_str!("may-be-ignored.toml");

/// The list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignorable {
    entry: Vec<Entry>,
}

/// Rows that may be ignored, with the reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    rows: String,
    pub(crate) why: String,
    pub(crate) command: String,
}

impl Entry {
    fn covers(&self, row: &str) -> bool {
        match self.rows.strip_suffix('*') {
            Some(beginning) => row.starts_with(beginning),
            None => row == self.rows,
        }
    }
}

impl Ignorable {
    /// The list as committed.
    pub(crate) fn committed() -> Result<Self, String> {
        let list: Self = toml::from_str(LIST).map_err(|e| format!("may-be-ignored.toml: {e}"))?;
        match list.entry.iter().find(|entry| entry.why.is_empty() || entry.command.is_empty()) {
            Some(entry) => Err(format!("may-be-ignored.toml: `{}` lacks a reason or a command", entry.rows)),
            None => Ok(list),
        }
    }

    /// What the list says about a row.
    pub(crate) fn entry(&self, row: &str) -> Option<&Entry> {
        self.entry.iter().find(|entry| entry.covers(row))
    }

    /// Patterns that no row has any more: the list must not outlive what it excuses.
    pub(crate) fn stale<'a>(&'a self, rows: &[String]) -> Vec<&'a str> {
        let unused = self.entry.iter().filter(|entry| !rows.iter().any(|row| entry.covers(row)));
        unused.map(|entry| entry.rows.as_str()).collect()
    }
}
