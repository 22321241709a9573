//! Berkeley DB's hash tables (Oracle, `dbinc/db_page.h`): buckets are pages of pairs, whose longer values lie in
//! chains of overflow pages.

use super::Headers;
use super::bytes::{Once, Order, piece, u8_at};

const HASH_MAGIC: usize = 0x0006_1561;
const MAGIC_AT: usize = 12;
const PAGE_SIZE_AT: usize = 20;
const ENCRYPTION_AT: usize = 24;
const LAST_PAGE_AT: usize = 32;
/// Sizes of pages that Berkeley DB allows.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=64 << 10;

/// Bytes in front of a page's items.
const PAGE_FRONT_BYTES: usize = 26;
const NEXT_PAGE_AT: usize = 16;
const ITEMS_AT: usize = 20;
/// On overflow pages: how many bytes of the value lie here.
const OVERFLOW_BYTES_AT: usize = 22;
const PAGE_TYPE_AT: usize = 25;
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Types of items, which are their first bytes.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Whether a file begins like a hash table, of either byte order.
pub(super) fn is_hash(head: &[u8]) -> bool {
    order(head).is_some()
}

fn order(content: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.u32_at(content, MAGIC_AT) == Some(HASH_MAGIC))
}

/// Reads all values; none where the file is not to be read, or not to its end.
pub(super) fn read(content: &[u8], headers: &mut Headers<'_>) -> Option<()> {
    let order = order(content)?;
    let page_bytes = order.u32_at(content, PAGE_SIZE_AT)?;
    if !PAGE_SIZES.contains(&page_bytes) || u8_at(content, ENCRYPTION_AT)? != 0 {
        return None;
    }
    let table = Table { content, order, page_bytes };
    let last = order.u32_at(content, LAST_PAGE_AT)?;
    let mut once = Once::of(content.len() / page_bytes);
    for page in 1..=last {
        let bytes = table.page(page)?;
        if matches!(u8_at(bytes, PAGE_TYPE_AT)?, HASH | HASH_UNSORTED) {
            once.visit(page)?;
            table.bucket(bytes, &mut once, headers)?;
        }
    }
    Some(())
}

struct Table<'a> {
    content: &'a [u8],
    order: Order,
    page_bytes: usize,
}

impl<'a> Table<'a> {
    fn page(&self, number: usize) -> Option<&'a [u8]> {
        piece(self.content, number.checked_mul(self.page_bytes)?, self.page_bytes)
    }

    /// Items are pairs of a key and a value. The record with the key 0 is the number of the next package.
    fn bucket(&self, page: &[u8], once: &mut Once, headers: &mut Headers<'_>) -> Option<()> {
        let items = self.order.u16_at(page, ITEMS_AT)?;
        for pair in 0..items / 2 {
            let key = self.item(page, pair * 2)?;
            if key == [INLINE, 0, 0, 0, 0] {
                continue;
            }
            match self.item(page, pair * 2 + 1)? {
                [INLINE, value @ ..] => headers.take(value)?,
                reference @ [OFF_PAGE, ..] => match self.chain(reference, once) {
                    Some(value) => headers.take(&value)?,
                    None => headers.damaged(),
                },
                _ => headers.damaged(),
            }
        }
        Some(())
    }

    /// Items lie from the end of the page towards its front, each up to the one before.
    fn item<'p>(&self, page: &'p [u8], number: usize) -> Option<&'p [u8]> {
        let offset = |number: usize| self.order.u16_at(page, PAGE_FRONT_BYTES + number * 2);
        let end = if number == 0 { page.len() } else { offset(number - 1)? };
        page.get(offset(number)?..end)
    }

    /// A value that lies in a chain of pages.
    fn chain(&self, reference: &[u8], once: &mut Once) -> Option<Vec<u8>> {
        let (first, length) = (self.order.u32_at(reference, 4)?, self.order.u32_at(reference, 8)?);
        let mut value = Vec::new();
        let mut next = first;
        while value.len() < length {
            once.visit(next)?;
            let page = self.page(next)?;
            if u8_at(page, PAGE_TYPE_AT)? != OVERFLOW {
                return None;
            }
            let bytes = self.order.u16_at(page, OVERFLOW_BYTES_AT)?;
            value.extend_from_slice(piece(page, PAGE_FRONT_BYTES, bytes)?);
            next = self.order.u32_at(page, NEXT_PAGE_AT)?;
        }
        (value.len() == length).then_some(value)
    }
}
