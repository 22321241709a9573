//! rpm's own database (rpm, `lib/backend/ndb/rpmpkg.c`): slots that say where in the file each header lies. All
//! numbers are little-endian.

use super::Headers;
use super::bytes::{Order, piece};

const MAGIC: &[u8] = b"RpmP";
const VERSION_AT: usize = 4;
const SLOT_PAGES_AT: usize = 12;
/// Bytes of a page of slots; the file's front stands in place of the first two.
const PAGE_BYTES: usize = 4096;
const FRONT_BYTES: usize = 32;

const SLOT_MAGIC: &[u8] = b"Slot";
const SLOT_BYTES: usize = 16;
/// The unit in which slots count.
const BLOCK_BYTES: usize = 16;

const BLOB_MAGIC: &[u8] = b"BlbS";
const BLOB_FRONT_BYTES: usize = 16;
const BLOB_END_MAGIC: &[u8] = b"BlbE";
/// Bytes behind a header: checksum, length, magic.
const BLOB_BACK_BYTES: usize = 12;

/// Whether a file begins like one.
pub(super) fn is_ndb(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Reads all headers; none where the file is not to be read, or not to its end.
pub(super) fn read(content: &[u8], headers: &mut Headers<'_>) -> Option<()> {
    if Order::Little.u32_at(content, VERSION_AT)? != 0 {
        return None;
    }
    let bytes = Order::Little.u32_at(content, SLOT_PAGES_AT)?.checked_mul(PAGE_BYTES)?;
    let (slots, _) = content.get(FRONT_BYTES..bytes)?.as_chunks::<SLOT_BYTES>();
    for slot in slots {
        if !slot.starts_with(SLOT_MAGIC) {
            return None;
        }
        let field = |at| Order::Little.u32_at(slot, at);
        let (package, offset, count) = (field(4)?, field(8)?, field(12)?);
        // A slot without a package is free.
        if package == 0 || offset == 0 {
            continue;
        }
        match blob(content, package, offset, count) {
            Some(header) => headers.take(header)?,
            None => headers.damaged(),
        }
    }
    Some(())
}

fn blob(content: &[u8], package: usize, offset: usize, count: usize) -> Option<&[u8]> {
    let all = piece(content, offset.checked_mul(BLOCK_BYTES)?, count.checked_mul(BLOCK_BYTES)?)?;
    let length = Order::Little.u32_at(all, 12)?;
    let is_whole = all.starts_with(BLOB_MAGIC)
        && all.ends_with(BLOB_END_MAGIC)
        && Order::Little.u32_at(all, 4)? == package
        && length.checked_add(BLOB_FRONT_BYTES + BLOB_BACK_BYTES)? <= all.len();
    if is_whole { piece(all, BLOB_FRONT_BYTES, length) } else { None }
}
