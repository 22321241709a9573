//! dpkg's lists of the files of a package, line by line.

use super::Content;
use crate::inventory::extractor::Extracted;
use crate::inventory::os::dpkg::{INFO_FOLDER, STATUS_FOLDER};
use crate::layer::TarError;
use crate::layer::path::parent;

/// Bytes of a line that are kept; what is longer is cut, and said to be.
pub(crate) const MAX_LINE_BYTES: usize = 64 << 10;

/// The two forms of a list of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerList {
    /// `info/<package>.list`: a path a line.
    Paths,
    /// `status.d/<package>.md5sums`: a checksum, two spaces, a path.
    Checksums,
}

impl OwnerList {
    /// The form of the list at a path, if it is one.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match parent(path) {
            INFO_FOLDER if path.ends_with(".list") => Some(Self::Paths),
            STATUS_FOLDER if path.ends_with(".md5sums") => Some(Self::Checksums),
            _ => None,
        }
    }

    fn path(self, line: &[u8]) -> Option<&str> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        match self {
            Self::Paths => Some(line),
            Self::Checksums => Some(line.split_once("  ")?.1),
        }
    }

    /// Reads a list as it streams by: some are long, and few of their lines matter.
    pub(crate) fn read(self, content: &mut impl Content, room_bytes: usize) -> Result<Extracted, TarError> {
        let mut lines = LineSplitter::default();
        let mut found = Extracted::within(room_bytes);
        let mut take = |line: &[u8], cut: bool| {
            if let Some(path) = self.path(line).filter(|_| !cut) {
                // The list is that of one package, which its own name tells.
                found.owns("", path);
            }
        };
        while let Some(piece) = content.chunk()? {
            lines.push(piece, &mut take);
        }
        lines.finish(&mut take);
        Ok(found)
    }
}

/// Puts lines together that pieces cut apart.
#[derive(Debug, Default)]
pub(crate) struct LineSplitter {
    partial: Vec<u8>,
    cut: bool,
}

impl LineSplitter {
    /// Calls `line` for each complete line, without its end, and whether it was cut.
    pub(crate) fn push(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8], bool)) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            if self.partial.is_empty() && end <= MAX_LINE_BYTES {
                line(&piece[..end], false);
            } else {
                self.keep(&piece[..end]);
                line(&self.partial, self.cut);
                self.partial.clear();
                self.cut = false;
            }
            piece = &piece[end + 1..];
        }
        self.keep(piece);
    }

    /// Calls `line` for a last line without an end.
    pub(crate) fn finish(&mut self, line: impl FnOnce(&[u8], bool)) {
        if !self.partial.is_empty() {
            line(&self.partial, self.cut);
        }
        self.partial.clear();
        self.cut = false;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES - self.partial.len();
        self.cut |= bytes.len() > room;
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_list_give_paths() {
        assert_eq!(OwnerList::of("var/lib/dpkg/info/apt.list"), Some(OwnerList::Paths));
        assert_eq!(OwnerList::of("var/lib/dpkg/status.d/apt.md5sums"), Some(OwnerList::Checksums));
        assert_eq!(OwnerList::of("opt/apt.list"), None);
        assert_eq!(OwnerList::Paths.path(b"/usr/bin/apt"), Some("/usr/bin/apt"));
        assert_eq!(OwnerList::Checksums.path(b"0123  usr/bin/apt"), Some("usr/bin/apt"));
        assert_eq!(OwnerList::Checksums.path(b"junk"), None);
    }

    fn split(pieces: &[&[u8]]) -> Vec<(usize, bool)> {
        let mut splitter = LineSplitter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.push(piece, |line, cut| lines.push((line.len(), cut)));
        }
        splitter.finish(|line, cut| lines.push((line.len(), cut)));
        lines
    }

    #[test]
    fn pieces_do_not_matter() {
        assert_eq!(split(&[b"ab\n\nc"]), [(2, false), (0, false), (1, false)]);
        assert_eq!(split(&[b"a", b"b", b"\n", b"\nc"]), [(2, false), (0, false), (1, false)]);
    }

    #[test]
    fn a_line_is_cut_past_the_limit() {
        let mut line = vec![b'x'; MAX_LINE_BYTES];
        line.push(b'\n');
        assert_eq!(split(&[&line]), [(MAX_LINE_BYTES, false)]);
        line.insert(0, b'x');
        assert_eq!(split(&[&line]), [(MAX_LINE_BYTES, true)]);
        assert_eq!(split(&[&line[..10], &line[10..], b"y"]), [(MAX_LINE_BYTES, true), (1, false)]);
    }
}
