//! One registry: from the event to the report, and to the next report when a CVE becomes known.

use aws_config::SdkConfig;
use cve_monitor_core::vocabulary::{ImageId, LayerKey, Manifest};
use cve_monitor_tests::fakes::aws_proxy::{Fault, Rule, Service, Which};

use crate::rights::assert_granted;
use crate::stage::{Home, Stage, vulnerabilities};
use crate::worker::Worker;

const HOME: Home = ("111111111111", "eu-west-1");
/// An image that the second state of the advisories says more about, and what.
const IMAGE: &str = "debian-python";
const NEWLY_KNOWN: &str = "CVE-2025-7458";

const SERVICES: [Service; 5] = [Service::DynamoDb, Service::Ecr, Service::S3, Service::Sqs, Service::Sts];

/// Every layer of the image names it, whatever else it names.
async fn assert_indexed(worker: &Worker, image: &ImageId) {
    let registry = worker.ports.registries.get(&image.registry).unwrap();
    let Ok(Manifest::Image(manifest)) = registry.manifest(image).await.unwrap().parse() else {
        panic!("{image} is no single image")
    };
    assert!(!manifest.layers.is_empty());
    for layer in manifest.layers {
        let key = LayerKey(layer.digest.to_string());
        let images = worker.ports.index.images(&key, None, 10).await.unwrap();
        assert!(images.items.contains(image), "{key:?}: {images:?}");
    }
}

pub(crate) async fn report(moto: SdkConfig) {
    let stage = Stage::raise(moto, "one-event", &[HOME]).await;
    let worker = Worker::start(&stage).await;
    let (image, events) = stage.push(HOME, IMAGE);
    stage.announce(&events).await;
    let _ = stage.proxy.take_calls();
    worker.empty_the_queue().await;
    stage.print_calls("one pushed image");
    worker.work().await;
    assert_eq!((worker.reports(&image).await, worker.dead_letters().await), (1, 0));
    assert_indexed(&worker, &image).await;
    let reports = stage.reports().await;
    assert_eq!(reports.len(), 1);
    assert!(reports.values().all(|report| !vulnerabilities(report).contains(NEWLY_KNOWN)));
    let read = worker.scanner.layer_bytes_read();
    assert!(read > 0);

    stage.advisories("second").await;
    let _ = stage.proxy.take_calls();
    worker.follow().await;
    stage.print_calls("following a change that affects one image");
    worker.empty_the_queue().await;
    stage.print_calls("one new report of a known image");
    worker.work().await;
    assert_eq!((worker.reports(&image).await, worker.dead_letters().await), (2, 0));
    let reports = stage.reports().await;
    assert_eq!(reports.len(), 2);
    assert_eq!(reports.values().filter(|report| vulnerabilities(report).contains(NEWLY_KNOWN)).count(), 1);
    assert_eq!(worker.scanner.layer_bytes_read(), read, "a layer was read again");
    assert_granted(&stage);
}

/// The same where of each operation the first call, and one in ten of the others, fails in this way.
async fn through(moto: SdkConfig, prefix: &str, fault: fn(Service) -> Fault) {
    let stage = Stage::raise(moto, prefix, &[HOME]).await;
    let (image, events) = stage.push(HOME, IMAGE);
    stage.announce(&events).await;
    for service in SERVICES {
        stage.proxy.add(Rule::for_service(service, Which::FirstAndOneInTen, fault(service)));
    }
    let worker = Worker::start(&stage).await;
    worker.work().await;
    stage.advisories("second").await;
    worker.follow().await;
    worker.work().await;
    stage.proxy.mend();
    assert_eq!((worker.reports(&image).await, worker.dead_letters().await), (2, 0));
    assert_eq!(stage.reports().await.len(), 2);
    assert_indexed(&worker, &image).await;
    stage.print_calls(prefix);
    assert_granted(&stage);
}

pub(crate) async fn every_call_fails(moto: SdkConfig) {
    through(moto, "each-fails-once", Fault::failure).await;
}

pub(crate) async fn every_answer_is_lost(moto: SdkConfig) {
    through(moto, "each-answer-is-lost", |_| Fault::LoseAnswer).await;
}

pub(crate) async fn crowd(moto: SdkConfig) {
    let stage = Stage::raise(moto, "crowd", &[HOME]).await;
    let mut images = vec![];
    for name in [IMAGE, "debian-base", "distroless"] {
        let (image, events) = stage.push(HOME, name);
        images.push(image);
        for _ in 0..3 {
            stage.announce(&events).await;
        }
    }
    // Messages that one answer brings twice, on top.
    stage.proxy.add(Rule::for_operation(Service::Sqs, "ReceiveMessage", Which::EveryOther, Fault::Repeat));
    let workers = [Worker::start(&stage).await, Worker::start(&stage).await];
    futures::join!(workers[0].work(), workers[1].work());
    stage.proxy.mend();
    for image in &images {
        assert_eq!(workers[0].reports(image).await, 1, "{image}");
        assert_indexed(&workers[0], image).await;
    }
    assert_eq!(workers[0].dead_letters().await, 0);
    assert_eq!(stage.reports().await.len(), images.len());
    assert_granted(&stage);
}
