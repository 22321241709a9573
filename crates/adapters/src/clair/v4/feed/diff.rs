//! What an operation changed, out of Clair's `update_diff`: read as a stream, and of each advisory that changed in more
//! than its text where the images are found that it may concern.
//!
//! A changed advisory comes as one that is removed and one that is added. Two that say the same but for their text
//! cancel each other out (N3).

mod entry;
mod splitter;
#[cfg(feature = "testkit")]
pub(in crate::clair::v4) mod testkit;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeSet, HashMap};

use cve_monitor_core::vocabulary::LayerKey;
use futures::StreamExt as _;

pub(super) use self::entry::Advisory;
use self::splitter::{Side, SplitError, Splitter};
use super::super::super::http::{BodyStream, HttpError};
use super::super::keys::any_package_key;
use super::reverse::{Lookup, Question};

/// The most entries of a diff that is followed, both lists together. What changes more than this is a new database,
/// and concerns everything.
const MAX_ENTRIES: usize = 200_000;
/// The most bytes that the questions and keys of a diff may have together: some 40 000 questions.
const MAX_LOOKUP_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a diff that are read: as many as its entries have where each is of 40 KB, which few are.
const MAX_DIFF_BYTES: u64 = 8 << 30;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// What to ask the indexer, each once.
    pub(super) questions: Vec<Question>,
    /// What to look up in the layer index.
    pub(super) keys: BTreeSet<LayerKey>,
    /// Whether something changed of which nobody can tell what it concerns.
    pub(super) unknown: bool,
}

/// Why a diff cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiffError {
    /// The stream broke off.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It is no diff, or not all of one.
    #[error("the answer to update_diff cannot be read: {0}")]
    Unreadable(String),
    /// It is longer than anything that is worth following.
    #[error("the diff is too large: {0}")]
    TooLarge(String),
}

impl From<SplitError> for DiffError {
    fn from(error: SplitError) -> Self {
        match error {
            SplitError::TooLong => Self::TooLarge(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

/// How much of a diff is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: u64,
    entries: usize,
    lookup_bytes: usize,
}

const LIMITS: Limits = Limits { bytes: MAX_DIFF_BYTES, entries: MAX_ENTRIES, lookup_bytes: MAX_LOOKUP_BYTES };

/// Reads a diff to its end.
pub(super) async fn read(body: BodyStream) -> Result<Changes, DiffError> {
    read_within(body, LIMITS).await
}

async fn read_within(mut body: BodyStream, limits: Limits) -> Result<Changes, DiffError> {
    let (mut splitter, mut tally) = (Splitter::default(), Tally::new(limits));
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        // What stands beside its entries counts too: nothing else ends it.
        bytes += chunk.len() as u64;
        if bytes > limits.bytes {
            return Err(DiffError::TooLarge(format!("it has more than {} bytes", limits.bytes)));
        }
        splitter.take(&chunk, |side, bytes| tally.count(side, bytes))?;
    }
    splitter.end()?;
    Ok(tally.changes())
}

/// Pairs the two lists off while they arrive.
#[derive(Debug)]
struct Tally {
    limits: Limits,
    entries: usize,
    lookup_bytes: usize,
    /// How often an advisory stands among the added, less how often among the removed; and the number of its look-up.
    advisories: HashMap<entry::Key, (i64, usize)>,
    lookups: HashMap<Lookup, usize>,
}

impl Tally {
    fn new(limits: Limits) -> Self {
        Self { limits, entries: 0, lookup_bytes: 0, advisories: HashMap::new(), lookups: HashMap::new() }
    }

    fn count(&mut self, side: Side, bytes: &[u8]) -> Result<(), DiffError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(DiffError::TooLarge(format!("it has more than {} entries", self.limits.entries)));
        }
        let advisory = Advisory::read(bytes).map_err(DiffError::Unreadable)?;
        let by = match side {
            Side::Added => 1,
            Side::Removed => -1,
        };
        let key = advisory.key();
        if let Slot::Occupied(mut known) = self.advisories.entry(key) {
            known.get_mut().0 += by;
            return Ok(());
        }
        let lookup = self.intern(Lookup::of(&advisory))?;
        self.advisories.insert(key, (by, lookup));
        Ok(())
    }

    /// Advisories about the same packages are looked up once.
    fn intern(&mut self, lookup: Lookup) -> Result<usize, DiffError> {
        let (number, bytes) = (self.lookups.len(), lookup.bytes());
        match self.lookups.entry(lookup) {
            Slot::Occupied(known) => Ok(*known.get()),
            Slot::Vacant(new) => {
                self.lookup_bytes += bytes;
                if self.lookup_bytes > self.limits.lookup_bytes {
                    let why = format!("what it concerns has more than {} bytes", self.limits.lookup_bytes);
                    return Err(DiffError::TooLarge(why));
                }
                Ok(*new.insert(number))
            }
        }
    }

    fn changes(self) -> Changes {
        let mut is_changed = vec![false; self.lookups.len()];
        for (net, lookup) in self.advisories.into_values() {
            is_changed[lookup] |= net != 0;
        }
        let mut lookups: Vec<(usize, Lookup)> = self
            .lookups
            .into_iter()
            .filter(|(_, number)| is_changed[*number])
            .map(|(lookup, number)| (number, lookup))
            .collect();
        lookups.sort_unstable_by_key(|(number, _)| *number);
        let mut changes = Changes::default();
        for (_, lookup) in lookups {
            match lookup {
                Lookup::Ask(question) => changes.questions.push(question),
                Lookup::Own { ecosystem, key } => {
                    changes.keys.extend([key, any_package_key(&ecosystem)]);
                }
                Lookup::Unknown => changes.unknown = true,
            }
        }
        changes
    }
}
