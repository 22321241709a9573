//! Archives with a fault.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{ArchiveError, ReportArchive};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::Digest;

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    TakesNothingTwice,
    CutsBodies,
    ServesDamage,
    RemovesNothing,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn ReportArchive>,
    fault: Fault,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::report_archive::ReportArchiveHarness>); 4] = [
        ("takes_nothing_twice", "A1", || Box::pin(async { Ok(with(Fault::TakesNothingTwice) as _) })),
        ("cuts_bodies", "A2", || Box::pin(async { Ok(with(Fault::CutsBodies) as _) })),
        ("serves_damage", "A3", || Box::pin(async { Ok(with(Fault::ServesDamage) as _) })),
        ("removes_nothing", "A4", || Box::pin(async { Ok(with(Fault::RemovesNothing) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("report_archive", fault, law, laws::report_archive::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.archive = Arc::new(Broken { inner: memory.archive, fault });
    memory
}

#[async_trait]
impl ReportArchive for Broken {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        let known = self.inner.get(&Digest::of(body)).await?.is_some();
        if known && self.fault == Fault::TakesNothingTwice {
            return Err(ArchiveError::Permanent("it is there".to_owned()));
        }
        self.inner.put(body).await
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        match (self.fault, self.inner.get(digest).await) {
            (Fault::CutsBodies, Ok(Some(mut body))) => {
                body.truncate(64 * 1024);
                Ok(Some(body))
            }
            (Fault::ServesDamage, Err(ArchiveError::Corrupt(_))) => Ok(Some(b"damaged".to_vec())),
            (_, answer) => answer,
        }
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        if self.fault == Fault::RemovesNothing { Ok(()) } else { self.inner.remove(digest).await }
    }
}
