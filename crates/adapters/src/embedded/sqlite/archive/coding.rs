//! How a body lies in its row: as it is, or compressed.

use cve_monitor_core::ports::MAX_BODY_BYTES;

/// `coding` of a body as it is.
const PLAIN: i64 = 0;
/// `coding` of a body in one zstd frame.
const ZSTD: i64 = 1;
/// zstd's own default: reports shrink to a tenth, at hundreds of MB a second.
const LEVEL: i32 = 3;

/// A body as it lies in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coded {
    /// The length of the body itself, in bytes.
    pub(super) size: i64,
    pub(super) coding: i64,
    pub(super) bytes: Vec<u8>,
}

impl Coded {
    /// Compressed where that is smaller.
    pub(super) fn smallest(body: Vec<u8>) -> Self {
        let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
        match zstd::bulk::compress(&body, LEVEL) {
            Ok(bytes) if bytes.len() < body.len() => Self { size, coding: ZSTD, bytes },
            _ => Self { size, coding: PLAIN, bytes: body },
        }
    }

    /// The body; none where the row is damaged.
    pub(super) fn decoded(self) -> Option<Vec<u8>> {
        let size = usize::try_from(self.size).ok().filter(|size| *size <= MAX_BODY_BYTES)?;
        match self.coding {
            PLAIN => Some(self.bytes),
            ZSTD => zstd::bulk::decompress(&self.bytes, size).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compresses_is_compressed_and_what_does_not_is_kept() {
        let repetitive = b"{\"Name\":\"CVE-2026-0001\"}".repeat(100);
        let coded = Coded::smallest(repetitive.clone());
        assert!(coded.coding == ZSTD && coded.bytes.len() < repetitive.len() / 10, "{}", coded.bytes.len());
        assert_eq!(coded.decoded(), Some(repetitive));
        let short = b"{}".to_vec();
        let coded = Coded::smallest(short.clone());
        assert_eq!((coded.coding, coded.decoded()), (PLAIN, Some(short)));
    }

    #[test]
    fn a_row_that_claims_more_than_the_bound_is_damaged_not_allocated() {
        let coded = Coded::smallest(vec![b'x'; 1000]);
        let over = i64::try_from(MAX_BODY_BYTES + 1).unwrap();
        assert_eq!(Coded { size: over, ..coded.clone() }.decoded(), None);
        assert_eq!(Coded { size: -1, ..coded.clone() }.decoded(), None);
        assert_eq!(Coded { coding: 7, ..coded }.decoded(), None);
    }
}
