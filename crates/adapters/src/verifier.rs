//! Holds the bytes of a blob against the digest and size that promise them, as they pass.

use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::{Descriptor, Digest};
use sha2::{Digest as _, Sha256};

/// Keeps a hash and a count, never a byte.
#[derive(Debug)]
pub(crate) struct Verifier {
    promised: Descriptor,
    hash: Sha256,
    seen: u64,
}

impl Verifier {
    pub(crate) fn new(promised: Descriptor) -> Self {
        Self { promised, hash: Sha256::new(), seen: 0 }
    }

    /// How many bytes have passed.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether as many bytes have passed as were promised.
    pub(crate) fn is_full(&self) -> bool {
        self.seen == self.promised.size
    }

    /// Takes note of bytes; more than promised is an error at once, however endless the rest.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.seen > self.promised.size {
            return Err(corrupt(&self.promised, "more bytes came"));
        }
        self.hash.update(bytes);
        Ok(())
    }

    /// Judges the whole.
    pub(crate) fn finish(self) -> Result<(), RegistryError> {
        if self.seen < self.promised.size {
            return Err(corrupt(&self.promised, &format!("only {} bytes came", self.seen)));
        }
        let digest = Digest::from_hash(&self.hash.finalize());
        if digest == self.promised.digest {
            Ok(())
        } else {
            Err(corrupt(&self.promised, &format!("what came hashes to {digest}")))
        }
    }
}

/// The error for a blob that is not what was promised.
pub(crate) fn corrupt(promised: &Descriptor, what: &str) -> RegistryError {
    RegistryError::Corrupt(format!("blob {} of {} bytes: {what}", promised.digest, promised.size))
}

/// Holds a manifest against its digest.
pub(crate) fn verify_manifest(digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
    let came = Digest::of(bytes);
    if came == *digest {
        Ok(())
    } else {
        Err(RegistryError::Corrupt(format!("manifest {digest}: what came hashes to {came}")))
    }
}

#[cfg(test)]
mod tests {
    use cve_monitor_core::vocabulary::MediaType;

    use super::*;

    fn judge(promised: &[u8], size: u64, chunks: &[&[u8]]) -> Result<(), RegistryError> {
        let media_type = MediaType("application/octet-stream".to_owned());
        let mut verifier = Verifier::new(Descriptor { media_type, digest: Digest::of(promised), size });
        chunks.iter().try_for_each(|chunk| verifier.take(chunk))?;
        verifier.finish()
    }

    #[test]
    fn only_the_promised_bytes_in_the_promised_number_pass() {
        assert_eq!(judge(b"abc", 3, &[b"a", b"", b"bc"]), Ok(()));
        assert_eq!(judge(b"", 0, &[]), Ok(()));
        for (size, chunks, why) in [
            (3, [b"ab".as_slice(), b"d"], "hashes to"),
            (3, [b"ab", b""], "only 2 bytes"),
            (3, [b"ab", b"cd"], "more bytes"),
        ] {
            let error = judge(b"abc", size, &chunks).unwrap_err();
            assert!(matches!(&error, RegistryError::Corrupt(text) if text.contains(why)), "{error}");
        }
    }
}
