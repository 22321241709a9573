//! One harmless question to each port: that it is the right one, and that it is there.

use std::time::Duration;

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::ports::ReportObject;
use cve_monitor_core::scan::ReportId;
use cve_monitor_core::vocabulary::{
    Cause, Digest, ImageId, Lane, LayerKey, RequestId, ScanRequest, Timestamp,
};

use super::stage::Stage;

const LEASE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(2);

pub(super) async fn answer(ports: &Ports, stage: &Stage) {
    store(ports).await;
    queue(ports, stage).await;
    reports(ports).await;
    let scanner = ports.scanner.identity().name;
    assert!(scanner.starts_with(stage.scanner), "{scanner}");
    let name = stage.registry.parse().expect("a name");
    let registry = ports.registries.get(&name).expect("it is watched");
    assert_eq!(registry.identity().name, name);
    let repositories = registry.repositories(None, 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(!repositories.items.is_empty());
}

async fn store(ports: &Ports) {
    let heads = ports.store.heads("", None, 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(heads.items.is_empty(), "nothing has happened yet");
    let image: ImageId =
        format!("registry.example/team/app@{}", Digest::of(b"image")).parse().expect("an image");
    let key = LayerKey("layer".to_owned());
    ports.index.record(&image, std::slice::from_ref(&key)).await.unwrap_or_else(|error| panic!("{error}"));
    let images = ports.index.images(&key, None, 10).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(images.items, [image]);
}

async fn queue(ports: &Ports, stage: &Stage) {
    let image = format!("{}/team/app@{}", stage.registry, Digest::of(b"image"));
    let request = ScanRequest {
        id: RequestId("0123456789abcdef".to_owned()),
        image: image.parse().expect("an image"),
        cause: Cause::Operator,
        at_least: None,
    };
    let sent = ports.queue.send(Lane::Push, std::slice::from_ref(&request)).await;
    sent.unwrap_or_else(|error| panic!("{error}"));
    let received = ports.queue.receive(Lane::Push, 1, LEASE, WAIT).await;
    let received = received.unwrap_or_else(|error| panic!("{error}"));
    let [delivery] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(delivery.request.as_ref().ok(), Some(&request));
    ports.queue.acknowledge(&delivery.lease).await.unwrap_or_else(|error| panic!("{error}"));
}

async fn reports(ports: &Ports) {
    let digest = ports.archive.put(b"{}").await.unwrap_or_else(|error| panic!("{error}"));
    let kept = ports.archive.get(&digest).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kept.as_deref(), Some(&b"{}"[..]));
    let [sink] = ports.sinks.as_slice() else { panic!("one sink") };
    let report = ReportObject {
        id: ReportId("0123456789abcdef".to_owned()),
        assessed: Timestamp::from_millis(1_772_366_400_000),
        body: b"{}".to_vec(),
    };
    for _ in 0..2 {
        sink.deliver(&report).await.unwrap_or_else(|error| panic!("{error}"));
    }
}
