//! What goes wrong, and what is true afterwards.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{
    Ingest, IngestSettings, Standing, rebuild_heads, rebuild_lake, rebuild_layer_index, standing_of,
};
use cve_monitor_core::ports::{
    Clock as _, DeadLetterReason, EventStore as _, Queue as _, RegistryError, SinkError, StoreError,
};
use cve_monitor_core::scan::{AbandonReason, Head, StreamId};
use cve_monitor_core::testkit::model::{AppendFault, ModelAdvisory};
use cve_monitor_core::vocabulary::{Cause, Lane, Verdict};
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

#[test]
fn an_append_that_failed_before_or_after_it_was_written_is_made_good() {
    for fault in [AppendFault::Before, AppendFault::After] {
        for skipped in 0..3 {
            let world = world();
            let image = world.put("v1", &[BASE]);
            world.push(&image);
            for _ in 0..skipped {
                world.store.fail_next_append(fault);
            }
            world.settle();
            assert_eq!(world.series(&image).len(), 1, "{fault:?} {skipped}");
        }
    }
}

#[test]
fn a_store_that_is_away_leaves_the_message_for_later() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.store.fail_with(Some(StoreError::Transient("away".to_owned())));
    assert_eq!(world.ingest().failed, 1);
    world.store.fail_with(None);
    world.clock.advance(Duration::from_secs(61));
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
}

/// More leases than a message may have before it is taken for one that kills workers.
#[test]
fn a_store_that_is_away_for_hours_keeps_what_is_in_hand_and_gives_nothing_up() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.store.fail_with(Some(StoreError::Transient("away".to_owned())));
    let ingest = Ingest::new(Arc::clone(&world.ports), IngestSettings::default());
    let after =
        |hours: u64| world.clock.sleep_until(world.clock.now().plus(Duration::from_secs(hours * 3600)));
    let back = after(6).map(|()| world.store.fail_with(None));
    let (counts, ()) = world.run(join(ingest.run(after(7)), back));
    assert_eq!((counts.received, counts.reported, counts.buried), (1, 1, 0));
    assert_eq!(world.series(&image).len(), 1);
}

#[test]
fn a_shutdown_does_not_wait_for_a_store_that_is_away() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.store.fail_with(Some(StoreError::Transient("away".to_owned())));
    let ingest = Ingest::new(Arc::clone(&world.ports), IngestSettings::default());
    let stop = world.clock.sleep_until(world.clock.now().plus(Duration::from_secs(3600)));
    assert_eq!(world.run(ingest.run(stop)).failed, 1);
    world.store.fail_with(None);
    world.clock.advance(IngestSettings::default().lease);
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
}

#[test]
fn a_report_that_no_sink_took_is_delivered_later_with_the_same_bytes() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.sink.fail_with(Some(SinkError::Transient("away".to_owned())));
    assert_eq!(world.ingest().waiting, 1);
    world.knowledge.withdraw("CVE-1");
    world.sink.fail_with(None);
    world.follow();
    world.settle();
    let series = world.series(&image);
    assert_eq!(
        series,
        [vec!["CVE-1".to_owned()], vec![]],
        "what was known then is told, then what is known now"
    );
}

#[test]
fn throttling_waits_and_gives_nothing_up() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    let throttled = RegistryError::Throttled { retry_after: None, detail: "slow down".to_owned() };
    world.registry.fail_next(40, &throttled);
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
}

#[test]
fn what_is_denied_for_good_ends_as_a_dead_letter_with_its_reason_and_is_redriven() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.registry.fail_repository(&world.repository(), Some(RegistryError::Denied("no".to_owned())));
    world.settle();
    let letters = world.run(world.queue.dead_letters(None, 10)).expect("letters").items;
    assert_eq!(letters.iter().map(|l| l.reason).collect::<Vec<_>>(), [DeadLetterReason::Denied]);
    let standing = world.run(standing_of(&world.ports, &image, None)).expect("a standing");
    assert_eq!(standing, Standing::Abandoned(AbandonReason::Denied));

    world.registry.fail_repository(&world.repository(), None);
    assert_eq!(world.run(world.queue.redrive(&letters[0].id)), Ok(true));
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
    assert!(world.run(world.queue.dead_letters(None, 10)).expect("letters").items.is_empty());
}

#[test]
fn garbage_in_the_queue_is_buried_with_its_body() {
    let world = world();
    world.queue.send_raw(Lane::Push, "{ not a request");
    assert_eq!(world.ingest().buried, 1);
    let letters = world.run(world.queue.dead_letters(None, 10)).expect("letters").items;
    assert_eq!(letters[0].body, "{ not a request");
    assert_eq!(letters[0].reason, DeadLetterReason::Unreadable);
}

#[test]
fn an_image_is_gone_only_when_the_registry_says_so_and_comes_back_with_a_push() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.settle();
    world.request("somebody says so", &image, Cause::Absence);
    world.settle();
    assert!(!world.index.is_empty(), "the registry still has it");

    world.registry.delete(&image);
    world.request("somebody says so again", &image, Cause::Absence);
    assert_eq!(world.ingest().deleted, 1);
    assert!(world.index.is_empty(), "its keys are forgotten");
    world.knowledge.withdraw("CVE-1");
    world.follow();
    world.settle();
    assert_eq!(world.series(&image).len(), 1, "a deleted image gets no more reports");

    let again = world.put("v1", &[BASE]);
    assert_eq!(again, image);
    world.push(&image);
    world.settle();
    assert_eq!(world.series(&image).len(), 2);
}

#[test]
fn what_cannot_be_read_is_never_clean() {
    let world = World::new();
    world.knowledge.publish(vec![]);
    let image = world.registry.put_image(&world.repository(), None, &[b"java log4j 2\n".to_vec()]);
    world.push(&image);
    world.settle();
    let standing = world.run(standing_of(&world.ports, &image, None)).expect("a standing");
    assert!(matches!(standing, Standing::Current { verdict: Verdict::Unknown, .. }), "{standing:?}");
}

#[test]
fn index_heads_and_lake_are_made_again_from_events_and_bodies() {
    let world = world();
    let images: Vec<_> =
        (0..5).map(|n| world.put(&format!("v{n}"), &[BASE, &[("app", &n.to_string())]])).collect();
    images.iter().for_each(|image| world.push(image));
    world.settle();
    world.registry.delete(&images[0]);
    world.request("gone", &images[0], Cause::Absence);
    world.settle();
    let (rows, objects) = (world.index.len(), world.sink.objects());

    let fresh = World::new();
    let ports = cve_monitor_core::pipeline::Ports {
        index: std::sync::Arc::clone(&fresh.index) as _,
        sinks: vec![std::sync::Arc::clone(&fresh.sink) as _],
        ..(*world.ports).clone()
    };
    world.run(rebuild_layer_index(&ports)).expect("rebuilt");
    assert_eq!(fresh.index.len(), rows);
    let lake = world.run(rebuild_lake(&ports)).expect("rebuilt");
    assert_eq!((lake.missing, fresh.sink.objects()), (0, objects));

    assert_eq!(
        world.run(rebuild_heads(&ports)).expect("rebuilt").written,
        0,
        "the heads are what the events fold into"
    );
    let stream = StreamId::image(&images[1]);
    let head = world.run(world.store.head(&stream)).expect("a head").expect("there");
    let damaged =
        Head { version: head.version, state: cve_monitor_core::scan::HeadState::Image(Box::default()) };
    world.run(world.store.rewrite_head(&stream, &damaged)).expect("damaged");
    assert_eq!(world.run(rebuild_heads(&ports)).expect("rebuilt").written, 1);
    assert_eq!(world.run(world.store.head(&stream)).expect("a head"), Some(head));
}
