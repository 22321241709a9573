//! What a report is, and when there is one.

use cve_monitor_core::pipeline::Scope;
use cve_monitor_core::ports::EventStore as _;
use cve_monitor_core::scan::Event;
use cve_monitor_core::scan::{ImageEvent, StreamId};
use cve_monitor_core::testkit::model::{ModelAdvisory, ModelKnowledge};
use cve_monitor_core::vocabulary::{Cause, Platform};

use crate::world::World;

const BASE: &[(&str, &str)] = &[("openssl", "3.0.9")];

fn found(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn learn(world: &World, name: &str, package: &str) {
    world.knowledge.publish(vec![ModelAdvisory::new(name, package)]);
}

#[test]
fn a_pushed_image_is_reported_once_however_often_its_event_comes() {
    let world = World::new();
    learn(&world, "CVE-1", "openssl");
    let image = world.put("v1", &[BASE]);
    for _ in 0..3 {
        world.request("the same event", &image, Cause::Push { tag: None });
        world.ingest();
    }
    assert_eq!(world.series(&image), [found(&["CVE-1"])]);
    assert_eq!(world.sink.objects().len(), 1);
}

#[test]
fn a_push_takes_three_appends_and_an_assessment_that_changes_nothing_two() {
    let world = World::new();
    learn(&world, "CVE-1", "openssl");
    world.follow();
    let image = world.put("v1", &[BASE]);
    let before = world.store.appends();
    world.push(&image);
    world.ingest();
    assert_eq!(world.store.appends() - before, 3);
    let before = world.store.appends();
    world.request("again", &image, Cause::Operator);
    assert_eq!(world.ingest().unchanged, 1);
    assert_eq!(world.store.appends() - before, 2);
}

#[test]
fn a_new_cve_re_reports_exactly_the_affected_images_and_reads_no_layer() {
    let world = World::new();
    learn(&world, "CVE-1", "zlib");
    world.follow();
    let shared = [world.put("a", &[BASE, &[("curl", "8")]]), world.put("b", &[BASE, &[("perl", "5")]])];
    let other = world.put("c", &[&[("zlib", "1.2")]]);
    shared.iter().chain([&other]).for_each(|image| world.push(image));
    world.ingest();
    let (layers, bytes) = (world.scanner.layer_reads(), world.registry.blob_bytes_served());

    learn(&world, "CVE-2", "openssl");
    let followed = world.follow();
    assert_eq!((followed.changes, followed.queued), (1, 2));
    assert_eq!(world.ingest().reported, 2);
    for image in &shared {
        assert_eq!(world.series(image), [found(&[]), found(&["CVE-2"])]);
    }
    assert_eq!(world.series(&other), [found(&["CVE-1"])]);
    assert_eq!((world.scanner.layer_reads(), world.registry.blob_bytes_served()), (layers, bytes));
}

#[test]
fn a_finding_that_comes_and_goes_makes_three_reports_even_when_the_notifier_slept() {
    let world = World::new();
    learn(&world, "CVE-1", "zlib");
    world.follow();
    let image = world.put("v1", &[BASE]);
    learn(&world, "CVE-2", "openssl");
    world.push(&image);
    world.ingest();
    world.knowledge.withdraw("CVE-2");
    let followed = world.follow();
    assert_eq!(followed.changes, 2, "state by state, never a net difference");
    world.ingest();
    assert_eq!(world.series(&image), [found(&["CVE-2"]), found(&[])]);
    learn(&world, "CVE-2", "openssl");
    world.follow();
    world.ingest();
    assert_eq!(world.series(&image).len(), 3);
}

#[test]
fn an_edited_text_causes_nothing() {
    let world = World::new();
    learn(&world, "CVE-1", "openssl");
    world.follow();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.ingest();
    world.knowledge.edit_text("CVE-1", "better words");
    assert_eq!(world.follow().queued, 0);
    assert_eq!(world.series(&image).len(), 1);
}

#[test]
fn nothing_is_assessed_while_the_data_loads_and_nothing_is_lost_by_it() {
    let world = World::with(ModelKnowledge::loading(), Scope::default());
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    assert_eq!(world.ingest().waiting, 1);
    assert_eq!(world.scanner.layer_reads(), 1, "loading does not block indexing");
    assert_eq!(world.pump(), 0, "the scanner is not ready");
    learn(&world, "CVE-1", "openssl");
    assert_eq!(world.pump(), 1);
    world.ingest();
    assert_eq!(world.series(&image), [found(&["CVE-1"])]);
}

#[test]
fn every_platform_of_an_index_is_reported_under_its_own_digest_and_names_its_parent() {
    let world = World::new();
    learn(&world, "CVE-1", "openssl");
    let arm = Platform { os: "linux".into(), architecture: "arm64".into(), variant: None };
    let amd = world.registry.put_image(&world.repository(), None, &[b"deb openssl 3\n".to_vec()]);
    let other = world.registry.put_image_for(&world.repository(), None, &arm, &[b"deb zlib 1\n".to_vec()]);
    let tag = "multi".parse().expect("a tag");
    let children = [(amd.digest.clone(), None), (other.digest.clone(), Some(arm))];
    let index = world.registry.put_index(&world.repository(), Some(&tag), &children);
    world.push(&index);
    world.ingest();
    assert_eq!(world.series(&amd), [found(&["CVE-1"])]);
    assert_eq!(world.series(&other), [found(&[])]);
    assert!(world.series(&index).is_empty(), "an index has no report of its own");
    let bodies: Vec<String> =
        world.sink.objects().into_values().map(|body| String::from_utf8(body).expect("text")).collect();
    assert!(bodies.iter().all(|body| body.contains(index.digest.as_str()) && body.contains("\"multi\"")));
}

#[test]
fn keys_are_recorded_before_the_image_is_indexed() {
    let world = World::new();
    learn(&world, "CVE-1", "openssl");
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.ingest();
    let stream = StreamId::image(&image);
    let events = world.run(world.store.read(&stream, 1, 100)).expect("events");
    let names: Vec<&str> = events
        .iter()
        .map(|recorded| match &recorded.event {
            Event::Image(ImageEvent::ScanRequested { .. }) => "requested",
            Event::Image(ImageEvent::ManifestResolved(_)) => "resolved",
            Event::Image(ImageEvent::LayersRecorded { .. }) => "recorded",
            Event::Image(ImageEvent::Indexed { .. }) => "indexed",
            Event::Image(ImageEvent::Assessed(_)) => "assessed",
            Event::Image(ImageEvent::Delivered(_)) => "delivered",
            _ => "other",
        })
        .collect();
    assert_eq!(names, ["requested", "resolved", "recorded", "indexed", "assessed", "delivered"]);
}
