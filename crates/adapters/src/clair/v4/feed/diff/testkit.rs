//! What is made of diffs, as functions of bytes.

use std::collections::BTreeSet;

use bytes::Bytes;
use cve_monitor_core::vocabulary::LayerKey;
use futures::{FutureExt as _, StreamExt as _};

use super::super::reverse::Question;
use super::{Side, SplitError, Splitter, read};

/// What a diff asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The request that asks the indexer all of its questions.
    pub request: Vec<u8>,
    /// What is looked up in the layer index.
    pub keys: BTreeSet<LayerKey>,
    /// Whether something changed of which nobody can tell what it concerns.
    pub unknown: bool,
}

/// An entry: whether it was added (else removed), and its bytes.
pub type Entry = (bool, Vec<u8>);

/// Reads a diff that arrives in chunks of this length, at least one byte; none where it cannot be read.
#[must_use]
pub fn changed(body: &[u8], chunk_bytes: usize) -> Option<Diff> {
    let chunks: Vec<_> =
        body.chunks(chunk_bytes.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    // All chunks are there: nothing is waited for.
    let changes = read(futures::stream::iter(chunks).boxed()).now_or_never()?.ok()?;
    let request = Question::request(&changes.questions);
    Some(Diff { request, keys: changes.keys, unknown: changes.unknown })
}

/// The entries of a diff's two lists, in their order; none where it is no diff.
#[must_use]
pub fn entries(body: &[u8]) -> Option<Vec<Entry>> {
    let (mut splitter, mut found) = (Splitter::default(), vec![]);
    let keep = |side, bytes: &[u8]| {
        found.push((side == Side::Added, bytes.to_vec()));
        Ok(())
    };
    splitter.take::<SplitError>(body, keep).ok()?;
    splitter.end().ok()?;
    Some(found)
}
