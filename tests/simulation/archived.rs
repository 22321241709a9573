//! Images that the registry keeps in an archive: there, listed, and not served.

use std::time::Duration;

use cve_monitor_core::pipeline::{ReconcileMode, Standing, coverage, standing_of};
use cve_monitor_core::ports::{Queue as _, Registry as _};
use cve_monitor_core::scan::AbandonReason;
use cve_monitor_core::testkit::model::ModelAdvisory;
use cve_monitor_core::vocabulary::{Cause, ImageId};

use crate::world::World;

const BASE: &[(&str, &str)] = &[("openssl", "3.0.9")];

fn world() -> World {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    world.follow();
    world
}

fn standing(world: &World, image: &ImageId) -> Standing {
    world.run(standing_of(&world.ports, image, None)).expect("a standing")
}

#[test]
fn an_archived_image_ends_by_that_name_without_a_letter_and_comes_back_with_its_restoration() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.registry.archive(&image, true);
    world.push(&image);
    assert_eq!(world.ingest().abandoned, 1);
    assert!(world.run(world.queue.dead_letters(None, 10)).expect("letters").items.is_empty());
    assert_eq!(standing(&world, &image), Standing::Abandoned(AbandonReason::Archived));
    let name = world.registry.identity().name;
    let whole = world.run(coverage(&world.ports, &name, &mut |_| {})).expect("coverage");
    assert_eq!((whole.listed, whole.covered, whole.abandoned), (1, 0, 1));

    world.registry.archive(&image, false);
    world.request("restored", &image, Cause::Push { tag: None });
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
}

#[test]
fn an_image_with_a_report_goes_on_being_assessed_in_the_archive() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.settle();
    let read = world.registry.blob_bytes_served();
    world.registry.archive(&image, true);
    world.request("archived", &image, Cause::Absence);
    world.settle();
    assert!(matches!(standing(&world, &image), Standing::Current { .. }));
    assert!(!world.index.is_empty(), "nothing is forgotten");

    world
        .knowledge
        .publish(vec![ModelAdvisory::new("CVE-1", "openssl"), ModelAdvisory::new("CVE-2", "openssl")]);
    world.follow();
    world.settle();
    assert_eq!(world.series(&image).len(), 2, "the new CVE is told");
    assert_eq!(world.registry.blob_bytes_served(), read, "and nothing was read");
    assert!(world.run(world.queue.dead_letters(None, 10)).expect("letters").items.is_empty());
}

#[test]
fn reconciling_leaves_an_archived_image_alone_between_sweeps() {
    let world = world();
    let image = world.put("v1", &[BASE]);
    world.registry.archive(&image, true);
    assert_eq!(world.reconcile(ReconcileMode::Apply).0.missing, 1, "nobody has asked about it yet");
    world.settle();
    assert_eq!(standing(&world, &image), Standing::Abandoned(AbandonReason::Archived));
    let calls = world.registry.calls();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3600));
        let (counts, wanted) = world.reconcile(ReconcileMode::Apply);
        assert_eq!((counts.missing, counts.absent, wanted.len()), (0, 0, 0));
    }
    assert_eq!(world.registry.calls() - calls, 6, "listings alone: repositories and images");
    world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(
        world.reconcile(ReconcileMode::Apply).0.missing,
        1,
        "a restoration whose event was lost is found"
    );
}
