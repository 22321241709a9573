//! What is tried is not tried for ever, and what is waited for not ever longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_core::pipeline::bounds::{
    APPEND_ATTEMPTS_MAX, CONFLICTS_MAX, MAX_LISTED, PATIENCE_MAX, PAUSE_MAX, RING_CONFLICTS_MAX, STEPS_MAX,
};
use cve_monitor_core::pipeline::{
    DriveError, Driver, Inbox, InboxError, Ingest, IngestSettings, Outcome, Ports, Pump, ReconcileMode,
    ReconcileSettings, Reconciler, Registries, Rung, Scope, history,
};
use cve_monitor_core::ports::{
    BlobLocation, BlobStream, Clock as _, ListedImage, Registry, RegistryError, StoreError,
};
use cve_monitor_core::testkit::model::{
    AppendFault, MemoryRegistry, MemorySink, ModelAdvisory, ModelKnowledge,
};
use cve_monitor_core::vocabulary::{
    Cause, Descriptor, Digest, FeedName, ImageId, Lane, Page, PageToken, RawManifest, RegistryIdentity,
    RepositoryName, RequestId, ScanRequest, Tag,
};
use futures::FutureExt as _;
use futures::future::join;

use crate::world::World;

const BASE: &[(&str, &str)] = &[("openssl", "3.0.9")];

fn world() -> World {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    world.follow();
    world
}

fn drive(world: &World, ports: Arc<Ports>) -> Result<Outcome, DriveError> {
    let image = world.put("v1", &[BASE]);
    let id = RequestId("a push".to_owned());
    let request = ScanRequest { id, image, cause: Cause::Push { tag: None }, at_least: None };
    world.run(Driver::new(ports).drive(&request, Lane::Push))
}

#[test]
fn a_drive_begins_again_after_so_many_conflicts_and_no_more() {
    for (conflicts, is_done) in [(CONFLICTS_MAX - 1, true), (CONFLICTS_MAX, false)] {
        let world = world();
        (0..conflicts).for_each(|_| world.store.fail_next_append(AppendFault::Conflict));
        match drive(&world, Arc::clone(&world.ports)) {
            Ok(Outcome::Reported { .. }) => assert!(is_done),
            Err(DriveError::Contended(_)) => assert!(!is_done),
            other => panic!("{other:?}"),
        }
    }
}

/// Each sink takes a step; before them come four, and the last one finds that nothing is left to do.
#[test]
fn a_drive_takes_so_many_steps_and_no_more() {
    let most = STEPS_MAX as usize - 5;
    for sinks in [most, most + 1] {
        let world = world();
        let names: Vec<String> = (0..sinks).map(|number| format!("s{number}")).collect();
        let sinks: Vec<_> = names.iter().map(|name| Arc::new(MemorySink::named(name)) as _).collect();
        let mut ports = Ports::clone(&world.ports);
        ports.sinks = sinks;
        match drive(&world, Arc::new(ports)) {
            Ok(Outcome::Reported { .. }) => assert_eq!(names.len(), most),
            Err(DriveError::Broken { problem, .. }) => {
                assert!(problem.contains("more steps than any image") && names.len() > most, "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_append_is_attempted_so_often_and_no_more() {
    for (failing, fails) in [(APPEND_ATTEMPTS_MAX - 1, false), (APPEND_ATTEMPTS_MAX, true)] {
        let world = world();
        (0..failing).for_each(|_| world.store.fail_next_append(AppendFault::Before));
        let driven = drive(&world, Arc::clone(&world.ports));
        assert_eq!(matches!(driven, Err(DriveError::Store(StoreError::Transient(_)))), fails, "{driven:?}");
        assert_eq!(driven.is_ok(), !fails, "{driven:?}");
    }
}

#[test]
fn a_notification_is_decided_anew_after_so_many_conflicts_and_no_more() {
    for (conflicts, expected) in
        [(RING_CONFLICTS_MAX - 1, Ok(Rung::Recorded)), (RING_CONFLICTS_MAX, Err(InboxError::Busy))]
    {
        let world = World::new();
        let inbox = Inbox::new(Arc::clone(&world.ports), &FeedName("inbox".to_owned()), |_| 0);
        (0..conflicts).for_each(|_| world.store.fail_next_append(AppendFault::Conflict));
        assert_eq!(world.run(inbox.ring("a name")), expected);
    }
}

#[test]
fn who_holds_work_while_the_store_is_away_asks_again_within_the_longest_pause() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.store.fail_with(Some(StoreError::Transient("away".to_owned())));
    let began = world.clock.now();
    // Pauses of 1, 2, 4 and 8 seconds, then of the longest: it is back right after one of those began.
    let away = Duration::from_secs(1 + 2 + 4 + 8) + 3 * PAUSE_MAX + Duration::from_millis(1);
    let back = world.clock.sleep_until(began.plus(away)).map(|()| world.store.fail_with(None));
    let stop = world.clock.sleep_until(began.plus(Duration::from_secs(3600)));
    let ingest = Ingest::new(Arc::clone(&world.ports), IngestSettings::default());
    let (counts, ()) = world.run(join(ingest.run(stop), back));
    assert_eq!(counts.reported, 1);
    let reported = world.run(history(&world.ports, &image)).expect("a history")[0].at;
    assert_eq!(reported.since(began), away + PAUSE_MAX - Duration::from_millis(1));
}

/// However often an image was woken in vain, it is woken again within the longest patience.
#[test]
fn who_was_woken_in_vain_waits_for_so_long_and_no_longer() {
    let world = World::with(ModelKnowledge::loading(), Scope::default());
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    assert_eq!(world.ingest().waiting, 1);
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let mut pump = Pump::new(Arc::clone(&world.ports));
    let (mut last, mut longest) = (world.clock.now(), Duration::ZERO);
    for _ in 0..6 * PATIENCE_MAX.as_secs() / 30 {
        if world.run(pump.round()).expect("pumped") > 0 {
            longest = longest.max(world.clock.now().since(last));
            last = world.clock.now();
        }
        world.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(longest, PATIENCE_MAX);
}

/// A registry whose pages lead to further ones for ever.
#[derive(Debug)]
struct Endless {
    inner: Arc<MemoryRegistry>,
    pages: AtomicUsize,
    /// Of how many entries a page is; all alike.
    entries: usize,
}

#[async_trait]
impl Registry for Endless {
    fn identity(&self) -> RegistryIdentity {
        self.inner.identity()
    }

    async fn repositories(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, RegistryError> {
        self.inner.repositories(after, limit).await
    }

    async fn images(
        &self,
        _: &RepositoryName,
        _: Option<PageToken>,
        _: usize,
    ) -> Result<Page<ListedImage>, RegistryError> {
        let entry = ListedImage { digest: Digest::of(b"the same"), tags: vec![], pushed: None };
        self.pages.fetch_add(1, Ordering::SeqCst);
        Ok(Page { items: vec![entry; self.entries], next: Some(PageToken("the same".to_owned())) })
    }

    async fn resolve(&self, repository: &RepositoryName, tag: &Tag) -> Result<Digest, RegistryError> {
        self.inner.resolve(repository, tag).await
    }

    async fn manifest(&self, image: &ImageId) -> Result<RawManifest, RegistryError> {
        self.inner.manifest(image).await
    }

    async fn blob(&self, of: &RepositoryName, blob: &Descriptor) -> Result<BlobStream, RegistryError> {
        self.inner.blob(of, blob).await
    }

    async fn location(&self, of: &RepositoryName, blob: &Descriptor) -> Result<BlobLocation, RegistryError> {
        self.inner.location(of, blob).await
    }

    async fn tags(&self, image: &ImageId) -> Result<Vec<Tag>, RegistryError> {
        self.inner.tags(image).await
    }
}

#[test]
fn a_listing_that_never_ends_is_given_up_and_counted() {
    let world = world();
    world.put("v1", &[BASE]);
    let entries = MAX_LISTED / 10;
    let registry =
        Arc::new(Endless { inner: Arc::clone(&world.registry), pages: AtomicUsize::new(0), entries });
    let mut ports = Ports::clone(&world.ports);
    ports.registries = Registries::new([Arc::clone(&registry) as Arc<dyn Registry>]);
    let reconciler = Reconciler::new(Arc::new(ports), ReconcileSettings::default());
    let name = registry.identity().name;
    let counts = world.run(reconciler.round(&name, ReconcileMode::Apply, &mut |_, _| {})).expect("a round");
    assert_eq!((counts.repositories, counts.unlisted), (0, 1), "the others are gone on with");
    assert_eq!(registry.pages.load(Ordering::SeqCst), 11, "the tenth page ends at the bound");
}
