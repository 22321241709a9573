//! SQLite, as far as rpm uses it (sqlite.org, "Database File Format"): the rows of one table, out of a file and the
//! log of what was written last.

mod pages;
mod record;

use self::pages::Pages;
pub(super) use self::pages::is_log;
use self::record::{Value, columns};
use super::Headers;
use super::bytes::{Once, Order};

const MAGIC: &[u8] = b"SQLite format 3\0";
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// The page of the table that lists the others.
const SCHEMA_PAGE: usize = 1;
/// Bytes of the file's own header, in front of the first page's.
const FILE_HEADER_BYTES: usize = 100;
/// The longest row, in bytes: rpm's own bound of a header.
const MAX_ROW_BYTES: usize = 256 << 20;

/// Whether a file begins like one.
pub(super) fn is_sqlite(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Reads the headers of all packages; none where the file is not to be read, or not to its end.
pub(super) fn read(content: &[u8], log: Option<&[u8]>, headers: &mut Headers<'_>) -> Option<()> {
    let pages = Pages::open(content, log)?;
    let mut table = None;
    walk(&pages, SCHEMA_PAGE, &mut |row| {
        if let [Value::Text(b"table"), Value::Text(b"Packages"), _, Value::Integer(root), ..] =
            columns(row)?[..]
        {
            table = Some(root);
        }
        Some(())
    })?;
    // The columns of `Packages` are the row's number, which is not repeated, and the header.
    walk(&pages, usize::try_from(table?).ok()?, &mut |row| match columns(row)?[..] {
        [_, Value::Blob(header)] => headers.take(header),
        _ => None,
    })
}

/// Calls `take` with each row of a table. Each page is looked at once.
fn walk(pages: &Pages<'_>, root: usize, take: &mut dyn FnMut(&[u8]) -> Option<()>) -> Option<()> {
    let mut once = Once::of(pages.count() + 1);
    let mut left = vec![root];
    while let Some(number) = left.pop() {
        once.visit(number)?;
        let page = pages.page(number)?;
        let front = if number == SCHEMA_PAGE { FILE_HEADER_BYTES } else { 0 };
        let kind = *page.get(front)?;
        let cells = Order::Big.u16_at(page, front + 3)?;
        let pointers = front + if kind == INTERIOR { 12 } else { 8 };
        for cell in 0..cells {
            let at = Order::Big.u16_at(page, pointers + cell * 2)?;
            let cell = page.get(at..)?;
            match kind {
                INTERIOR => left.push(Order::Big.u32_at(cell, 0)?),
                LEAF => take(&row(pages, cell, &mut once)?)?,
                _ => return None,
            }
        }
        match kind {
            INTERIOR => left.push(Order::Big.u32_at(page, front + 8)?),
            LEAF => {}
            _ => return None,
        }
    }
    Some(())
}

/// The length of a row; none where no row is so long.
fn row_bytes(length: u64) -> Option<usize> {
    usize::try_from(length).ok().filter(|length| *length <= MAX_ROW_BYTES)
}

/// The row of a leaf's cell: its front lies in the cell, the rest of a long one in a chain of pages.
fn row<'a>(pages: &Pages<'a>, cell: &'a [u8], once: &mut Once) -> Option<std::borrow::Cow<'a, [u8]>> {
    let (length, cell) = record::varint(cell)?;
    let (_row_number, cell) = record::varint(cell)?;
    let length = row_bytes(length)?;
    let local = pages.local_bytes(length);
    let (front, behind) = cell.split_at_checked(local)?;
    if local == length {
        return Some(front.into());
    }
    let mut row = front.to_vec();
    let mut next = Order::Big.u32_at(behind, 0)?;
    while row.len() < length {
        once.visit(next)?;
        let page = pages.page(next)?;
        let (link, content) = page.split_at_checked(4)?;
        row.extend_from_slice(&content[..content.len().min(length - row.len())]);
        next = Order::Big.u32_at(link, 0)?;
    }
    Some(row.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_be_as_long_as_a_header_of_rpm_and_no_longer() {
        assert_eq!(row_bytes(MAX_ROW_BYTES as u64), Some(MAX_ROW_BYTES));
        assert_eq!(row_bytes(MAX_ROW_BYTES as u64 + 1), None);
    }
}
