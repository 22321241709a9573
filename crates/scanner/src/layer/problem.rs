//! What can be wrong with the content of a layer whose bytes are the right ones.

use serde::{Deserialize, Serialize};

/// Why a layer, or a file in it, could not be read to its end.
///
/// The digest of such a layer verifies, so that fetching it again changes nothing: the look at every image
/// that holds it is incomplete, and this is the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayerProblem {
    /// The compressed stream or the archive ends too early.
    Truncated {
        /// Decompressed bytes read until then.
        at_byte: u64,
    },
    /// The compressed stream does not decode.
    CorruptCompression {
        /// Decompressed bytes read until then.
        at_byte: u64,
    },
    /// The blob is neither gzip nor zstd nor a tar archive.
    UnsupportedFormat {
        /// What its first bytes look like, or its media type.
        found: String,
    },
    /// The media type says that the layer is encrypted.
    Encrypted,
    /// The archive has a header that is not one of a tar archive.
    MalformedArchive {
        /// Decompressed bytes read until then.
        at_byte: u64,
        /// What is wrong.
        reason: String,
    },
    /// The layer decompresses to more than the limit.
    LayerTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The archive has more members than the limit.
    TooManyMembers {
        /// The limit.
        limit_members: u64,
    },
    /// A member's name, or its extended header, is longer than the limit.
    NameTooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// The layer holds more of what an inventory keeps than a record may hold.
    RecordTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// A package database is larger than the limit.
    DatabaseTooLarge {
        /// Its path in the image.
        path: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// A package database has parts that cannot be read.
    MalformedDatabase {
        /// Its path in the image.
        path: String,
        /// How many parts.
        parts: u64,
    },
    /// A package database is reached through a link that ends nowhere that was read.
    DatabaseUnreachable {
        /// Its path in the image.
        path: String,
    },
    /// A package database is stored as a sparse file.
    SparseDatabase {
        /// Its path in the image.
        path: String,
    },
    /// A member's name climbs out of the root towards a file of interest; it was ignored.
    NameLeavesRoot {
        /// The path that a careless unpacker would have written.
        path: String,
    },
}

impl LayerProblem {
    /// The problem's stable name, as it is stored.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::CorruptCompression { .. } => "corrupt_compression",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::Encrypted => "encrypted",
            Self::MalformedArchive { .. } => "malformed_archive",
            Self::LayerTooLarge { .. } => "layer_too_large",
            Self::TooManyMembers { .. } => "too_many_members",
            Self::NameTooLong { .. } => "name_too_long",
            Self::RecordTooLarge { .. } => "record_too_large",
            Self::DatabaseTooLarge { .. } => "database_too_large",
            Self::MalformedDatabase { .. } => "malformed_database",
            Self::DatabaseUnreachable { .. } => "database_unreachable",
            Self::SparseDatabase { .. } => "sparse_database",
            Self::NameLeavesRoot { .. } => "name_leaves_root",
        }
    }

    /// The file that it is about; none where it is about the whole layer.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::DatabaseTooLarge { path, .. }
            | Self::MalformedDatabase { path, .. }
            | Self::DatabaseUnreachable { path }
            | Self::SparseDatabase { path }
            | Self::NameLeavesRoot { path } => Some(path),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_name_is_the_code() {
        for problem in [
            LayerProblem::Truncated { at_byte: 1 },
            LayerProblem::Encrypted,
            LayerProblem::MalformedDatabase { path: "p".into(), parts: 1 },
            LayerProblem::NameLeavesRoot { path: "p".into() },
        ] {
            let json = serde_json::to_value(&problem).unwrap();
            assert_eq!(json["problem"], problem.code());
        }
    }
}
