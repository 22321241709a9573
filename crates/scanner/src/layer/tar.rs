//! A streaming walk over a tar archive: ustar, GNU long names and sparse files, PAX headers.
//!
//! It follows what container runtimes do with odd archives (Go's `archive/tar`): links and directories have
//! no content whatever their size field says, and an archive may end without its two zero blocks. Where two readers
//! would see two things, and the runtimes' one does not refuse it, the archive is malformed here.

mod header;
mod pax;
mod sparse;

use std::io::{self, Read};

use self::header::{BLOCK, Header};
use self::pax::PaxFields;
use super::limits::MAX_EXTENDED_HEADER_BYTES;
use super::path;

pub(crate) use self::header::{is_blank, is_header, looks_like_header};

/// Decompressed bytes held at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberKind {
    Regular,
    HardLink,
    Symlink,
    Directory,
    Other,
}

/// One member's header, its extended headers applied.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) kind: MemberKind,
    pub(crate) link: String,
    pub(crate) sparse: bool,
    /// Permission bits.
    pub(crate) mode: u32,
}

/// Why the walk stopped.
#[derive(Debug)]
pub(crate) enum TarError {
    /// The stream below failed.
    Read(io::Error),
    /// The stream ended inside a header or a member.
    Truncated,
    /// The header is not one.
    Malformed(&'static str),
    /// A name or an extended header is longer than this many bytes.
    NameTooLong(u64),
}

/// Walks an archive member by member, within one buffer.
pub(crate) struct TarReader<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Content of the current member that has not been handed out.
    remaining: u64,
    /// Padding after the current member.
    padding: u64,
    max_name_bytes: usize,
}

/// What extended headers say of the member that follows them.
#[derive(Debug, Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<PaxFields>,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(source: R, max_name_bytes: usize) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            remaining: 0,
            padding: 0,
            max_name_bytes,
        }
    }

    /// The source, and whether what was read of it beyond the last member is blank.
    pub(crate) fn into_source(self) -> (R, bool) {
        (self.source, is_blank(&self.buffer[self.start..self.end]))
    }

    /// The next member, after skipping what is left of the current one.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        self.skip_member()?;
        let mut extended = Extended::default();
        loop {
            let Some(header) = self.read_header()? else { return Ok(None) };
            match header.type_flag {
                b'L' => extended.name = Some(self.read_long_name(header.size)?),
                b'K' => extended.link = Some(self.read_long_name(header.size)?),
                b'x' => {
                    let fields = pax::parse(&self.read_extended(header.size)?)?;
                    // Some readers add them up, others let the last one count.
                    if extended.pax.replace(fields).is_some() {
                        return Err(TarError::Malformed("a member has two PAX headers"));
                    }
                }
                // Some readers give what stands in it to all members, others to none.
                b'g' => {
                    if pax::parse(&self.read_extended(header.size)?)? != PaxFields::default() {
                        return Err(TarError::Malformed("a global header names or measures members"));
                    }
                }
                _ => return self.begin(header, extended).map(Some),
            }
        }
    }

    /// The next piece of the current member's content; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Result<Option<&[u8]>, TarError> {
        if self.remaining == 0 {
            return Ok(None);
        }
        if self.start == self.end && !self.fill()? {
            return Err(TarError::Truncated);
        }
        let available = self.end - self.start;
        let taken = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(available);
        let from = self.start;
        self.start += taken;
        self.remaining -= taken as u64;
        Ok(Some(&self.buffer[from..from + taken]))
    }

    /// Bytes of the current member's content that have not been handed out.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The first bytes of the current member's content, without consuming them.
    pub(crate) fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError> {
        let wanted = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(wanted);
        while self.end - self.start < wanted {
            if !self.fill()? {
                return Err(TarError::Truncated);
            }
        }
        Ok(&self.buffer[self.start..self.start + wanted])
    }

    fn begin(&mut self, header: Header, extended: Extended) -> Result<Member, TarError> {
        let fields = extended.pax.unwrap_or_default();
        let name = self.name(extended.name, fields.path, header.name)?;
        let link = self.name(extended.link, fields.link_path, header.link)?;
        let kind = match header.type_flag {
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::Symlink,
            b'5' => MemberKind::Directory,
            b'3' | b'4' | b'6' => MemberKind::Other,
            // Archives older than ustar mark a directory by its name alone; later ones have a type for it.
            0 if name.ends_with(b"/") => MemberKind::Directory,
            _ => MemberKind::Regular,
        };
        let sparse = header.type_flag == b'S' || fields.sparse;
        let size = fields.size.unwrap_or(header.size);
        self.expect_content(if kind == MemberKind::Regular { size } else { 0 })?;
        if header.type_flag == b'S' && header.sparse_continues {
            self.skip_sparse_map()?;
        }
        if kind == MemberKind::Regular && fields.sparse_map_in_content {
            self.skip_written_map()?;
        }
        Ok(Member { name: path::text(name), kind, link: path::text(link), sparse, mode: header.mode })
    }

    /// The one name of a member. GNU's and PAX's at once are two, and readers disagree on which counts.
    fn name(&self, gnu: Option<Vec<u8>>, pax: Option<Vec<u8>>, header: Vec<u8>) -> Result<Vec<u8>, TarError> {
        let name = match (gnu, pax) {
            (Some(_), Some(_)) => return Err(TarError::Malformed("a member has two long names")),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => header,
        };
        if name.len() > self.max_name_bytes {
            return Err(TarError::NameTooLong(self.max_name_bytes as u64));
        }
        if name.contains(&0) {
            return Err(TarError::Malformed("a member's name has a NUL in it"));
        }
        Ok(name)
    }

    fn expect_content(&mut self, size: u64) -> Result<(), TarError> {
        // A size near the type's end would overflow the padding; no real archive comes close.
        if size > u64::MAX / 2 {
            return Err(TarError::Malformed("a member's size is out of range"));
        }
        self.remaining = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    fn read_extended(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MAX_EXTENDED_HEADER_BYTES {
            return Err(TarError::NameTooLong(MAX_EXTENDED_HEADER_BYTES));
        }
        self.expect_content(size)?;
        let mut content = Vec::new();
        while let Some(piece) = self.chunk()? {
            content.extend_from_slice(piece);
        }
        self.skip_member()?;
        Ok(content)
    }

    fn read_long_name(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        let mut name = self.read_extended(size)?;
        if let Some(end) = memchr::memchr(0, &name) {
            name.truncate(end);
        }
        Ok(name)
    }

    /// The next header; `None` at the end of the archive.
    fn read_header(&mut self) -> Result<Option<Header>, TarError> {
        let Some(block) = self.read_block()? else { return Ok(None) };
        if !is_blank(&block) {
            return Header::parse(&block).map(Some);
        }
        // Some readers take one such block for the end, others go on behind it.
        match self.read_block()? {
            Some(second) if !is_blank(&second) => {
                Err(TarError::Malformed("a block of zeros stands between members"))
            }
            _ => Ok(None),
        }
    }

    /// One block; `None` where the stream ends before it, which archives without a trailer do.
    fn read_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        while self.end - self.start < BLOCK {
            if !self.fill()? {
                return if self.start == self.end { Ok(None) } else { Err(TarError::Truncated) };
            }
        }
        let mut block = [0; BLOCK];
        block.copy_from_slice(&self.buffer[self.start..self.start + BLOCK]);
        self.start += BLOCK;
        Ok(Some(block))
    }

    fn skip_member(&mut self) -> Result<(), TarError> {
        let mut left = self.remaining + self.padding;
        while left > 0 {
            if self.start == self.end && !self.fill()? {
                return Err(TarError::Truncated);
            }
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(self.end - self.start);
            self.start += step;
            left -= step as u64;
        }
        (self.remaining, self.padding) = (0, 0);
        Ok(())
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> Result<bool, TarError> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let read = self.source.read(&mut self.buffer[self.end..]).map_err(TarError::Read)?;
        self.end += read;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests;
