//! The world: what there is, and what is true of it, whatever the processes believe.

mod catalogue;
mod happenings;
mod truth;

use std::collections::BTreeSet;
use std::sync::Arc;

use cve_monitor_core::ports::{EventStore as _, Registry as _};
use cve_monitor_core::scan::{Head, HeadState, ImageState, StreamId};
use cve_monitor_core::testkit::model::{
    MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryRegistry, MemorySink, ModelFeed, ModelKnowledge,
};
use cve_monitor_core::vocabulary::{ImageId, RegistryName, RequestId};
use futures::FutureExt as _;

pub(crate) use self::catalogue::{Kind, Known};
pub(crate) use self::truth::{FindingTruth, Truth};
use crate::ports::QueueModel;
use crate::stage::{Locked, Stage};

/// The world of one run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stage: Arc<Stage>,
    pub(crate) registry: MemoryRegistry,
    pub(crate) store: Arc<MemoryEventStore>,
    pub(crate) queue: Arc<QueueModel>,
    pub(crate) index: Arc<MemoryLayerIndex>,
    pub(crate) archive: Arc<MemoryArchive>,
    pub(crate) sinks: [Arc<MemorySink>; 2],
    pub(crate) knowledge: Arc<ModelKnowledge>,
    pub(crate) feed: Arc<ModelFeed>,
    pub(crate) truth: Locked<Truth>,
    /// Requests that a careless table of seen messages holds: of one mutation alone.
    pub(crate) answered: Locked<BTreeSet<RequestId>>,
}

/// Models answer at once.
pub(crate) fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap_or_else(|| unreachable!("a model in memory does not wait"))
}

impl World {
    pub(crate) fn new(stage: &Arc<Stage>, name: &RegistryName) -> Self {
        let registry = MemoryRegistry::new(name.clone());
        let knowledge = Arc::new(ModelKnowledge::loading());
        let truth = Truth::drawn(&mut stage.props().chance, name);
        Self {
            stage: Arc::clone(stage),
            registry,
            store: Arc::default(),
            queue: Arc::new(QueueModel::new(stage)),
            index: Arc::new(MemoryLayerIndex::default()),
            archive: Arc::new(MemoryArchive::default()),
            sinks: [Arc::new(MemorySink::named("lake")), Arc::new(MemorySink::named("desk"))],
            feed: Arc::new(ModelFeed::new(Arc::clone(&knowledge))),
            knowledge,
            truth: Locked::new(truth),
            answered: Locked::default(),
        }
    }

    /// The state of an image, as its head says.
    pub(crate) fn state_of(&self, image: &ImageId) -> Option<ImageState> {
        let head = now(self.store.head(&StreamId::image(image))).ok().flatten();
        head.as_ref().and_then(Head::image).cloned()
    }

    pub(crate) fn registry_name(&self) -> RegistryName {
        self.registry.identity().name
    }

    /// All heads.
    pub(crate) fn heads(&self) -> Vec<(StreamId, Head)> {
        now(self.store.heads("", None, usize::MAX)).map(|page| page.items).unwrap_or_default()
    }

    /// What keeps the world from being at rest; none where nothing is left to do.
    pub(crate) fn unrest(&self) -> Option<String> {
        if !self.queue.is_empty() {
            return Some(format!("{} messages lie in the queue", self.queue.len()));
        }
        let latest = self.knowledge.latest().map(|generation| generation.0.to_string());
        let mut followed = latest.is_none();
        for (stream, head) in self.heads() {
            match &head.state {
                HeadState::Image(state) if state.due.is_some() => {
                    return Some(format!("{stream} waits for {:?}", state.due));
                }
                HeadState::Feed(state) => {
                    let cursor = state.cursor.as_ref().map(|cursor| &cursor.0);
                    if state.fan_out.is_some() || state.sweep.is_some() {
                        return Some("a fan-out or a sweep is under way".to_owned());
                    }
                    followed = cursor == latest.as_ref();
                }
                _ => {}
            }
        }
        (!followed).then(|| "the feed is not followed to its end".to_owned())
    }
}
