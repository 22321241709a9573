//! Report bodies in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::ports::{ArchiveError, MAX_BODY_BYTES, ReportArchive};
use crate::testkit::locked::Locked;
use crate::vocabulary::Digest;

/// A [`ReportArchive`] in memory.
#[derive(Debug, Default)]
pub struct MemoryArchive(Locked<State>);

#[derive(Debug, Default)]
struct State {
    bodies: BTreeMap<Digest, Vec<u8>>,
    failure: Option<ArchiveError>,
}

impl MemoryArchive {
    /// Every call fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<ArchiveError>) {
        self.0.lock().failure = failure;
    }

    /// Damages a kept body; false where it is not kept.
    pub fn damage(&self, digest: &Digest) -> bool {
        let mut state = self.0.lock();
        let kept = state.bodies.get_mut(digest);
        kept.is_some_and(|body| {
            body.push(b'!');
            true
        })
    }

    /// How many bodies are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().bodies.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    fn available(&self) -> Result<(), ArchiveError> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl ReportArchive for MemoryArchive {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        let mut state = self.0.lock();
        state.available()?;
        if body.len() > MAX_BODY_BYTES {
            return Err(ArchiveError::Permanent(format!(
                "a body of {} bytes; at most {MAX_BODY_BYTES} are kept",
                body.len()
            )));
        }
        let digest = Digest::of(body);
        state.bodies.insert(digest.clone(), body.to_vec());
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        let state = self.0.lock();
        state.available()?;
        match state.bodies.get(digest) {
            Some(body) if Digest::of(body) != *digest => Err(ArchiveError::Corrupt(digest.clone())),
            body => Ok(body.cloned()),
        }
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        let mut state = self.0.lock();
        state.available()?;
        state.bodies.remove(digest);
        Ok(())
    }
}
