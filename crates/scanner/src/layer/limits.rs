//! What is read of a layer, and within which bounds.

use crate::inventory::{EXTRACTOR_VERSION, EXTRACTOR_VERSION_WITH_LOCK_FILES};

/// Decompressed bytes of one layer.
pub const DEFAULT_MAX_LAYER_BYTES: u64 = 64 << 30;
/// Compressed bytes of one layer when the manifest names no size.
pub const DEFAULT_MAX_BLOB_BYTES: u64 = 64 << 30;
/// Members of one archive.
pub const DEFAULT_MAX_ENTRIES: u64 = 10_000_000;
/// Bytes of one member's name or link target.
pub const DEFAULT_MAX_NAME_BYTES: usize = 32 << 10;
/// Bytes of one file that is held to be read, such as a package database; kinds of files have bounds of their own
/// below it.
pub const DEFAULT_MAX_CAPTURED_BYTES: usize = 256 << 20;
/// Bytes of text that one layer's record may retain.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 64 << 20;
/// Bytes of one PAX or GNU extended header.
pub const MAX_EXTENDED_HEADER_BYTES: u64 = 1 << 20;
/// The largest zstd window, as a power of two of bytes (128 MiB).
pub const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// What is read of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extraction {
    /// What it may cost.
    pub limits: Limits,
    /// Whether lock files are read: what they name is meant to be installed, and need not be.
    pub lock_files: bool,
}

impl Extraction {
    /// Changes whenever what is extracted changes: records of another version are read again.
    #[must_use]
    pub fn version(&self) -> &'static str {
        if self.lock_files { EXTRACTOR_VERSION_WITH_LOCK_FILES } else { EXTRACTOR_VERSION }
    }
}

/// What reading one layer may cost. Going past a limit ends in a named problem, never in more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decompressed bytes of one layer.
    pub max_layer_bytes: u64,
    /// Compressed bytes of one layer, where the manifest names no size.
    pub max_blob_bytes: u64,
    /// Members of one archive.
    pub max_entries: u64,
    /// Bytes of one member's name or link target.
    pub max_name_bytes: usize,
    /// Bytes of one file that is held to be read.
    pub max_captured_bytes: usize,
    /// Bytes of text that one layer's record may retain.
    pub max_record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_layer_bytes: DEFAULT_MAX_LAYER_BYTES,
            max_blob_bytes: DEFAULT_MAX_BLOB_BYTES,
            max_entries: DEFAULT_MAX_ENTRIES,
            max_name_bytes: DEFAULT_MAX_NAME_BYTES,
            max_captured_bytes: DEFAULT_MAX_CAPTURED_BYTES,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The edges themselves are held by the tests of what reads, with limits that are small.
    #[test]
    fn unless_told_otherwise_the_documented_limits_hold() {
        let expected = Limits {
            max_layer_bytes: DEFAULT_MAX_LAYER_BYTES,
            max_blob_bytes: DEFAULT_MAX_BLOB_BYTES,
            max_entries: DEFAULT_MAX_ENTRIES,
            max_name_bytes: DEFAULT_MAX_NAME_BYTES,
            max_captured_bytes: DEFAULT_MAX_CAPTURED_BYTES,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        };
        assert_eq!(Extraction::default().limits, expected);
    }
}
