//! Whose word counts where several sources speak of one record.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use crate::advisory::ecosystem::Ecosystem;

/// 128 bits of an id's hash: a set of them is a tenth of a set of the ids.
pub(super) type IdHash = [u8; 16];

/// What a source speaks for that is taken whole: no ecosystem is called so.
const WHOLE: &str = "";

/// The sources are read from the last to the first: what one says is said.
///
/// An export of one ecosystem speaks for that one alone. Its records name packages of others too, but only as many as
/// happen to share a flaw with one of its own: taken for all that is known of the others, they would call images clean
/// that nobody looked at. A folder or an archive speaks for all that it holds.
#[derive(Debug, Default)]
pub(super) struct Precedence {
    /// What the source that is read speaks for.
    speaks_for: String,
    here: HashSet<IdHash>,
    before: BTreeMap<String, HashSet<IdHash>>,
}

/// Whether what a source says of an ecosystem counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Counts,
    /// A later source has said it.
    Overridden,
    /// The source does not speak for this ecosystem.
    NotItsOwn,
}

impl Precedence {
    /// What follows is of another source, which yields to those before it.
    pub(super) fn begin(&mut self, only: Option<&str>) {
        let said = self.before.entry(std::mem::take(&mut self.speaks_for)).or_default();
        said.extend(self.here.drain());
        self.speaks_for = match only {
            None => WHOLE.to_owned(),
            Some(only) => Ecosystem::parse(only).map_or_else(|| only.to_owned(), |own| own.name),
        };
    }

    /// A record of the source that is read, and whether it is the first one of its id there.
    pub(super) fn note(&mut self, id: &str) -> (IdHash, bool) {
        let hash: [u8; 32] = Sha256::digest(id.as_bytes()).into();
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        (short, self.here.insert(short))
    }

    /// Whether nothing that the source says of this record counts.
    pub(super) fn is_overridden(&self, id: IdHash) -> bool {
        self.is_said(WHOLE, id) || self.is_said(&self.speaks_for, id)
    }

    /// Whether what the source says of an ecosystem counts, in a record that is not overridden as a whole.
    pub(super) fn word(&self, id: IdHash, ecosystem: &Ecosystem) -> Word {
        let own = [ecosystem.export(), &ecosystem.name];
        if self.speaks_for != WHOLE && !own.contains(&self.speaks_for.as_str()) {
            Word::NotItsOwn
        } else if own.into_iter().any(|own| self.is_said(own, id)) {
            Word::Overridden
        } else {
            Word::Counts
        }
    }

    fn is_said(&self, by: &str, id: IdHash) -> bool {
        self.before.get(by).is_some_and(|said| said.contains(&id))
    }
}
