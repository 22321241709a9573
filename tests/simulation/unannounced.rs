//! What the slow sweep finds although no change was announced for it: told where it is certain, and never else.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{Driver, Ports, ReconcileMode};
use cve_monitor_core::ports::{EventStore as _, LayerIndex as _, Queue as _, Scanner};
use cve_monitor_core::scan::{Event, ImageEvent, StreamId};
use cve_monitor_core::testkit::model::{ModelAdvisory, ModelScanner};
use cve_monitor_core::vocabulary::{Cause, ImageId, Lane, RequestId, ScanRequest};

use crate::world::World;

const BASE: &[(&str, &str)] = &[("openssl", "3.0.9")];
const LONG: Duration = Duration::from_secs(8 * 24 * 3600);

/// A world with an image that has a report, long after the feed began.
fn reported() -> (World, ImageId) {
    let world = World::new();
    learn(&world, "CVE-1");
    world.follow();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.settle();
    world.clock.advance(LONG);
    (world, image)
}

fn learn(world: &World, name: &str) {
    world.knowledge.publish(vec![ModelAdvisory::new(name, "openssl")]);
}

/// For each report of the image, whether it was found although nothing was announced.
fn told(world: &World, image: &ImageId) -> Vec<bool> {
    let events = world.run(world.store.read(&StreamId::image(image), 1, 1000)).expect("events");
    let assessed = events.into_iter().filter_map(|recorded| match recorded.event {
        Event::Image(ImageEvent::Assessed(assessed)) => Some(assessed.unannounced),
        _ => None,
    });
    assessed.collect()
}

/// Makes the layer index forget the image: changes no longer reach it.
fn hide(world: &World, image: &ImageId) {
    let events = world.run(world.store.read(&StreamId::image(image), 1, 1000)).expect("events");
    for recorded in events {
        if let Event::Image(ImageEvent::LayersRecorded { keys, .. }) = recorded.event {
            world.run(world.index.forget(image, &keys)).expect("forgotten");
        }
    }
}

/// Drives a request of the slow sweep before anything else in the queue.
fn sweep_first(world: &World, ports: Arc<Ports>, image: &ImageId) {
    let id = RequestId(format!("sweep at {:?}", world.clock));
    let request = ScanRequest { id, image: image.clone(), cause: Cause::Sweep, at_least: None };
    world.run(Driver::new(ports).drive(&request, Lane::Backfill)).expect("driven");
}

#[test]
fn a_change_that_the_feed_led_elsewhere_is_found_by_the_sweep_and_told() {
    let (world, image) = reported();
    hide(&world, &image);
    learn(&world, "CVE-2");
    assert_eq!(world.follow().queued, 0, "the feed names nothing that leads to the image");
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    assert_eq!(told(&world, &image), [false, true]);
}

#[test]
fn a_sweep_whose_first_attempt_fails_tells_it_too() {
    let (world, image) = reported();
    hide(&world, &image);
    learn(&world, "CVE-2");
    world.follow();
    let away =
        cve_monitor_core::ports::ScannerError::Transient { retry_after: None, detail: "away".to_owned() };
    world.scanner.fail_next(1, &away);
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    assert_eq!(told(&world, &image), [false, true]);
}

#[test]
fn a_sweep_that_overtakes_the_request_of_a_change_tells_nothing() {
    let (world, image) = reported();
    learn(&world, "CVE-2");
    assert_eq!(world.follow().queued, 1);
    sweep_first(&world, Arc::clone(&world.ports), &image);
    assert_eq!(told(&world, &image), [false, false]);
    world.settle();
    assert_eq!(told(&world, &image).len(), 2, "the change has nothing to add");
}

#[test]
fn a_scanner_that_is_ahead_of_the_feed_tells_nothing() {
    let (world, image) = reported();
    learn(&world, "CVE-2");
    sweep_first(&world, Arc::clone(&world.ports), &image);
    assert_eq!(told(&world, &image), [false, false]);
}

#[test]
fn a_sweep_that_overtakes_that_of_a_gap_tells_nothing() {
    let (world, image) = reported();
    let forgotten = world.knowledge.publish(vec![ModelAdvisory::new("CVE-2", "openssl")]);
    learn(&world, "CVE-3");
    world.knowledge.forget_up_to(forgotten);
    assert_eq!(world.follow().gaps, 1);
    sweep_first(&world, Arc::clone(&world.ports), &image);
    assert_eq!(told(&world, &image), [false, false]);
    world.settle();
    world.clock.advance(LONG);
    hide(&world, &image);
    learn(&world, "CVE-4");
    world.follow();
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    assert_eq!(told(&world, &image), [false, false, true], "a gap that is over excuses nothing");
}

#[test]
fn what_is_read_anew_tells_nothing() {
    let (world, image) = reported();
    hide(&world, &image);
    learn(&world, "CVE-2");
    world.follow();
    let newer = ModelScanner::new(
        Arc::clone(&world.knowledge),
        Arc::clone(&world.registry) as Arc<dyn cve_monitor_core::ports::Registry>,
    );
    let scanner = Arc::new(newer.with_version("2")) as Arc<dyn Scanner>;
    let ports = Arc::new(Ports { scanner, ..Ports::clone(&world.ports) });
    sweep_first(&world, ports, &image);
    assert_eq!(told(&world, &image), [false, false]);
}

#[test]
fn a_difference_that_somebody_asked_about_tells_nothing() {
    let (world, image) = reported();
    hide(&world, &image);
    learn(&world, "CVE-2");
    world.follow();
    world.request("operator", &image, Cause::Operator);
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    assert_eq!(told(&world, &image), [false, false]);
    assert_eq!(world.run(world.queue.depth(Lane::Change)).expect("a depth").ready, 0);
}
