//! Which repositories of a registry are looked at: by name, by pattern, or all of its catalogue.

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::RepositoryName;

/// Repositories by name and by pattern. Names need no catalogue, which many registries do not offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepositorySelection {
    names: BTreeSet<RepositoryName>,
    patterns: Vec<String>,
}

impl RepositorySelection {
    /// Every repository of the catalogue.
    #[must_use]
    pub fn catalogue() -> Self {
        Self { names: BTreeSet::new(), patterns: vec!["**".to_owned()] }
    }

    /// Out of names and patterns: `*` and `?` stay within a part of a name, `**` does not. No entry selects nothing.
    ///
    /// # Errors
    /// Names the entry that is neither a repository's name nor a pattern.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut selection = Self::default();
        for entry in entries {
            if entry.contains(['*', '?']) {
                // What is not a wildcard has to be able to stand in a name, or the pattern can never match.
                let plain = entry.replace(['*', '?'], "a");
                plain.parse::<RepositoryName>().map_err(|e| format!("the pattern `{entry}`: {e}"))?;
                selection.patterns.push(entry.to_owned());
            } else {
                selection.names.insert(entry.parse::<RepositoryName>().map_err(|e| e.to_string())?);
            }
        }
        Ok(selection)
    }

    /// Whether the catalogue has to be read.
    pub(super) fn needs_catalogue(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The repositories that are selected by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &RepositoryName> {
        self.names.iter()
    }

    /// Whether a pattern selects a repository of the catalogue.
    pub(super) fn matches(&self, name: &RepositoryName) -> bool {
        self.patterns.iter().any(|pattern| glob(pattern.as_bytes(), name.as_str().as_bytes()))
    }
}

/// Matches with one position to go back to for each kind of star: time is at most the product of the lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // `reached[i]`: the pattern up to here matches the first `i` bytes of the text.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((&symbol, after)) = rest.split_first() {
        let deep = symbol == b'*' && after.first() == Some(&b'*');
        let mut next = vec![false; text.len() + 1];
        for i in 0..=text.len() {
            next[i] = match symbol {
                b'*' => reached[i] || (i > 0 && next[i - 1] && (deep || text[i - 1] != b'/')),
                b'?' => i > 0 && reached[i - 1] && text[i - 1] != b'/',
                byte => i > 0 && reached[i - 1] && text[i - 1] == byte,
            };
        }
        reached = next;
        rest = if deep { after.get(1..).unwrap_or_default() } else { after };
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_part_and_double_stars_do_not() {
        for (pattern, text, expected) in [
            ("team/*", "team/app", true),
            ("team/*", "team/app/web", false),
            ("team/**", "team/app/web", true),
            ("**", "a/b/c", true),
            ("**/web", "a/b/web", true),
            ("**/web", "web", false),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("*a*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_list_of_names_needs_no_catalogue() {
        assert!(!RepositorySelection::of(["a/b", "c"]).unwrap().needs_catalogue());
        assert!(RepositorySelection::of(["a/b", "c/*"]).unwrap().needs_catalogue());
        assert!(RepositorySelection::catalogue().needs_catalogue());
        for bad in ["UPPER", "UPPER/*", "a b*", ""] {
            assert!(RepositorySelection::of([bad]).is_err(), "{bad}");
        }
    }
}
