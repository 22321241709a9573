//! The central directory of a zip archive, read out of a slice: nothing is allocated for a member that nobody
//! asks for, so that a directory of millions of members costs time in proportion to its bytes and no memory.
//!
//! Offsets are those of PKWARE's `APPNOTE.TXT`, sections 4.3 and 4.5.3.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::DeflateDecoder;

/// Bytes from the end of a file in which the end of the directory may lie: its comment has 16 bits of length.
const MAX_END_BYTES: usize = END_BYTES + u16::MAX as usize;

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_BYTES: usize = 56;
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCATOR_64_BYTES: usize = 20;
const MEMBER: &[u8] = b"PK\x01\x02";
const MEMBER_BYTES: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
/// The extra field that holds what does not fit into 32 bits.
const EXTRA_64: u16 = 1;
/// Set in a member's flags where its content is encrypted.
const ENCRYPTED: u16 = 1;

/// An archive, which may have anything in front of it, such as a script that starts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    /// Bytes in front of the archive that its own offsets do not count.
    front: usize,
    directory: &'a [u8],
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member<'a> {
    pub(crate) name: Cow<'a, str>,
    method: u16,
    flags: u16,
    stored_bytes: u64,
    offset: u64,
}

/// The directory is not one from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MalformedDirectory;

/// Why a member has no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentError {
    /// It does not decompress, lies outside the archive, or is packed in a way that is not read.
    Malformed,
    /// It is larger than the limit.
    TooLarge,
}

impl<'a> Archive<'a> {
    /// Finds the directory; none where the bytes are no archive, or not to their end.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let from = bytes.len().saturating_sub(MAX_END_BYTES);
        memchr::memmem::rfind_iter(&bytes[from..], END).find_map(|at| Self::ending_at(bytes, from + at))
    }

    fn ending_at(bytes: &'a [u8], end: usize) -> Option<Self> {
        let record = bytes.get(end..end + END_BYTES)?;
        let mut size = u64::from(u32_at(record, 12)?);
        let mut offset = u64::from(u32_at(record, 16)?);
        let mut directory_end = end;
        if let Some((at, record)) = end_64(bytes, end) {
            directory_end = at;
            size = u64_at(record, 40)?;
            offset = u64_at(record, 48)?;
        }
        let size = usize::try_from(size).ok()?;
        let offset = usize::try_from(offset).ok()?;
        let begins = |at: usize| size == 0 || bytes[at..].starts_with(MEMBER);
        // The directory ends where its end begins; what is too much in front of it is no part of the archive.
        let start = directory_end.checked_sub(size)?;
        if let Some(front) = start.checked_sub(offset).filter(|_| begins(start)) {
            return Some(Self { bytes, front, directory: &bytes[start..directory_end] });
        }
        let directory = bytes.get(offset..offset.checked_add(size)?)?;
        begins(offset).then_some(Self { bytes, front: 0, directory })
    }

    /// The members, in the directory's order.
    pub(crate) fn members(&self) -> Members<'a> {
        Members { rest: self.directory }
    }

    /// A member's content; one that is not compressed is not copied.
    pub(crate) fn content(
        &self,
        member: &Member<'a>,
        max_bytes: usize,
    ) -> Result<Cow<'a, [u8]>, ContentError> {
        let content = self.beginning(member, max_bytes.saturating_add(1))?;
        if content.len() > max_bytes { Err(ContentError::TooLarge) } else { Ok(content) }
    }

    /// The first bytes of a member's content, or all of it.
    pub(crate) fn beginning(&self, member: &Member<'a>, bytes: usize) -> Result<Cow<'a, [u8]>, ContentError> {
        let stored = self.stored(member).ok_or(ContentError::Malformed)?;
        match member.method {
            0 => Ok(Cow::Borrowed(&stored[..stored.len().min(bytes)])),
            8 => {
                let mut content = Vec::new();
                DeflateDecoder::new(stored)
                    .take(bytes as u64)
                    .read_to_end(&mut content)
                    .map_err(|_| ContentError::Malformed)?;
                Ok(Cow::Owned(content))
            }
            _ => Err(ContentError::Malformed),
        }
    }

    fn stored(&self, member: &Member<'a>) -> Option<&'a [u8]> {
        if member.flags & ENCRYPTED != 0 {
            return None;
        }
        let at = self.front.checked_add(usize::try_from(member.offset).ok()?)?;
        let header = self.bytes.get(at..at.checked_add(LOCAL_BYTES)?)?;
        let lengths = usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
        let start = at + LOCAL_BYTES + lengths;
        let end = start.checked_add(usize::try_from(member.stored_bytes).ok()?)?;
        header.starts_with(LOCAL).then(|| self.bytes.get(start..end))?
    }
}

/// The end in its 64-bit form, and where it lies.
fn end_64(bytes: &[u8], end: usize) -> Option<(usize, &[u8])> {
    let at = end.checked_sub(LOCATOR_64_BYTES)?;
    let locator = &bytes[at..end];
    if !locator.starts_with(LOCATOR_64) {
        return None;
    }
    let named = usize::try_from(u64_at(locator, 8)?).ok();
    // Where something is in front of the archive, the locator's offset is too small by that.
    [at.checked_sub(END_64_BYTES), named].into_iter().flatten().find_map(|at| {
        let record = bytes.get(at..at.checked_add(END_64_BYTES)?)?;
        record.starts_with(END_64).then_some((at, record))
    })
}

/// Walks a directory; ends after the first part that is no member.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, MalformedDirectory>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let taken = take_member(self.rest);
        self.rest = taken.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(taken.map(|(member, _)| member).ok_or(MalformedDirectory))
    }
}

fn take_member(bytes: &[u8]) -> Option<(Member<'_>, &[u8])> {
    let header = bytes.get(..MEMBER_BYTES).filter(|header| header.starts_with(MEMBER))?;
    let name_end = MEMBER_BYTES + usize::from(u16_at(header, 28)?);
    let extra_end = name_end + usize::from(u16_at(header, 30)?);
    let end = extra_end + usize::from(u16_at(header, 32)?);
    let name = String::from_utf8_lossy(bytes.get(MEMBER_BYTES..name_end)?);
    let extra = bytes.get(name_end..extra_end)?;
    let sizes = [u32_at(header, 24)?, u32_at(header, 20)?, u32_at(header, 42)?];
    let [_, stored_bytes, offset] = wide(sizes, extra)?;
    let (flags, method) = (u16_at(header, 8)?, u16_at(header, 10)?);
    Some((Member { name, method, flags, stored_bytes, offset }, bytes.get(end..)?))
}

/// The size, the stored size and the offset; each that is all ones stands in the extra field, in this order.
fn wide(narrow: [u32; 3], extra: &[u8]) -> Option<[u64; 3]> {
    let mut values = narrow.map(u64::from);
    if !narrow.contains(&u32::MAX) {
        return Some(values);
    }
    let mut field = extra_field(extra, EXTRA_64)?;
    for (value, narrow) in values.iter_mut().zip(narrow) {
        if narrow == u32::MAX {
            *value = u64_at(field, 0)?;
            field = &field[8..];
        }
    }
    Some(values)
}

fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (id, length) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let end = 4 + length;
        if id == wanted {
            return extra.get(4..end);
        }
        extra = extra.get(end..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests;
