//! The layer index, the archive and the sinks.

use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{
    ArchiveError, LayerIndex, LayerIndexError, ReportArchive, ReportObject, ReportSink, SinkError,
};
use cve_monitor_core::testkit::model::{MemoryArchive, MemoryLayerIndex, MemorySink};
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, Page, PageToken};

use super::PAGE;
use crate::wire::{Fails as _, Wire};

/// Which images have a key.
#[derive(Debug)]
pub(crate) struct SimIndex(pub(crate) Wire, pub(crate) Arc<MemoryLayerIndex>);

impl SimIndex {
    /// Some of the keys are written, and then it fails.
    fn half(&self, keys: &[LayerKey]) -> Option<usize> {
        let mut props = self.0.stage().props();
        let props = &mut *props;
        let half = keys.len() > 1 && props.faults.happens(&mut props.chance, 150);
        half.then(|| {
            props.tally.count("batch half done");
            props.chance.below(keys.len())
        })
    }
}

#[async_trait]
impl LayerIndex for SimIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let done = self.half(keys);
        let record = async {
            self.1.record(image, &keys[..done.unwrap_or(keys.len())]).await?;
            done.map_or(Ok(()), |_| Err(LayerIndexError::away("some keys were written")))
        };
        self.0.call("index.record", || image.to_string(), record).await
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        self.0.call("index.images", || key.0.clone(), self.1.images(key, after, limit.min(PAGE))).await
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        let done = self.half(keys);
        let forget = async {
            self.1.forget(image, &keys[..done.unwrap_or(keys.len())]).await?;
            done.map_or(Ok(()), |_| Err(LayerIndexError::away("some keys were removed")))
        };
        self.0.call("index.forget", || image.to_string(), forget).await
    }
}

/// Report bodies.
#[derive(Debug)]
pub(crate) struct SimArchive(pub(crate) Wire, pub(crate) Arc<MemoryArchive>);

#[async_trait]
impl ReportArchive for SimArchive {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        self.0.call("archive.put", || Digest::of(body).to_string(), self.1.put(body)).await
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.0.call("archive.get", || digest.to_string(), self.1.get(digest)).await
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        self.0.call("archive.remove", || digest.to_string(), self.1.remove(digest)).await
    }
}

/// Where reports go.
#[derive(Debug)]
pub(crate) struct SimSink(pub(crate) Wire, pub(crate) Arc<MemorySink>);

#[async_trait]
impl ReportSink for SimSink {
    fn name(&self) -> String {
        self.1.name()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        self.0
            .call("sink.deliver", || format!("{} to {}", report.id, self.1.name()), self.1.deliver(report))
            .await
    }
}
