//! The pages of a database, the newest of each: those in the log of what was written last come before the file's.

use std::collections::HashMap;

use crate::inventory::os::rpm::bytes::{Order, piece, u8_at};

const PAGE_BYTES_AT: usize = 16;
const RESERVED_BYTES_AT: usize = 20;
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=64 << 10;
/// The least that may be left of a page.
const LEAST_USABLE_BYTES: usize = 480;

/// The log's magic numbers, by the byte order of its checksums.
const LITTLE_LOG_MAGIC: usize = 0x377f_0682;
const BIG_LOG_MAGIC: usize = 0x377f_0683;
const LOG_FRONT_BYTES: usize = 32;
const FRAME_FRONT_BYTES: usize = 24;

/// A database that is open.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    content: &'a [u8],
    log: Log<'a>,
    page_bytes: usize,
    /// Bytes at the end of each page that are not the database's.
    reserved_bytes: usize,
}

impl<'a> Pages<'a> {
    pub(super) fn open(content: &'a [u8], log: Option<&'a [u8]>) -> Option<Self> {
        let log = Log::open(log.unwrap_or_default());
        // All of a young database may lie in its log.
        let first = log.page(1).unwrap_or(content);
        if !super::is_sqlite(first) {
            return None;
        }
        let page_bytes = match Order::Big.u16_at(first, PAGE_BYTES_AT)? {
            1 => 64 << 10,
            bytes => bytes,
        };
        let reserved_bytes = usize::from(u8_at(first, RESERVED_BYTES_AT)?);
        let is_sound = PAGE_SIZES.contains(&page_bytes)
            && page_bytes.is_power_of_two()
            && page_bytes - reserved_bytes >= LEAST_USABLE_BYTES
            && (log.pages.is_empty() || log.page_bytes == page_bytes);
        is_sound.then_some(Self { content, log, page_bytes, reserved_bytes })
    }

    /// No page has a higher number.
    pub(super) fn count(&self) -> usize {
        let logged = self.log.pages.keys().max().copied().unwrap_or(0);
        (self.content.len() / self.page_bytes).max(logged)
    }

    /// A page by its number, which begins at 1, without what is not the database's.
    pub(super) fn page(&self, number: usize) -> Option<&'a [u8]> {
        let page = match self.log.page(number) {
            Some(page) => page,
            None => {
                let at = number.checked_sub(1)?.checked_mul(self.page_bytes)?;
                piece(self.content, at, self.page_bytes)?
            }
        };
        page.get(..self.page_bytes - self.reserved_bytes)
    }

    /// How many bytes of a row lie in its cell ("B-tree Pages").
    pub(super) fn local_bytes(&self, length: usize) -> usize {
        let usable = self.page_bytes - self.reserved_bytes;
        let most = usable - 35;
        if length <= most {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let wanted = least + (length - least) % (usable - 4);
        if wanted <= most { wanted } else { least }
    }
}

/// The log ("The WAL File Format"): what was committed to it, as far as its checksums agree.
#[derive(Debug, Default)]
struct Log<'a> {
    log: &'a [u8],
    page_bytes: usize,
    /// Where the newest of each page lies.
    pages: HashMap<usize, usize>,
}

impl<'a> Log<'a> {
    /// A log that is none says nothing: SQLite leaves empty and used-up ones behind.
    fn open(log: &'a [u8]) -> Self {
        Self::read(log).unwrap_or_default()
    }

    fn read(log: &'a [u8]) -> Option<Self> {
        let magic = Order::Big.u32_at(log, 0)?;
        let order = match magic {
            LITTLE_LOG_MAGIC => Order::Little,
            BIG_LOG_MAGIC => Order::Big,
            _ => return None,
        };
        let front = log.get(..LOG_FRONT_BYTES)?;
        let page_bytes = Order::Big.u32_at(front, 8)?;
        let mut sum = (0, 0);
        checksum(order, &front[..24], &mut sum);
        if !PAGE_SIZES.contains(&page_bytes) || !agrees(sum, front, 24) {
            return None;
        }
        let mut found = Self { log, page_bytes, pages: HashMap::new() };
        let mut uncommitted = Vec::new();
        let mut at = LOG_FRONT_BYTES;
        while let Some(frame) = piece(log, at, FRAME_FRONT_BYTES + page_bytes) {
            let (head, page) = frame.split_at(FRAME_FRONT_BYTES);
            checksum(order, &head[..8], &mut sum);
            checksum(order, page, &mut sum);
            if head[8..16] != front[16..24] || !agrees(sum, head, 16) {
                break;
            }
            uncommitted.push((Order::Big.u32_at(head, 0)?, at + FRAME_FRONT_BYTES));
            let is_commit = Order::Big.u32_at(head, 4)? != 0;
            if is_commit {
                found.pages.extend(uncommitted.drain(..));
            }
            at += frame.len();
        }
        Some(found)
    }

    fn page(&self, number: usize) -> Option<&'a [u8]> {
        piece(self.log, *self.pages.get(&number)?, self.page_bytes)
    }
}

/// Whether a file is a log to which anything was committed.
pub(in crate::inventory::os::rpm) fn is_log(content: &[u8]) -> bool {
    !Log::open(content).pages.is_empty()
}

fn checksum(order: Order, bytes: &[u8], sum: &mut (u32, u32)) {
    for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
        let word = |bytes: [u8; 4]| match order {
            Order::Big => u32::from_be_bytes(bytes),
            Order::Little => u32::from_le_bytes(bytes),
        };
        sum.0 = sum.0.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(sum.0);
    }
}

fn agrees(sum: (u32, u32), bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 8) == Some(&[sum.0.to_be_bytes(), sum.1.to_be_bytes()].concat())
}
