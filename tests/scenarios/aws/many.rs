//! Two accounts, two regions and a registry of the Distribution protocol, with the same digest in all.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_config::SdkConfig;
use cve_monitor_adapters::oci::{DistributionRegistry, DistributionSettings};
use cve_monitor_core::pipeline::coverage;
use cve_monitor_core::ports::RegistryError;
use cve_monitor_core::vocabulary::{ImageId, RegistryName};
use xtask::registry::Registry;

use crate::rights::assert_granted;
use crate::root;
use crate::stage::{Home, Stage, registry_name, vulnerabilities};
use crate::worker::Worker;

const HOMES: [Home; 4] = [
    ("111111111111", "eu-west-1"),
    ("111111111111", "us-east-1"),
    ("222222222222", "eu-west-1"),
    ("222222222222", "us-east-1"),
];
/// The account whose registries are denied to us later.
const DENIED: &str = "222222222222";
const IMAGE: &str = "debian-python";
/// Pushed while an account is denied.
const LATER: &str = "debian-node";
const NEWLY_KNOWN: &str = "CVE-2025-7458";

/// Pushes an image everywhere, and makes everybody's announcements known.
async fn push(stage: &Stage, worker: &Worker, other: &Registry, image: &str) -> Vec<ImageId> {
    let mut images = vec![];
    for home in HOMES {
        let (image, events) = stage.push(home, image);
        stage.announce(&events).await;
        images.push(image);
    }
    other.push(&root().join("examples/images"), image, &format!("demo/{image}:1")).unwrap();
    let name: RegistryName = other.address.to_string().parse().unwrap();
    worker.reconcile(&name).await;
    images.push(ImageId { registry: name, ..images[0].clone() });
    images
}

async fn reports(worker: &Worker, images: &[ImageId]) -> Vec<usize> {
    let mut numbers = vec![];
    for image in images {
        numbers.push(worker.reports(image).await);
    }
    numbers
}

pub(crate) async fn places(moto: SdkConfig) {
    let mut stage = Stage::raise(moto, "many-places", &HOMES).await;
    let other = Registry::start(&stage.folder.path().join("registry")).unwrap();
    let mut settings = DistributionSettings::new(other.address.to_string().parse().unwrap());
    settings.insecure = true;
    stage.others.push(Arc::new(DistributionRegistry::new(settings).unwrap()));
    let worker = Worker::start(&stage).await;
    let images = push(&stage, &worker, &other, IMAGE).await;
    let digests: BTreeSet<_> = images.iter().map(|image| image.digest.clone()).collect();
    assert_eq!((images.len(), digests.len()), (5, 1), "the same digest in five places");
    worker.work().await;
    assert_eq!(reports(&worker, &images).await, [1; 5]);

    stage.advisories("second").await;
    let _ = stage.proxy.take_calls();
    worker.follow().await;
    worker.empty_the_queue().await;
    stage.print_calls("one new report in each of five places, four of them ECR");
    worker.work().await;
    assert_eq!(reports(&worker, &images).await, [2; 5], "one new report for each place");
    let all = stage.reports().await;
    let news = all.values().filter(|report| vulnerabilities(report).contains(NEWLY_KNOWN));
    let named: BTreeSet<_> = news.map(|report| report["Registry"].to_string()).collect();
    assert_eq!(named.len(), 5, "each names its registry: {named:?}");

    denied(&stage, &worker, &other).await;
    assert_granted(&stage);
}

async fn denied(stage: &Stage, worker: &Worker, other: &Registry) {
    stage.ecr.world().deny(DENIED, true);
    let later = push(stage, worker, other, LATER).await;
    worker.empty_the_queue().await;
    let expected: Vec<usize> =
        later.iter().map(|image| usize::from(!image.registry.as_str().starts_with(DENIED))).collect();
    assert_eq!(reports(worker, &later).await, expected);
    for home in HOMES {
        let name = registry_name(home);
        let whole = coverage(&worker.ports, &name, &mut |_| {}).await.unwrap();
        println!("{name}: {whole:?}");
        if home.0 == DENIED {
            assert!(matches!(whole.unlisted, Some(RegistryError::Denied(_))), "{whole:?}");
        } else {
            assert_eq!((whole.unlisted.is_none(), whole.covered), (true, 2), "{whole:?}");
        }
    }
    // Nothing is lost by it: with the rights back, the images that waited are reported.
    stage.ecr.world().deny(DENIED, false);
    for home in HOMES {
        worker.reconcile(&registry_name(home)).await;
    }
    worker.work().await;
    assert_eq!(reports(worker, &later).await, [1; 5]);
}
