//! An advisory of a diff: what of it can change an assessment, and what is text.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// What says nothing about which packages are affected, how badly, or what repairs them; `id` is the number of a row.
const TEXT: [&str; 5] = ["description", "id", "issued", "links", "updater"];
/// Repositories of packages whose advisories say in `fixed_in_version` all that their matchers ask.
const VERSIONED_REPOSITORIES: [&str; 3] = ["maven", "pypi", "rubygems"];
/// The key of Red Hat's repositories: the same.
const RED_HAT_KEY: &str = "rhel-cpe-repository";

/// Identifies what an advisory says: the beginning of a hash, in bytes.
pub(super) type Key = [u8; 16];

/// An advisory as claircore's `Vulnerability` writes itself; members that this program does not know are kept.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Advisory(Map<String, Value>);

impl Advisory {
    /// Reads the bytes of an entry.
    pub(in super::super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let read = serde_json::from_slice(bytes).map_err(|error| {
            // Where, and of what kind; the parser's own words may quote content.
            format!("an entry is no advisory: {:?} in column {}", error.classify(), error.column())
        })?;
        Ok(Self(read))
    }

    /// A text in its `package`, `distribution` or `repository`; empty where there is none.
    pub(in super::super) fn of(&self, object: &str, name: &str) -> &str {
        let member = self.0.get(object).and_then(|object| object.get(name));
        member.and_then(Value::as_str).unwrap_or_default()
    }

    /// All members.
    pub(in super::super) fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// What it says, without its text. Two advisories with the same key are told apart by nothing that an assessment
    /// depends on.
    ///
    /// Clair leaves the range of affected versions out of its diffs. Where matchers look at it, an advisory of which
    /// only the range was edited looks like one of which only the text was: then each row is its own, and none
    /// cancels another out.
    pub(super) fn key(&self) -> Key {
        let mut said = self.0.clone();
        if self.has_no_hidden_range() {
            for name in TEXT {
                said.remove(name);
            }
        }
        let hash = Sha256::digest(Value::Object(said).to_string());
        let mut key = Key::default();
        key.copy_from_slice(&hash[..16]);
        key
    }

    fn has_no_hidden_range(&self) -> bool {
        let (name, key) = (self.of("repository", "name"), self.of("repository", "key"));
        let of_a_distribution =
            name.is_empty() && key.is_empty() && !self.of("distribution", "did").is_empty();
        of_a_distribution || key == RED_HAT_KEY || VERSIONED_REPOSITORIES.contains(&name)
    }
}
