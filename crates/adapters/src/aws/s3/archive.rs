//! Report bodies by digest in a bucket.

use std::io::Read as _;

use async_trait::async_trait;
use aws_config::SdkConfig;
use bytes::Bytes;
use cve_monitor_core::ports::{ArchiveError, MAX_BODY_BYTES, ReportArchive};
use cve_monitor_core::vocabulary::Digest;

use super::S3Settings;
use super::bucket::{Bucket, Failure, Found};

/// zstd's own default: reports shrink to a tenth, at hundreds of MB a second.
const LEVEL: i32 = 3;
/// The longest object, in bytes: what does not compress grows by less than a hundredth.
pub const MAX_OBJECT_BYTES: usize = MAX_BODY_BYTES + MAX_BODY_BYTES / 100;
/// What the objects are.
const KIND: &str = "application/zstd";

/// A [`ReportArchive`] in a bucket: one zstd frame under `bodies/sha256/AB/<hex>.zst`, where `AB` are the first two digits
/// of the hash. They spread the load over prefixes, each of which takes 3,500 writes a second.
///
/// A body that is put again is written again: that heals a damaged one, and makes it as young as a new one for rules
/// that let old objects expire. Readers see the one or the other whole, and both are the same.
#[derive(Debug, Clone)]
pub struct S3Archive {
    bucket: Bucket,
}

impl S3Archive {
    /// The archive in this bucket.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: S3Settings) -> Self {
        Self { bucket: Bucket::new(config, settings) }
    }
}

fn key(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("bodies/sha256/{}/{hex}.zst", &hex[..2])
}

impl From<Failure> for ArchiveError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient(problem) => Self::Transient(problem),
            Failure::Permanent(problem) => Self::Permanent(problem),
        }
    }
}

/// Does something that takes the processor for long.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ArchiveError::Transient(format!("the body was not worked on: {error}")))
}

/// The body of an object, of at most so many bytes; none where it is not what its name promises.
fn decoded(object: &[u8], digest: &Digest, most: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    // Bounded while it is read: a frame may become any length.
    let frame = zstd::stream::read::Decoder::with_buffer(object).ok()?;
    frame.take(most as u64 + 1).read_to_end(&mut body).ok()?;
    (body.len() <= most && Digest::of(&body) == *digest).then_some(body)
}

#[async_trait]
impl ReportArchive for S3Archive {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        if body.len() > MAX_BODY_BYTES {
            let length = body.len();
            return Err(ArchiveError::Permanent(format!(
                "a body of {length} bytes is over the bound of {MAX_BODY_BYTES}"
            )));
        }
        let body = body.to_vec();
        let (digest, object) = aside(move || (Digest::of(&body), zstd::bulk::compress(&body, LEVEL))).await?;
        let object = object
            .map_err(|error| ArchiveError::Permanent(format!("the body was not compressed: {error}")))?;
        self.bucket.put(&key(&digest), KIND, Bytes::from(object)).await?;
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        let object = match self.bucket.get(&key(digest), MAX_OBJECT_BYTES).await? {
            Found::Nothing => return Ok(None),
            Found::TooLong => return Err(ArchiveError::Corrupt(digest.clone())),
            Found::Bytes(object) => object,
        };
        let asked = digest.clone();
        let body = aside(move || decoded(&object, &asked, MAX_BODY_BYTES)).await?;
        body.map(Some).ok_or_else(|| ArchiveError::Corrupt(digest.clone()))
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        Ok(self.bucket.remove(&key(digest)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_digits_of_the_hash_are_the_folder() {
        let digest = Digest::of(b"");
        assert_eq!(
            key(&digest),
            "bodies/sha256/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.zst"
        );
    }

    #[test]
    fn what_does_not_compress_stays_under_the_bound_of_objects() {
        let bytes: Vec<u8> =
            (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let object = zstd::bulk::compress(&bytes, LEVEL).unwrap();
        assert!(object.len() < bytes.len() + bytes.len() / 100, "{}", object.len());
        assert_eq!(decoded(&object, &Digest::of(&bytes), bytes.len()), Some(bytes));
    }

    #[test]
    fn the_largest_body_has_room_in_an_object_whatever_it_is() {
        assert!(zstd::zstd_safe::compress_bound(MAX_BODY_BYTES) <= MAX_OBJECT_BYTES);
    }

    #[test]
    fn a_frame_that_grows_past_the_bound_is_damaged() {
        let body = vec![b'x'; 1000];
        let (object, digest) = (zstd::bulk::compress(&body, LEVEL).unwrap(), Digest::of(&body));
        assert_eq!(decoded(&object, &digest, 999), None);
        assert_eq!(decoded(&object, &digest, 1000), Some(body));
    }

    #[test]
    fn a_broken_frame_is_damaged() {
        let body = b"{\"Name\":\"CVE-2026-0001\"}".repeat(100);
        let (object, digest) = (zstd::bulk::compress(&body, LEVEL).unwrap(), Digest::of(&body));
        for broken in [&object[..object.len() - 1], b"damage", b""] {
            assert_eq!(decoded(broken, &digest, MAX_BODY_BYTES), None);
        }
    }
}
