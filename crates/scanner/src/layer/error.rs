//! Why a transfer of a layer failed: each variant says that the bytes are not the ones asked for.

/// The bytes that arrived are not the layer. What is wrong *inside* the right bytes is a
/// [`LayerProblem`](crate::LayerProblem) in the record instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The reader failed: fetch again.
    #[error("reading layer {digest} failed after {read_bytes} bytes; fetch it again")]
    Io {
        /// The digest that was asked for.
        digest: String,
        /// Compressed bytes that arrived.
        read_bytes: u64,
        /// What the reader said.
        #[source]
        source: std::io::Error,
    },
    /// The bytes hash to something else: fetch again.
    #[error("layer {expected} hashes to {actual}; fetch it again")]
    DigestMismatch {
        /// The digest that was asked for.
        expected: String,
        /// The digest of what arrived.
        actual: String,
    },
    /// More or fewer bytes than the manifest says: fetch again.
    #[error(
        "layer {digest} should have {expected_bytes} bytes, but {actual_bytes} or more arrived; fetch it again"
    )]
    SizeMismatch {
        /// The digest that was asked for.
        digest: String,
        /// The size in the manifest.
        expected_bytes: u64,
        /// What arrived; reading stops one byte past the expected size.
        actual_bytes: u64,
    },
    /// The digest is not `sha256:` and 64 hexadecimal digits: fetching again does not help.
    #[error(
        "layer digest {digest:?} is not sha256 and 64 lower-case hexadecimal digits; it cannot be verified"
    )]
    UnsupportedDigest {
        /// The digest that was asked for.
        digest: String,
    },
}
