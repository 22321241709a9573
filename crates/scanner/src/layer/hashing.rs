//! Readers that hash and count what passes through them.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::tar::is_blank;

/// Bytes read at a time while draining.
const DRAIN_BYTES: usize = 64 << 10;

/// Renders a SHA-256 as `sha256:` and lower-case hexadecimal digits.
pub(crate) fn digest_text(hash: &[u8]) -> String {
    let mut text = String::with_capacity(7 + hash.len() * 2);
    text.push_str("sha256:");
    for byte in hash {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Hashes the blob as it arrives, remembers the reader's own failure, and stops one byte past `limit`.
pub(crate) struct BlobReader<R> {
    inner: R,
    hash: Sha256,
    read_bytes: u64,
    limit: u64,
    failure: Option<io::Error>,
}

impl<R: Read> BlobReader<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self { inner, hash: Sha256::new(), read_bytes: 0, limit, failure: None }
    }

    /// Reads what is left, so that the digest covers the whole blob.
    pub(crate) fn drain(&mut self) {
        let mut scratch = vec![0; DRAIN_BYTES];
        while matches!(self.read(&mut scratch), Ok(read) if read > 0) {}
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// The digest of everything read, or the failure that stopped the reading.
    pub(crate) fn finish(self) -> Result<String, io::Error> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(digest_text(&self.hash.finalize())),
        }
    }
}

impl<R: Read> Read for BlobReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() || self.read_bytes > self.limit {
            return Ok(0);
        }
        let room = usize::try_from(self.limit.saturating_add(1) - self.read_bytes)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        loop {
            match self.inner.read(&mut buffer[..room]) {
                Ok(read) => {
                    self.hash.update(&buffer[..read]);
                    self.read_bytes += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let reported = io::Error::new(error.kind(), "the blob's reader failed");
                    self.failure = Some(error);
                    return Err(reported);
                }
            }
        }
    }
}

/// Hashes the decompressed stream and ends it at a limit.
pub(crate) struct ContentReader<R> {
    inner: R,
    hash: Sha256,
    read_bytes: u64,
    limit: u64,
    limit_hit: bool,
}

impl<R: Read> ContentReader<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self { inner, hash: Sha256::new(), read_bytes: 0, limit, limit_hit: false }
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    pub(crate) fn limit_hit(&self) -> bool {
        self.limit_hit
    }

    /// Reads what follows the end of the archive, since the diff id covers it too; whether it is blank.
    pub(crate) fn drain(&mut self) -> io::Result<bool> {
        let mut scratch = vec![0; DRAIN_BYTES];
        let mut blank = true;
        loop {
            match self.read(&mut scratch)? {
                0 => return Ok(blank),
                read => blank = blank && is_blank(&scratch[..read]),
            }
        }
    }

    pub(crate) fn diff_id(self) -> String {
        digest_text(&self.hash.finalize())
    }
}

impl<R: Read> Read for ContentReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.limit_hit {
            return Ok(0);
        }
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if self.read_bytes + read as u64 > self.limit {
            self.limit_hit = true;
            return Ok(0);
        }
        self.hash.update(&buffer[..read]);
        self.read_bytes += read as u64;
        Ok(read)
    }
}
