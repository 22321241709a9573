//! Programs that carry a list of what they are made of: Go's, and Rust's that `cargo auditable` built.
//!
//! A program streams by. Where Go's list is written out beside its marker (Go 1.18 and later) it is taken from
//! the stream, whatever the program's size. Older Go programs point at it, and Rust's list is found through the
//! table of sections at the program's end: for those the program is held, up to a limit.

mod go;
mod rust;

use memchr::memmem::Finder;

use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Candidate, Extracted, Extractor, File, Places, Reads};
use crate::inventory::kind::PackageKind;

/// Reads programs, whatever their names.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Cargo, PackageKind::Golang],
    places: Places::Anywhere,
    claims_path: |_| false,
    claims_content: is_program,
    reads: Reads::Program,
    max_bytes: MAX_PROGRAM_BYTES,
    extract,
};

/// Bytes of a program that is held.
pub(crate) const MAX_PROGRAM_BYTES: usize = 64 << 20;

fn is_program(candidate: &Candidate<'_>) -> bool {
    candidate.head.starts_with(b"\x7fELF")
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    let mut reader = ProgramReader::new(MAX_PROGRAM_BYTES);
    reader.push(file.content);
    reader.finish(found);
}

/// What a program is made of, by language.
#[derive(Debug, Default, PartialEq, Eq)]
struct ParsedProgram {
    /// None in a program that is not Go's.
    go: Option<Parsed>,
    /// None in a program without a list of crates.
    rust: Option<Parsed>,
}

/// Takes a program piece by piece.
#[derive(Debug)]
pub(crate) struct ProgramReader {
    go: go::StreamReader,
    auditable: Finder<'static>,
    /// The end of the last piece: a marker may lie across two.
    tail: Vec<u8>,
    has_auditable: bool,
    held: Vec<u8>,
    max_held_bytes: usize,
    whole: bool,
}

impl ProgramReader {
    /// Holds at most `max_held_bytes` of the program.
    pub(crate) fn new(max_held_bytes: usize) -> Self {
        Self {
            go: go::StreamReader::new(),
            auditable: Finder::new(rust::SECTION_NAME),
            tail: Vec::new(),
            has_auditable: false,
            held: Vec::new(),
            max_held_bytes,
            whole: true,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.go.push(piece);
        self.look(piece);
        if self.whole && self.held.len() + piece.len() <= self.max_held_bytes {
            self.held.extend_from_slice(piece);
        } else {
            self.whole = false;
            self.held = Vec::new();
        }
    }

    pub(crate) fn finish(self, found: &mut Extracted) {
        let limit_bytes = self.max_held_bytes;
        let ParsedProgram { go, rust } = self.parsed();
        go.unwrap_or_default().report(PackageKind::Golang, limit_bytes, found);
        rust.unwrap_or_default().report(PackageKind::Cargo, limit_bytes, found);
    }

    fn parsed(self) -> ParsedProgram {
        let too_large = || Some(Parsed { over_limit: true, ..Parsed::default() });
        let go = match self.go.finish() {
            go::Found::Nothing => None,
            go::Found::Info(info) => Some(info.parsed()),
            go::Found::Pointers if self.whole => {
                let info = go::read_pointers(&self.held);
                Some(info.map_or_else(Parsed::malformed, |info| info.parsed()))
            }
            go::Found::Pointers | go::Found::TooLarge => too_large(),
        };
        let rust = match (self.has_auditable, self.whole) {
            (false, _) => None,
            (true, true) => rust::read(&self.held),
            (true, false) => too_large(),
        };
        ParsedProgram { go, rust }
    }

    fn look(&mut self, piece: &[u8]) {
        let overlap = rust::SECTION_NAME.len() - 1;
        let mut seam = std::mem::take(&mut self.tail);
        seam.extend_from_slice(&piece[..piece.len().min(overlap)]);
        self.has_auditable = self.has_auditable
            || self.auditable.find(&seam).is_some()
            || self.auditable.find(piece).is_some();
        let end = if piece.len() >= overlap { piece } else { &seam };
        self.tail = end[end.len().saturating_sub(overlap)..].to_vec();
    }
}

#[cfg(test)]
mod tests;
