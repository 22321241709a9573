//! Layer indexes with a fault.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cve_monitor_core::ports::{LayerIndex, LayerIndexError};
use cve_monitor_core::testkit::laws;
use cve_monitor_core::vocabulary::{ImageId, LayerKey, Page, PageToken};

use crate::models::memory::{Memory, memory};
use crate::rows::{Fresh, Rows};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    CountsTwice,
    KeepsOneKey,
    IgnoresTheLimit,
    ForgetsNothing,
    NeverLearnsAgain,
    PassesOverKeys,
    RecordsAllButOne,
}

#[derive(Debug)]
struct Broken {
    inner: Arc<dyn LayerIndex>,
    fault: Fault,
    seen: Mutex<BTreeSet<ImageId>>,
}

pub(super) fn register(rows: &mut Rows) {
    let faults: [(&str, &str, Fresh<dyn laws::layer_index::LayerIndexHarness>); 7] = [
        ("counts_twice", "L1", || Box::pin(async { Ok(with(Fault::CountsTwice) as _) })),
        ("keeps_one_key", "L2", || Box::pin(async { Ok(with(Fault::KeepsOneKey) as _) })),
        ("ignores_the_limit", "L3", || Box::pin(async { Ok(with(Fault::IgnoresTheLimit) as _) })),
        ("forgets_nothing", "L4", || Box::pin(async { Ok(with(Fault::ForgetsNothing) as _) })),
        ("never_learns_again", "L5", || Box::pin(async { Ok(with(Fault::NeverLearnsAgain) as _) })),
        ("passes_over_keys", "L6", || Box::pin(async { Ok(with(Fault::PassesOverKeys) as _) })),
        ("records_all_but_one", "L7", || Box::pin(async { Ok(with(Fault::RecordsAllButOne) as _) })),
    ];
    for (fault, law, fresh) in faults {
        rows.add_broken("layer_index", fault, law, laws::layer_index::LAWS, fresh);
    }
}

fn with(fault: Fault) -> Box<Memory> {
    let mut memory = memory();
    memory.index = Arc::new(Broken { inner: memory.index, fault, seen: Mutex::default() });
    memory
}

#[async_trait]
impl LayerIndex for Broken {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let forgotten = self.seen.lock().expect("no panic").contains(image);
        match self.fault {
            Fault::KeepsOneKey => self.inner.record(image, &keys[..1]).await,
            Fault::NeverLearnsAgain if forgotten => Ok(()),
            _ => self.inner.record(image, keys).await,
        }
    }

    async fn record_all(&self, images: &[(ImageId, Vec<LayerKey>)]) -> Result<(), LayerIndexError> {
        let of_all = images.len();
        let kept = if self.fault == Fault::RecordsAllButOne { of_all.saturating_sub(1) } else { of_all };
        for (image, keys) in images.iter().rev().take(kept) {
            self.record(image, keys).await?;
        }
        Ok(())
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let limit = if self.fault == Fault::IgnoresTheLimit { 1000 } else { limit };
        let mut page = self.inner.images(key, after, limit).await?;
        if self.fault == Fault::CountsTwice {
            page.items.extend(page.items.clone());
        }
        Ok(page)
    }

    async fn images_of_any(
        &self,
        keys: &[LayerKey],
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let passed_over = usize::from(self.fault == Fault::PassesOverKeys && keys.len() > 1);
        self.inner.images_of_any(&keys[passed_over..], after, limit).await
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        self.seen.lock().expect("no panic").insert(image.clone());
        if self.fault == Fault::ForgetsNothing { Ok(()) } else { self.inner.forget(image, keys).await }
    }
}
