//! Lines out of a stream of pieces, each within a bound.

/// Bytes of a line that are kept; what is longer is cut, and said to be.
pub(crate) const MAX_LINE_BYTES: usize = 64 << 10;

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
