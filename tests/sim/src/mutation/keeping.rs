//! A layer index, an archive and sinks in careless hands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use cve_monitor_core::ports::{
    ArchiveError, LayerIndex, LayerIndexError, ReportArchive, ReportObject, ReportSink, SinkError,
};
use cve_monitor_core::scan::ReportId;
use cve_monitor_core::vocabulary::{Digest, ImageId, LayerKey, Page, PageToken, Timestamp};

use super::Mutation;
use crate::stage::Locked;

/// Keys that are recorded only after the next assessment.
pub(super) type HeldKeys = Arc<Locked<Vec<(ImageId, Vec<LayerKey>)>>>;

#[derive(Debug)]
pub(super) struct BrokenIndex {
    inner: Arc<dyn LayerIndex>,
    how: Mutation,
    held: HeldKeys,
}

impl BrokenIndex {
    pub(super) fn new(inner: Arc<dyn LayerIndex>, how: Mutation, held: &HeldKeys) -> Self {
        Self { inner, how, held: Arc::clone(held) }
    }
}

#[async_trait]
impl LayerIndex for BrokenIndex {
    async fn record(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        if self.how == Mutation::KeysAfterTheScan {
            self.held.lock().push((image.clone(), keys.to_vec()));
            return Ok(());
        }
        self.inner.record(image, keys).await
    }

    async fn images(
        &self,
        key: &LayerKey,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<ImageId>, LayerIndexError> {
        let mut page = self.inner.images(key, after, limit).await?;
        if self.how == Mutation::FirstPageOfImages {
            page.next = None;
        }
        Ok(page)
    }

    async fn forget(&self, image: &ImageId, keys: &[LayerKey]) -> Result<(), LayerIndexError> {
        self.inner.forget(image, keys).await
    }
}

/// What a body says about itself.
fn object_of(body: &[u8]) -> Option<ReportObject> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| json.get(key).and_then(|value| value.as_str());
    let assessed: Timestamp = text("AssessedAt")?.parse().ok()?;
    let id: ReportId = serde_json::from_value(json.get("ReportId")?.clone()).ok()?;
    Some(ReportObject { id, assessed, body: body.to_vec() })
}

#[derive(Debug)]
pub(super) struct BrokenArchive {
    inner: Arc<dyn ReportArchive>,
    how: Mutation,
    sinks: Vec<Arc<dyn ReportSink>>,
    held: Locked<BTreeMap<Digest, Vec<u8>>>,
    /// What this process has rendered itself.
    rendered: Locked<BTreeSet<Digest>>,
}

impl BrokenArchive {
    pub(super) fn new(inner: Arc<dyn ReportArchive>, how: Mutation, sinks: &[Arc<dyn ReportSink>]) -> Self {
        Self { inner, how, sinks: sinks.to_vec(), held: Locked::default(), rendered: Locked::default() }
    }
}

#[async_trait]
impl ReportArchive for BrokenArchive {
    async fn put(&self, body: &[u8]) -> Result<Digest, ArchiveError> {
        match (self.how, object_of(body)) {
            (Mutation::DeliverBeforeAppend, Some(object)) => {
                for sink in &self.sinks {
                    drop(sink.deliver(&object).await);
                }
            }
            (Mutation::FreshBodyAfterACrash, _) => drop(self.rendered.lock().insert(Digest::of(body))),
            (Mutation::BodyAfterTheEvent, _) => {
                let digest = Digest::of(body);
                self.held.lock().insert(digest.clone(), body.to_vec());
                return Ok(digest);
            }
            _ => {}
        }
        self.inner.put(body).await
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        let held = self.held.lock().remove(digest);
        if let Some(body) = held {
            self.inner.put(&body).await?;
        }
        let kept = self.inner.get(digest).await?;
        // Another process rendered it: this one renders it anew, and the fields come in another order.
        let is_fresh = self.how == Mutation::FreshBodyAfterACrash && !self.rendered.lock().contains(digest);
        let rendered = |body: Vec<u8>| {
            let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
            json.map_or(body, |json| json.to_string().into_bytes())
        };
        Ok(if is_fresh { kept.map(rendered) } else { kept })
    }

    async fn remove(&self, digest: &Digest) -> Result<(), ArchiveError> {
        self.inner.remove(digest).await
    }
}

#[derive(Debug)]
pub(super) struct BrokenSink {
    inner: Arc<dyn ReportSink>,
    how: Mutation,
}

impl BrokenSink {
    pub(super) fn new(inner: Arc<dyn ReportSink>, how: Mutation) -> Self {
        Self { inner, how }
    }
}

#[async_trait]
impl ReportSink for BrokenSink {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        let done = self.inner.deliver(report).await;
        if self.how == Mutation::DeliveredUnheard { Ok(()) } else { done }
    }
}
