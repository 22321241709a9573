//! Files that are read together with one beside them: both are held until the layer's end, since either may come
//! first.

use std::collections::BTreeMap;

use super::capture::{capture, malformed, nothing_of};
use super::{Collector, Content};
use crate::inventory::extractor::{Extracted, Extractor, File};
use crate::layer::{LayerProblem, Member, TarError};

/// Bytes of one layer's files that are held at once.
pub(super) const MAX_HELD_BYTES: usize = 320 << 20;

/// The files that are held, by their paths: of several with one path, the last counts.
#[derive(Debug, Default)]
pub(super) struct HeldFiles {
    files: BTreeMap<String, HeldFile>,
    bytes: usize,
}

#[derive(Debug)]
struct HeldFile {
    extractor: &'static Extractor,
    /// What the name of the file beside has more.
    ending: &'static str,
    /// Where in the record it is named; nowhere for one that belongs to the file beside it.
    node: Option<usize>,
    content: Vec<u8>,
}

impl Collector {
    /// Holds a file of an extractor that reads it together with that whose name has this ending more.
    pub(super) fn hold(
        &mut self,
        path: String,
        member: &Member,
        extractor: &'static Extractor,
        ending: &'static str,
        content: &mut impl Content,
    ) -> Result<(), TarError> {
        let room = self.max_held_bytes.saturating_sub(self.held.bytes);
        let most = extractor.max_bytes.min(self.limits.max_captured_bytes).min(room);
        let file_bytes = usize::try_from(content.remaining()).unwrap_or(usize::MAX).min(most);
        self.stays(self.held.bytes + file_bytes);
        let mut bytes = Vec::new();
        let problem = if member.sparse {
            Some(LayerProblem::SparseDatabase { path: path.clone() })
        } else if capture(content, most, &mut bytes, None)? {
            None
        } else {
            Some(LayerProblem::DatabaseTooLarge { path: path.clone(), limit_bytes: most as u64 })
        };
        if problem.is_some() {
            self.keep(path, &[extractor], Extracted::within(self.room_bytes), problem);
            return Ok(());
        }
        let is_beside = path.ends_with(ending);
        // A hard link to it may follow: the node has to stand in front of that one's.
        let kinds = || nothing_of(extractor.kinds.to_vec());
        let node = if is_beside { None } else { self.node(path.clone(), kinds()) };
        if is_beside || node.is_some() {
            self.held.bytes += bytes.len();
            let file = HeldFile { extractor, ending, node, content: bytes };
            let replaced = self.held.files.insert(path, file);
            self.held.bytes -= replaced.map_or(0, |file| file.content.len());
        }
        Ok(())
    }

    /// Reads what was held.
    pub(super) fn read_held(&mut self) {
        let HeldFiles { files, .. } = std::mem::take(&mut self.held);
        for (path, file) in &files {
            let beside = match path.strip_suffix(file.ending) {
                Some(whole) if files.contains_key(whole) => continue,
                Some(_) => None,
                None => files.get(&format!("{path}{}", file.ending)),
            };
            let mut found = Extracted::within(self.room_bytes);
            let beside = beside.map(|beside| beside.content.as_slice());
            (file.extractor.extract)(&File { path, content: &file.content, beside }, &mut found);
            let problem = malformed(path, &found);
            match file.node {
                Some(node) => self.fill(node, found, problem),
                // By itself it may say nothing; else what it belongs to is not complete without it.
                None if problem.is_none() => {}
                None => self.keep(path.clone(), &[file.extractor], found, problem),
            }
        }
    }
}
