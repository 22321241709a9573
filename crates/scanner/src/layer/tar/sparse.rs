//! Maps of sparse files: where their pieces lie is not looked at, only what stands behind.

use std::io::Read;

use super::header::BLOCK;
use super::{MAX_EXTENDED_HEADER_BYTES, TarError, TarReader, header, pax};

impl<R: Read> TarReader<R> {
    /// PAX's sparse files of version 1 have their map in front of their content: a count, and two numbers for each
    /// piece, a line each, padded to blocks.
    pub(super) fn skip_written_map(&mut self) -> Result<(), TarError> {
        const MALFORMED: TarError = TarError::Malformed("a sparse file has no map");
        let (mut lines, mut wanted, mut blocks) = (0, None, 0);
        while wanted.is_none_or(|wanted| lines < wanted) {
            blocks += 1;
            if self.remaining < BLOCK as u64 || blocks * BLOCK as u64 > MAX_EXTENDED_HEADER_BYTES {
                return Err(MALFORMED);
            }
            let block = self.read_block()?.ok_or(TarError::Truncated)?;
            self.remaining -= BLOCK as u64;
            if wanted.is_none() {
                let end = memchr::memchr(b'\n', &block).ok_or(MALFORMED)?;
                let pieces = pax::decimal(&block[..end]).ok_or(MALFORMED)?;
                wanted = Some(pieces.checked_mul(2).and_then(|lines| lines.checked_add(1)).ok_or(MALFORMED)?);
            }
            lines += memchr::memchr_iter(b'\n', &block).count() as u64;
        }
        Ok(())
    }

    /// Old GNU sparse files continue their map in blocks between the header and the content.
    pub(super) fn skip_sparse_map(&mut self) -> Result<(), TarError> {
        loop {
            let Some(block) = self.read_block()? else { return Err(TarError::Truncated) };
            if !header::sparse_map_continues(&block) {
                return Ok(());
            }
        }
    }
}
