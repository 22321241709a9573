//! One 512-byte header block.

use super::TarError;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 512;
/// Where an old GNU sparse header says that its map continues.
const SPARSE_CONTINUES_AT: usize = 482;
/// Where a continuation block says the same.
const SPARSE_MAP_CONTINUES_AT: usize = 504;

/// The fields that a walk needs.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) size: u64,
    /// Permission bits; none where the field is no number.
    pub(crate) mode: u32,
    pub(crate) type_flag: u8,
    pub(crate) sparse_continues: bool,
}

impl Header {
    pub(crate) fn parse(block: &[u8; BLOCK]) -> Result<Self, TarError> {
        if !checksum_matches(block) {
            return Err(TarError::Malformed("a header's checksum does not match"));
        }
        let type_flag = block[156];
        let size = number(&block[124..136]).ok_or(TarError::Malformed("a member's size is not a number"))?;
        let mut name = text(&block[..100]).to_vec();
        let prefix = prefix(block);
        if !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        Ok(Self {
            name,
            link: text(&block[157..257]).to_vec(),
            size,
            mode: number(&block[100..108]).and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0),
            type_flag,
            sparse_continues: type_flag == b'S' && block[SPARSE_CONTINUES_AT] != 0,
        })
    }
}

/// The front of a long name, in the place that the header's form has for it.
fn prefix(block: &[u8; BLOCK]) -> &[u8] {
    match &block[257..263] {
        b"ustar\0" if block.ends_with(b"tar\0") => text(&block[345..476]),
        b"ustar\0" => text(&block[345..500]),
        // GNU keeps dates there. Go's writers before 1.8 took it for the place of a prefix all the same, and Go's reader
        // still reads what they wrote.
        b"ustar " => {
            let is_date = |field: &[u8]| field[0] == 0 || number(field).is_some();
            let prefix = text(&block[345..500]);
            let is_prefix = prefix.is_ascii() && !(is_date(&block[345..357]) && is_date(&block[357..369]));
            if is_prefix { prefix } else { b"" }
        }
        _ => b"",
    }
}

/// Whether there is nothing but zeros.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Whether bytes begin like a tar archive: a valid header, or the zero block of an empty one.
pub(crate) fn looks_like_header(head: &[u8]) -> bool {
    match head.first_chunk::<BLOCK>() {
        Some(block) => is_blank(block) || checksum_matches(block),
        None => false,
    }
}

/// Whether bytes begin with a member's header.
pub(crate) fn is_header(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(checksum_matches)
}

/// Whether another block of a sparse map follows this one.
pub(crate) fn sparse_map_continues(block: &[u8; BLOCK]) -> bool {
    block[SPARSE_MAP_CONTINUES_AT] != 0
}

/// Old writers summed signed bytes: either sum will do.
fn checksum_matches(block: &[u8; BLOCK]) -> bool {
    let Some(stored) = number(&block[148..156]) else { return false };
    let (mut unsigned, mut signed) = (0u64, 0i64);
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    stored == unsigned || i64::try_from(stored) == Ok(signed)
}

/// Octal digits with spaces or zeros around them, or GNU's base-256; `None` for anything else.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        // The second highest bit is the sign, and nothing here may be negative.
        if field[0] & 0x40 != 0 {
            return None;
        }
        return field.iter().enumerate().try_fold(0u64, |value, (at, &byte)| {
            let byte = if at == 0 { byte & 0x3f } else { byte };
            value.checked_mul(256)?.checked_add(u64::from(byte))
        });
    }
    let is_blank = |byte: &u8| *byte == b' ' || *byte == 0;
    let from = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let digits = &field[from..];
    let to = digits.iter().position(is_blank).unwrap_or(digits.len());
    digits[..to].iter().try_fold(0u64, |value, &byte| match byte {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn text(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    &field[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_spelling() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"         17 "), Some(15));
        assert_eq!(number(&[0; 12]), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), Some((2 << 32) + 1));
        assert_eq!(number(&[0xff; 12]), None, "negative");
        assert_eq!(number(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None, "beyond 64 bits");
        assert_eq!(number(b"00000000018\0"), None, "not octal");
    }
}
