//! Files that name packages: captured within bounds, and read.

use super::memory::needed;
use super::{Collector, Content};
use crate::inventory::extractor::{Extracted, Extractor, File, Reads};
use crate::inventory::kind::PackageKind;
use crate::inventory::language::java;
use crate::inventory::language::program::ProgramReader;
use crate::inventory::record::NodeContent;
use crate::layer::{LayerProblem, TarError};

/// Bytes of the buffer that is kept from one file to the next.
const KEPT_BUFFER_BYTES: usize = 4 << 20;

impl Collector {
    /// Reads a file that at least one extractor wants.
    pub(super) fn packages(
        &mut self,
        path: String,
        is_sparse: bool,
        wanted: &[&Extractor],
        content: &mut impl Content,
    ) -> Result<(), TarError> {
        let mut found = Extracted::within(self.room_bytes);
        let mut problem = is_sparse.then(|| LayerProblem::SparseDatabase { path: path.clone() });
        if !is_sparse {
            let bound = |extractor: &Extractor| extractor.max_bytes.min(self.limits.max_captured_bytes);
            let (streamed, captured): (Vec<&Extractor>, Vec<&Extractor>) =
                wanted.iter().copied().partition(|extractor| extractor.reads == Reads::Program);
            let mut program = streamed.first().map(|extractor| ProgramReader::new(bound(extractor)));
            let most = captured.iter().map(|extractor| bound(extractor)).max().unwrap_or_default();
            let held = wanted.iter().map(|extractor| bound(extractor)).max().unwrap_or_default();
            let file_bytes = usize::try_from(content.remaining()).unwrap_or(usize::MAX).min(held);
            let is_archive = captured.iter().any(|extractor| extractor.kinds == java::EXTRACTOR.kinds);
            let _claim = self.memory.file(needed(file_bytes, is_archive));
            let mut buffer = std::mem::take(&mut self.buffer);
            let is_whole = capture(content, most, &mut buffer, program.as_mut())?;
            for extractor in captured {
                let room = bound(extractor);
                if extractor.reads == Reads::Beginning || (is_whole && buffer.len() <= room) {
                    let content = &buffer[..buffer.len().min(room)];
                    (extractor.extract)(&File { path: &path, content, beside: None }, &mut found);
                } else {
                    let limit_bytes = room as u64;
                    problem = Some(LayerProblem::DatabaseTooLarge { path: path.clone(), limit_bytes });
                }
            }
            if let Some(program) = program {
                program.finish(&mut found);
            }
            buffer.clear();
            buffer.shrink_to(KEPT_BUFFER_BYTES);
            self.buffer = buffer;
        }
        if let (None, Some(limit_bytes)) = (&problem, found.too_large) {
            problem = Some(LayerProblem::DatabaseTooLarge { path: path.clone(), limit_bytes });
        }
        problem = problem.or_else(|| malformed(&path, &found));
        if let Some(kind) = found.unnamed {
            self.evidence(kind, &path);
        }
        self.keep(path, wanted, found, problem);
        Ok(())
    }

    pub(super) fn keep(
        &mut self,
        path: String,
        wanted: &[&Extractor],
        found: Extracted,
        problem: Option<LayerProblem>,
    ) {
        let kinds = wanted.iter().flat_map(|extractor| extractor.kinds).copied().collect();
        if let Some(node) = self.node(path, nothing_of(kinds)) {
            self.fill(node, found, problem);
        }
    }

    /// Puts what was found in a file into its node.
    pub(super) fn fill(&mut self, node: usize, found: Extracted, unread: Option<LayerProblem>) {
        if found.over_limit {
            self.record_full();
        }
        let Extracted { packages: kept, owned: paths, room_bytes, .. } = found;
        if !self.spend(self.room_bytes.saturating_sub(room_bytes)) {
            return;
        }
        let files = self.owners.add(node, paths);
        if let Some(NodeContent::Packages { packages, owned, problem, .. }) =
            self.found.nodes.get_mut(node).map(|node| &mut node.content)
        {
            (*packages, *owned, *problem) = (kept, files, unread);
        }
    }
}

/// What a file is known to hold before it is read.
pub(super) fn nothing_of(kinds: Vec<PackageKind>) -> NodeContent {
    NodeContent::Packages { kinds, packages: Vec::new(), owned: Vec::new(), problem: None }
}

/// What there is in a file that cannot be read.
pub(super) fn malformed(path: &str, found: &Extracted) -> Option<LayerProblem> {
    let parts = found.malformed_parts;
    (parts > 0).then(|| LayerProblem::MalformedDatabase { path: path.to_owned(), parts })
}

/// Captures a file; false where it is longer than the bound. A program goes by to its end.
pub(super) fn capture(
    content: &mut impl Content,
    most: usize,
    buffer: &mut Vec<u8>,
    mut program: Option<&mut ProgramReader>,
) -> Result<bool, TarError> {
    buffer.clear();
    let mut is_whole = true;
    while let Some(piece) = content.chunk()? {
        let room = most - buffer.len();
        buffer.extend_from_slice(&piece[..piece.len().min(room)]);
        is_whole &= piece.len() <= room;
        match &mut program {
            Some(program) => program.push(piece),
            None if is_whole => {}
            None => break,
        }
    }
    Ok(is_whole)
}
