//! The models of the test kit, held to the same laws as everyone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::ports::{
    Clock, EventStore, LayerIndex, Queue, Registry, RegistryError, ReportArchive, ReportSink,
};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::laws::clock::ClockHarness;
use cve_monitor_core::testkit::laws::event_store::EventStoreHarness;
use cve_monitor_core::testkit::laws::layer_index::LayerIndexHarness;
use cve_monitor_core::testkit::laws::queue::QueueHarness;
use cve_monitor_core::testkit::laws::registry::{RegistryHarness, Seeded};
use cve_monitor_core::testkit::laws::report_archive::ReportArchiveHarness;
use cve_monitor_core::testkit::laws::report_sink::ReportSinkHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use cve_monitor_core::testkit::model::{
    MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryQueue, MemoryRegistry, MemorySink, layer_of,
};
use cve_monitor_core::vocabulary::{Descriptor, Digest, ImageId, Manifest, RepositoryName, Tag};

use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("clock", "manual", laws::clock::LAWS, || Box::pin(async { Ok(memory() as _) }));
    rows.add("queue", "memory", laws::queue::LAWS, || Box::pin(async { Ok(memory() as _) }));
    rows.add("event_store", "memory", laws::event_store::LAWS, || Box::pin(async { Ok(memory() as _) }));
    rows.add("layer_index", "memory", laws::layer_index::LAWS, || Box::pin(async { Ok(memory() as _) }));
    rows.add("report_archive", "memory", laws::report_archive::LAWS, || {
        Box::pin(async { Ok(memory() as _) })
    });
    rows.add("report_sink", "memory", laws::report_sink::LAWS, || Box::pin(async { Ok(memory() as _) }));
    rows.add("registry", "memory", laws::registry::LAWS, || Box::pin(async { Ok(memory() as _) }));
}

/// One of every model, on one clock; each port may be looked at through something else.
pub(crate) struct Memory {
    names: UniqueNames,
    manual_clock: Arc<ManualClock>,
    bodies: Arc<MemoryArchive>,
    objects: Arc<MemorySink>,
    content: Arc<MemoryRegistry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) index: Arc<dyn LayerIndex>,
    pub(crate) archive: Arc<dyn ReportArchive>,
    pub(crate) sink: Arc<dyn ReportSink>,
    pub(crate) registry: Arc<dyn Registry>,
}

pub(crate) fn memory() -> Box<Memory> {
    let clock = Arc::new(ManualClock::default());
    let (bodies, objects) = (Arc::<MemoryArchive>::default(), Arc::<MemorySink>::default());
    let content = Arc::new(registry());
    Box::new(Memory {
        names: UniqueNames::new("m"),
        clock: Arc::clone(&clock) as _,
        queue: Arc::new(MemoryQueue::new(Arc::clone(&clock) as _)),
        store: Arc::<MemoryEventStore>::default(),
        index: Arc::<MemoryLayerIndex>::default(),
        archive: Arc::clone(&bodies) as _,
        sink: Arc::clone(&objects) as _,
        registry: Arc::clone(&content) as _,
        manual_clock: clock,
        bodies,
        objects,
        content,
    })
}

pub(super) fn registry() -> MemoryRegistry {
    MemoryRegistry::new("memory.test".parse().expect("a registry name"))
}

fn tag(text: &str) -> Tag {
    text.parse().expect("a tag")
}

#[async_trait]
impl Harness for Memory {
    async fn advance(&self, by: Duration) {
        self.manual_clock.advance(by);
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

impl ClockHarness for Memory {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

impl QueueHarness for Memory {
    fn queue(&self) -> Arc<dyn Queue> {
        Arc::clone(&self.queue)
    }
}

impl EventStoreHarness for Memory {
    fn store(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.store)
    }
}

impl LayerIndexHarness for Memory {
    fn index(&self) -> Arc<dyn LayerIndex> {
        Arc::clone(&self.index)
    }
}

#[async_trait]
impl ReportArchiveHarness for Memory {
    fn archive(&self) -> Arc<dyn ReportArchive> {
        Arc::clone(&self.archive)
    }

    async fn damage(&self, digest: &Digest) -> Option<()> {
        self.bodies.damage(digest).then_some(())
    }
}

#[async_trait]
impl ReportSinkHarness for Memory {
    fn sink(&self) -> Arc<dyn ReportSink> {
        Arc::clone(&self.sink)
    }

    async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects.objects()
    }
}

impl Memory {
    fn repository(&self) -> RepositoryName {
        self.unique().parse().expect("a repository name")
    }

    async fn image_of(&self, registry: &MemoryRegistry) -> (ImageId, Descriptor) {
        let layer = layer_of(&[("openssl", &self.unique())]);
        let image = registry.put_image(&self.repository(), None, &[layer]);
        let manifest = registry.manifest(&image).await.expect("it was put");
        let Ok(Manifest::Image(parsed)) = manifest.parse() else { panic!("not an image") };
        (image, parsed.layers[0].clone())
    }
}

#[async_trait]
impl RegistryHarness for Memory {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry)
    }

    async fn seeded(&self) -> Option<Seeded> {
        let (first, blob) = self.image_of(&self.content).await;
        let repository = first.repository.clone();
        let mut tagged = BTreeMap::new();
        for n in ["a", "b", "c"] {
            let image = self.content.put_image(&repository, Some(&tag(n)), &[layer_of(&[("zlib", n)])]);
            self.content.tag(&image, &tag(&format!("{n}-again")));
            tagged.insert(image.digest, vec![tag(n), tag(&format!("{n}-again"))]);
        }
        Some(Seeded { repository, tagged, untagged: vec![first.digest], blob })
    }

    async fn push_more(&self, repository: &RepositoryName) -> Option<()> {
        let name = self.unique();
        self.content.put_image(repository, Some(&tag(&name)), &[layer_of(&[("more", &name)])]);
        Some(())
    }

    async fn move_tag(&self, to: &ImageId, tag: &Tag) -> Option<()> {
        self.content.tag(to, tag).then_some(())
    }

    async fn damaged_blob(&self) -> Option<(RepositoryName, Descriptor)> {
        let (image, blob) = self.image_of(&self.content).await;
        self.content.damage(&blob.digest).then_some((image.repository, blob))
    }

    async fn damaged_manifest(&self) -> Option<ImageId> {
        let (image, _) = self.image_of(&self.content).await;
        self.content.damage(&image.digest).then_some(image)
    }

    async fn denied(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        let registry = registry();
        let (image, _) = self.image_of(&registry).await;
        registry.fail_repository(&image.repository, Some(RegistryError::Denied("a test".to_owned())));
        Some((Arc::new(registry), image))
    }

    async fn throttled(&self) -> Option<(Arc<dyn Registry>, ImageId)> {
        let registry = registry();
        let (image, _) = self.image_of(&registry).await;
        let retry_after = Some(Duration::from_secs(1));
        registry.fail_next(1, &RegistryError::Throttled { retry_after, detail: "a test".to_owned() });
        Some((Arc::new(registry), image))
    }
}
