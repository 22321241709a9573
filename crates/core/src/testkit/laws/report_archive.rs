//! The laws of [`ReportArchive`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{Harness, Law, Outcome, provided, same};
use crate::ports::{ArchiveError, ReportArchive};
use crate::vocabulary::Digest;

/// A fresh archive.
#[async_trait]
pub trait ReportArchiveHarness: Harness {
    /// The archive.
    fn archive(&self) -> Arc<dyn ReportArchive>;

    /// Damages the stored bytes of a body behind the archive's back; none where the backend does not let anyone.
    async fn damage(&self, digest: &Digest) -> Option<()>;
}

/// The laws.
pub const LAWS: &[Law<dyn ReportArchiveHarness>] = &[
    Law { id: "A1", title: "putting_twice_is_putting_once", check: |h| Box::pin(idempotent(h)) },
    Law { id: "A2", title: "what_was_put_is_got", check: |h| Box::pin(read_back(h)) },
    Law { id: "A3", title: "the_digest_is_that_of_the_bytes", check: |h| Box::pin(digest(h)) },
    Law { id: "A3", title: "damaged_bytes_are_corrupt", check: |h| Box::pin(damaged(h)) },
    Law { id: "A4", title: "what_was_removed_is_gone", check: |h| Box::pin(removed(h)) },
];

fn body(harness: &dyn ReportArchiveHarness) -> Vec<u8> {
    format!("{{\"report\":\"{}\"}}", harness.unique()).into_bytes()
}

async fn idempotent(harness: &dyn ReportArchiveHarness) -> Outcome {
    let (archive, body) = (harness.archive(), body(harness));
    let first = archive.put(&body).await?;
    let second = archive.put(&body).await?;
    same("the digest of the second put", &second, &first)?;
    same("the body", &archive.get(&first).await?, &Some(body))
}

async fn read_back(harness: &dyn ReportArchiveHarness) -> Outcome {
    let archive = harness.archive();
    let mut large = body(harness);
    // Larger than a row or a page of any store, and not compressible to nothing.
    large.extend((0..1_u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()));
    for body in [vec![], body(harness), large] {
        let digest = archive.put(&body).await?;
        let found = archive.get(&digest).await?;
        same("the body's length", &found.as_ref().map(Vec::len), &Some(body.len()))?;
        same("the body is the same", &(found == Some(body)), &true)?;
    }
    let absent = Digest::of(harness.unique().as_bytes());
    same("a body never put", &archive.get(&absent).await?, &None)
}

async fn digest(harness: &dyn ReportArchiveHarness) -> Outcome {
    let body = body(harness);
    same("the digest", &harness.archive().put(&body).await?, &Digest::of(&body))
}

async fn damaged(harness: &dyn ReportArchiveHarness) -> Outcome {
    let (archive, body) = (harness.archive(), body(harness));
    let digest = archive.put(&body).await?;
    provided(harness.damage(&digest).await, "a damaged body")?;
    same("a damaged body", &archive.get(&digest).await, &Err(ArchiveError::Corrupt(digest)))
}

async fn removed(harness: &dyn ReportArchiveHarness) -> Outcome {
    let (archive, gone, kept) = (harness.archive(), body(harness), body(harness));
    let digest = archive.put(&gone).await?;
    let other = archive.put(&kept).await?;
    for _ in 0..2 {
        archive.remove(&digest).await?;
        same("the removed body", &archive.get(&digest).await?, &None)?;
    }
    same("the other body", &archive.get(&other).await?, &Some(kept))?;
    archive.put(&gone).await?;
    same("the body put again", &archive.get(&digest).await?, &Some(gone))
}
