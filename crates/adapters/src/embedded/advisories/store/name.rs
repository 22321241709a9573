//! What a generation of advisories is called: its file, and the cursor that stands for it.

use cve_monitor_core::ports::Cursor;
use cve_monitor_scanner::advisory::{Database, Parent};

const PREFIX: &str = "advisories-";
const SUFFIX: &str = ".sqlite";
const HASH_DIGITS: usize = 64;

/// The name of a database file as the compiler of advisories writes it: its generation and its content's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    /// As the file itself counts.
    pub(super) generation: u64,
    hash: String,
}

impl FileName {
    pub(super) fn of(database: &Database) -> Self {
        Self { generation: database.generation(), hash: hash(database.id()) }
    }

    pub(super) fn of_parent(parent: &Parent) -> Self {
        Self { generation: parent.generation, hash: hash(&parent.id) }
    }

    /// None where no database has this name: so that nothing but a file of the folder itself can be named.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::from_parts(name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?)
    }

    /// The state that a cursor names, in a line of databases before which there were so many generations.
    pub(super) fn from_cursor(cursor: &Cursor, before: u64) -> Option<Self> {
        let name = Self::from_parts(&cursor.0)?;
        // Another line's states end where this one begins.
        let generation = name.generation.checked_sub(before).filter(|generation| *generation > 0)?;
        Some(Self { generation, ..name })
    }

    pub(super) fn cursor(&self, before: u64) -> Cursor {
        Cursor(format!("{}-{}", before + self.generation, self.hash))
    }

    fn from_parts(text: &str) -> Option<Self> {
        let (generation, hash) = text.split_once('-')?;
        let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|b| b.is_ascii_hexdigit());
        let is_number = !generation.is_empty() && generation.bytes().all(|b| b.is_ascii_digit());
        (is_hash && is_number).then_some(())?;
        Some(Self { generation: generation.parse().ok()?, hash: hash.to_owned() })
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{:010}-{}{SUFFIX}", self.generation, self.hash)
    }
}

fn hash(id: &str) -> String {
    id.trim_start_matches("sha256:").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_outside_the_folder_is_one() {
        let hash = "0a".repeat(32);
        let text = format!("advisories-0000000012-{hash}.sqlite");
        let name = FileName::parse(&text).unwrap();
        assert_eq!((name.generation, name.to_string()), (12, text));
        for other in ["", "CURRENT", "../x", "advisories-1-../../x.sqlite", "advisories-+1-.sqlite"] {
            assert_eq!(FileName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_cursor_counts_the_generations_of_earlier_lines() {
        let name = FileName { generation: 3, hash: "0a".repeat(32) };
        let cursor = name.cursor(40);
        assert!(cursor.0.starts_with("43-"), "{cursor:?}");
        assert_eq!(FileName::from_cursor(&cursor, 40), Some(name));
        assert_eq!(FileName::from_cursor(&cursor, 43), None);
    }
}
