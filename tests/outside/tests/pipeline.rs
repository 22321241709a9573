//! The pipeline, driven to a report.

use std::sync::Arc;

use cve_monitor_core::pipeline::{Ingest, IngestSettings, Ports, Registries, Scope};
use cve_monitor_core::testkit::ManualClock;
use cve_monitor_core::testkit::model::{MemoryArchive, MemoryEventStore, MemoryLayerIndex, MemoryQueue};
use cve_monitor_core::vocabulary::{Cause, Lane, RegistryIdentity, RequestId, ScanRequest};
use futures::executor::block_on;
use outside::{NothingToFind, OneImage, Shelf};

#[test]
fn an_image_of_a_foreign_registry_ends_with_a_report_in_a_foreign_sink() {
    let name = "own.example".parse().unwrap();
    let identity = RegistryIdentity { name, registry_id: "own".to_owned(), region: None };
    let registry =
        Arc::new(OneImage::new(identity, "team/app".parse().unwrap(), "v1".parse().unwrap(), b"layer"));
    let shelf = Arc::new(Shelf::default());
    let clock = Arc::new(ManualClock::default());
    let ports = Arc::new(Ports {
        store: Arc::new(MemoryEventStore::default()),
        queue: Arc::new(MemoryQueue::new(clock.clone())),
        index: Arc::new(MemoryLayerIndex::default()),
        archive: Arc::new(MemoryArchive::default()),
        scanner: Arc::new(NothingToFind::default()),
        registries: Registries::new([registry.clone() as _]),
        sinks: vec![shelf.clone()],
        scope: Scope::default(),
        feed: None,
        clock,
    });
    block_on(async {
        let pushed = ScanRequest {
            id: RequestId("1".to_owned()),
            image: registry.image(),
            cause: Cause::Push { tag: None },
            at_least: None,
        };
        ports.queue.send(Lane::Push, &[pushed]).await.unwrap();
        let done = Ingest::new(ports, IngestSettings::default()).run_until_idle().await;
        assert_eq!((done.received, done.reported), (1, 1));
    });
    let reports = shelf.reports();
    assert_eq!(reports.len(), 1);
    let body = String::from_utf8(reports[0].body.clone()).unwrap();
    assert!(body.contains(&registry.image().to_string()), "{body}");
    assert!(body.contains(r#""Verdict":"clean""#) && body.contains(r#""Tags":["v1"]"#), "{body}");
}
