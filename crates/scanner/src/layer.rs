//! One layer, streamed once: verified, inflated, walked; nothing is unpacked.

mod decompress;
mod error;
mod hashing;
mod limits;
pub(crate) mod path;
mod problem;
mod tar;

use std::io::{self, Read};

use self::decompress::Decoder;
pub(crate) use self::hashing::digest_text;
use self::hashing::{BlobReader, ContentReader};
use crate::inventory::{Collector, Content, LayerRecord, RECORD_FORMAT};

pub use self::error::LayerError;
pub use self::limits::{
    DEFAULT_MAX_BLOB_BYTES, DEFAULT_MAX_CAPTURED_BYTES, DEFAULT_MAX_ENTRIES, DEFAULT_MAX_LAYER_BYTES,
    DEFAULT_MAX_NAME_BYTES, DEFAULT_MAX_RECORD_BYTES, Extraction, Limits, MAX_EXTENDED_HEADER_BYTES,
    MAX_ZSTD_WINDOW_LOG,
};
pub use self::problem::LayerProblem;
use self::tar::TarReader;
pub(crate) use self::tar::{Member, MemberKind, TarError};

/// What the manifest says about a layer's blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedBlob {
    /// `sha256:` and 64 lower-case hexadecimal digits.
    pub digest: String,
    /// Compressed bytes, where the manifest says.
    pub size: Option<u64>,
    /// The media type; only encryption is read out of it, the compression is told by the bytes.
    pub media_type: String,
}

/// Reads one layer to its end and returns what an inventory needs of it.
///
/// An error says that these are not the bytes of the layer: fetch it again. Bytes that are the right ones
/// but cannot be read (truncated before they were pushed, too large, encrypted) are a record with problems,
/// since another try would end the same. Memory does not depend on the layer's size.
///
/// # Errors
///
/// See [`LayerError`].
pub fn read_layer(
    blob: impl Read,
    expected: &ExpectedBlob,
    extraction: &Extraction,
) -> Result<LayerRecord, LayerError> {
    if !is_sha256(&expected.digest) {
        return Err(LayerError::UnsupportedDigest { digest: expected.digest.clone() });
    }
    let mut blob = BlobReader::new(blob, expected.size.unwrap_or(extraction.limits.max_blob_bytes));
    let mut record = LayerRecord {
        format: RECORD_FORMAT,
        extractor: extraction.version().to_owned(),
        blob_digest: expected.digest.clone(),
        blob_bytes: 0,
        diff_id: None,
        content_bytes: 0,
        members: 0,
        nodes: Vec::new(),
        whiteouts: Vec::new(),
        opaque_directories: Vec::new(),
        unread: Vec::new(),
        problems: Vec::new(),
    };
    if expected.media_type.ends_with("+encrypted") {
        record.problems.push(LayerProblem::Encrypted);
    } else {
        read_content(&mut blob, extraction, &mut record);
    }
    // The digest covers the whole blob, whatever became of its content.
    blob.drain();
    record.blob_bytes = blob.read_bytes();
    verify(blob, expected)?;
    Ok(record)
}

fn verify<R: Read>(blob: BlobReader<R>, expected: &ExpectedBlob) -> Result<(), LayerError> {
    let read_bytes = blob.read_bytes();
    let digest = expected.digest.clone();
    let actual =
        blob.finish().map_err(|source| LayerError::Io { digest: digest.clone(), read_bytes, source })?;
    match expected.size {
        Some(expected_bytes) if expected_bytes != read_bytes => {
            Err(LayerError::SizeMismatch { digest, expected_bytes, actual_bytes: read_bytes })
        }
        _ if actual != expected.digest => Err(LayerError::DigestMismatch { expected: digest, actual }),
        _ => Ok(()),
    }
}

/// Whatever goes wrong here is a problem of the content, unless the blob's reader turns out to have failed.
fn read_content<R: Read>(blob: &mut BlobReader<R>, extraction: &Extraction, record: &mut LayerRecord) {
    let limits = &extraction.limits;
    let decoder = match Decoder::open(&mut *blob) {
        Ok(Ok(decoder)) => decoder,
        Ok(Err(found)) => {
            record.problems.push(LayerProblem::UnsupportedFormat { found: found.to_owned() });
            return;
        }
        // Only the blob's own reader can fail here, and it remembers.
        Err(_) => return,
    };
    let mut tar = TarReader::new(ContentReader::new(decoder, limits.max_layer_bytes), limits.max_name_bytes);
    let mut collector = Collector::new(extraction);
    let walked = walk(&mut tar, &mut collector, limits, record);
    let mut collected = collector.finish();
    record.unread = collected.unread();
    record.nodes = collected.nodes;
    record.whiteouts = collected.whiteouts;
    record.opaque_directories = collected.opaque_directories;
    record.problems.extend(collected.problems);

    let (mut content, blank_ahead) = tar.into_source();
    // After a broken header the rest may still decompress; after a broken stream it cannot.
    let drained = match &walked {
        Err(TarError::Read(_)) => Ok(true),
        _ => content.drain(),
    };
    record.content_bytes = content.read_bytes();
    if content.limit_hit() {
        let limit_bytes = limits.max_layer_bytes;
        record.problems.push(LayerProblem::LayerTooLarge { limit_bytes });
        return;
    }
    let at_byte = record.content_bytes;
    match &walked {
        Err(error) => record.problems.push(problem_of(error, at_byte)),
        // Readers that are told to would go on behind the end.
        Ok(Walked::ToTheEnd) if matches!(drained, Ok(blank) if !(blank && blank_ahead)) => {
            let reason = "something follows the archive's end".to_owned();
            record.problems.push(LayerProblem::MalformedArchive { at_byte, reason });
        }
        Ok(_) => {}
    }
    match drained {
        Err(error) => record.problems.push(stream_problem(&error, at_byte)),
        Ok(_) if matches!(walked, Err(TarError::Read(_))) => {}
        Ok(_) => record.diff_id = Some(content.diff_id()),
    }
}

/// How far an archive was walked.
#[derive(Debug)]
enum Walked {
    ToTheEnd,
    ToTheBound,
}

fn walk<R: Read>(
    tar: &mut TarReader<R>,
    collector: &mut Collector,
    limits: &Limits,
    record: &mut LayerRecord,
) -> Result<Walked, TarError> {
    while let Some(member) = tar.next_member()? {
        if record.members == limits.max_entries {
            record.problems.push(LayerProblem::TooManyMembers { limit_members: limits.max_entries });
            return Ok(Walked::ToTheBound);
        }
        record.members += 1;
        collector.member(&member, tar)?;
    }
    Ok(Walked::ToTheEnd)
}

impl<R: Read> Content for TarReader<R> {
    fn peek(&mut self, wanted: usize) -> Result<&[u8], TarError> {
        TarReader::peek(self, wanted)
    }

    fn chunk(&mut self) -> Result<Option<&[u8]>, TarError> {
        TarReader::chunk(self)
    }

    fn remaining(&self) -> u64 {
        TarReader::remaining(self)
    }
}

fn problem_of(error: &TarError, at_byte: u64) -> LayerProblem {
    match error {
        TarError::Read(error) => stream_problem(error, at_byte),
        TarError::Truncated => LayerProblem::Truncated { at_byte },
        TarError::Malformed(reason) => {
            LayerProblem::MalformedArchive { at_byte, reason: (*reason).to_owned() }
        }
        TarError::NameTooLong(limit_bytes) => LayerProblem::NameTooLong { limit_bytes: *limit_bytes },
    }
}

fn stream_problem(error: &io::Error, at_byte: u64) -> LayerProblem {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => LayerProblem::Truncated { at_byte },
        _ => LayerProblem::CorruptCompression { at_byte },
    }
}

fn is_sha256(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests;
