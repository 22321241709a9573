//! Reads a layer: its bytes come as a stream, the reader of layers blocks; a short channel lies between them.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf as _, Bytes};
use cve_monitor_core::ports::{BlobStream, RegistryError, ScannerError};
use cve_monitor_core::vocabulary::{Descriptor, Digest};
use cve_monitor_scanner::{
    ExpectedBlob, Extraction, LayerError, LayerProblem, LayerRecord, RECORD_FORMAT, read_layer,
};
use futures::StreamExt as _;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::error::refused;

/// How many chunks of a layer wait for its reader; the registry's adapter bounds their size.
const CHUNKS_WAITING: usize = 8;

/// A layer that registries need not hold.
pub(super) fn is_foreign(layer: &Descriptor) -> bool {
    layer.media_type.0.contains(".nondistributable.") || layer.media_type.0.contains(".foreign.")
}

/// A layer that needs a key.
pub(super) fn is_encrypted(layer: &Descriptor) -> bool {
    layer.media_type.0.ends_with("+encrypted")
}

/// What the record of a layer is stored under: its digest. An encrypted layer is not what the same bytes are where a
/// manifest calls them something else.
pub(super) fn key_of(layer: &Descriptor) -> Digest {
    if is_encrypted(layer) {
        Digest::of(format!("encrypted {}", layer.digest).as_bytes())
    } else {
        layer.digest.clone()
    }
}

/// Reads the bytes of one layer to their end and counts them.
pub(super) async fn read(
    stream: BlobStream,
    layer: &Descriptor,
    extraction: Extraction,
    bytes_read: &AtomicU64,
) -> Result<LayerRecord, ScannerError> {
    let expected = ExpectedBlob {
        digest: layer.digest.to_string(),
        size: Some(layer.size),
        media_type: layer.media_type.0.clone(),
    };
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
    let reading = tokio::task::spawn_blocking(move || {
        read_layer(Chunks { receiver, current: Bytes::new() }, &expected, &extraction)
    });
    // Where this future is dropped, the channel closes and the thread ends: a layer that is cut short never verifies.
    let failure = pump(stream, sender, bytes_read).await;
    let read = reading.await.map_err(|error| ScannerError::Transient {
        retry_after: None,
        detail: format!("reading layer {} broke off: {error}", layer.digest),
    })?;
    read.map_err(|error| match failure {
        Some(failure) => refused(failure),
        None => not_the_layer(&error),
    })
}

/// Hands the stream over, chunk by chunk. Answers what ended it before its end.
async fn pump(
    mut stream: BlobStream,
    sender: Sender<Bytes>,
    bytes_read: &AtomicU64,
) -> Option<RegistryError> {
    while let Some(chunk) = stream.next().await {
        match chunk {
            Err(error) => return Some(error),
            Ok(chunk) => {
                bytes_read.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                // The reader has seen enough: more than the manifest says.
                if sender.send(chunk).await.is_err() {
                    return None;
                }
            }
        }
    }
    None
}

/// The record of a layer whose bytes no registry holds.
pub(super) fn held_nowhere(layer: &Descriptor, extraction: Extraction) -> LayerRecord {
    let found = format!("no bytes: the registry does not hold a layer of type {}", layer.media_type);
    unread(layer, extraction, LayerProblem::UnsupportedFormat { found })
}

/// The record of a layer that needs a key. Nobody here has it, and what its bytes look like without it says nothing.
pub(super) fn encrypted(layer: &Descriptor, extraction: Extraction) -> LayerRecord {
    unread(layer, extraction, LayerProblem::Encrypted)
}

fn unread(layer: &Descriptor, extraction: Extraction, problem: LayerProblem) -> LayerRecord {
    LayerRecord {
        format: RECORD_FORMAT,
        extractor: extraction.version().to_owned(),
        blob_digest: layer.digest.to_string(),
        blob_bytes: 0,
        diff_id: None,
        content_bytes: 0,
        members: 0,
        nodes: vec![],
        whiteouts: vec![],
        opaque_directories: vec![],
        unread: vec![],
        problems: vec![problem],
    }
}

fn not_the_layer(error: &LayerError) -> ScannerError {
    let detail = error.to_string();
    match error {
        LayerError::Io { .. } => ScannerError::Transient { retry_after: None, detail },
        LayerError::UnsupportedDigest { .. } => ScannerError::Permanent(detail),
        _ => ScannerError::Corrupt(detail),
    }
}

/// The reading end of the channel. Blocks.
struct Chunks {
    receiver: Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cve_monitor_core::vocabulary::MediaType;
    use futures::stream;

    use super::super::fixture::layer;
    use super::*;

    const PIECE_BYTES: usize = 100;

    fn descriptor(bytes: &[u8]) -> Descriptor {
        Descriptor {
            media_type: MediaType("application/vnd.oci.image.layer.v1.tar".to_owned()),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }

    /// The first `count` bytes in small pieces, then this.
    fn cut(bytes: &[u8], count: usize, end: Option<RegistryError>) -> BlobStream {
        let pieces: Vec<_> =
            bytes[..count].chunks(PIECE_BYTES).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        stream::iter(pieces.into_iter().chain(end.map(Err))).boxed()
    }

    async fn outcome(stream: BlobStream, layer: &Descriptor) -> (Result<LayerRecord, ScannerError>, u64) {
        let bytes_read = AtomicU64::new(0);
        let read = read(stream, layer, Extraction::default(), &bytes_read).await;
        (read, bytes_read.into_inner())
    }

    #[tokio::test]
    async fn a_layer_of_more_pieces_than_wait_at_once_is_read_whole() {
        let bytes = layer(&[("openssl", "3.0.1")]);
        assert!(bytes.len() > PIECE_BYTES * CHUNKS_WAITING * 2);
        let (record, count) = outcome(cut(&bytes, bytes.len(), None), &descriptor(&bytes)).await;
        assert_eq!((record.unwrap().posting_keys()[0].name.as_str(), count), ("openssl", bytes.len() as u64));
    }

    #[tokio::test]
    async fn a_stream_that_fails_ends_as_its_own_error_and_one_that_is_short_as_corrupt() {
        let bytes = layer(&[("openssl", "3.0.1")]);
        let retry_after = Some(Duration::from_secs(7));
        let slow = RegistryError::Throttled { retry_after, detail: "slow".to_owned() };
        let (failed, _) = outcome(cut(&bytes, 1000, Some(slow)), &descriptor(&bytes)).await;
        assert_eq!(failed, Err(ScannerError::Transient { retry_after, detail: "slow".to_owned() }));
        let (short, _) = outcome(cut(&bytes, bytes.len() - 1, None), &descriptor(&bytes)).await;
        assert!(matches!(short, Err(ScannerError::Corrupt(_))), "{short:?}");
    }

    #[tokio::test]
    async fn more_bytes_than_the_manifest_says_are_not_read_to_their_end() {
        let bytes = layer(&[("openssl", "3.0.1")]);
        let endless = stream::repeat(Ok(Bytes::from_static(&[0; PIECE_BYTES]))).boxed();
        let (read, count) = outcome(endless, &descriptor(&bytes)).await;
        assert!(matches!(read, Err(ScannerError::Corrupt(_))), "{read:?}");
        let waiting = (PIECE_BYTES * (CHUNKS_WAITING + 3)) as u64;
        assert!(count <= bytes.len() as u64 + waiting, "{count} bytes of {}", bytes.len());
    }
}
