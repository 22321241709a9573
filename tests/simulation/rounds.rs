//! Reconciliation, sweeps after gaps, coverage.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{Pump, ReconcileMode, Rule, Scope, affected, coverage};
use cve_monitor_core::ports::{Queue as _, Registry as _, RegistryError, ScannerError};
use cve_monitor_core::testkit::model::{ModelAdvisory, ModelKnowledge};
use cve_monitor_core::vocabulary::{Cause, Lane};

use crate::world::World;

const BASE: &[(&str, &str)] = &[("openssl", "3.0.9")];

#[test]
fn the_first_round_is_the_bootstrap_and_the_second_finds_nothing_to_do() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let images: Vec<_> =
        (0..7).map(|n| world.put(&format!("v{n}"), &[BASE, &[("app", &n.to_string())]])).collect();
    let (dry, wanted) = world.reconcile(ReconcileMode::DryRun);
    assert_eq!((dry.missing, wanted.len()), (7, 7));
    assert_eq!(
        world.run(world.queue.depth(Lane::Backfill)).expect("a depth").ready,
        0,
        "a dry run queues nothing"
    );
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    images.iter().for_each(|image| assert_eq!(world.series(image).len(), 1));
    let (counts, wanted) = world.reconcile(ReconcileMode::Apply);
    assert_eq!((counts.current, wanted.len()), (7, 0));
}

#[test]
fn a_lost_push_a_deletion_and_an_old_assessment_are_found() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let (kept, deleted) = (world.put("kept", &[BASE]), world.put("deleted", &[BASE, &[("a", "1")]]));
    world.reconcile(ReconcileMode::Apply);
    world.settle();
    world.registry.delete(&deleted);
    let lost = world.put("lost", &[&[("openssl", "3.0.1")]]);
    let (counts, _) = world.reconcile(ReconcileMode::Apply);
    assert_eq!((counts.missing, counts.absent, counts.current), (1, 1, 1));
    world.settle();
    assert_eq!(world.series(&lost).len(), 1);

    world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let (counts, wanted) = world.reconcile(ReconcileMode::Apply);
    assert_eq!((counts.swept, wanted.len()), (2, 2));
    world.settle();
    assert_eq!(world.series(&kept).len(), 1, "the sweep found nothing new to say");
}

#[test]
fn a_round_counts_what_a_report_is_owed_for_and_what_lacks_one() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let known = world.put("known", &[BASE]);
    world.put("unseen", &[BASE, &[("a", "1")]]);
    world.push(&known);
    world.settle();
    let owed = |world: &World| {
        let (counts, _) = world.reconcile(ReconcileMode::Apply);
        (counts.owed, counts.lacking)
    };
    assert_eq!(owed(&world), (2, 1));
    world.settle();
    assert_eq!(owed(&world), (2, 0));
    world.registry.delete(&known);
    assert_eq!(owed(&world), (1, 0), "what the registry no longer has is owed nothing");
}

#[test]
fn a_gap_becomes_a_sweep_in_the_backfill_lane_and_loses_nothing() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "zlib")]);
    world.follow();
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.settle();
    let forgotten = world.knowledge.publish(vec![ModelAdvisory::new("CVE-2", "openssl")]);
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-3", "openssl")]);
    world.knowledge.forget_up_to(forgotten);
    let followed = world.follow();
    assert_eq!((followed.gaps, followed.swept), (1, 1));
    assert_eq!(world.run(world.queue.depth(Lane::Backfill)).expect("a depth").ready, 1);
    world.settle();
    assert_eq!(world.series(&image).last().map(Vec::len), Some(2));
}

#[test]
fn a_worker_with_older_data_does_not_swallow_a_change() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "zlib")]);
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-2", "openssl")]);
    world.follow();
    // The change was followed before the image was known; a worker that lags must not answer for it.
    world.scanner.set_lag(1);
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    assert_eq!(world.ingest().waiting, 1);
    world.scanner.set_lag(0);
    world.settle();
    assert_eq!(world.series(&image), [vec!["CVE-2".to_owned()]]);
}

#[test]
fn coverage_names_what_was_never_requested_and_a_registry_that_cannot_be_listed() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let known = world.put("known", &[BASE]);
    world.push(&known);
    world.settle();
    world.put("unseen", &[BASE, &[("a", "1")]]);
    let name = world.registry.identity().name;
    let whole = world.run(coverage(&world.ports, &name, &mut |_| {})).expect("coverage");
    assert_eq!((whole.listed, whole.covered, whole.never_requested), (2, 1, 1));
    world.registry.fail_next(1, &RegistryError::Denied("no".to_owned()));
    let whole = world.run(coverage(&world.ports, &name, &mut |_| {})).expect("coverage");
    assert!(whole.unlisted.is_some() && whole.covered == 0, "{whole:?}");
}

#[test]
fn affected_names_images_and_layers_and_the_scope_is_kept() {
    let rule = Rule::new(None, Some("other/*"), None, None).expect("a rule");
    let scope = Scope { exclude: vec![rule], ..Scope::default() };
    let world = World::with(ModelKnowledge::empty(), scope);
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let image = world.put("v1", &[BASE]);
    let outside =
        world.registry.put_image(&"other/app".parse().expect("a name"), None, &[b"deb openssl 1\n".to_vec()]);
    world.push(&image);
    world.request("out", &outside, Cause::Push { tag: None });
    assert_eq!(world.ingest().out_of_scope, 1);
    let mut told = vec![];
    let count = world.run(affected(&world.ports, "cve-1", &mut |one| told.push(one))).expect("an answer");
    assert_eq!((count, &told[0].image), (1, &image));
    assert!(told[0].findings[0].layer.is_some());
}

#[test]
fn a_push_of_a_tag_outside_of_the_scope_is_passed_over() {
    let rule = Rule::new(None, None, Some("dev-*"), None).expect("a rule");
    let world = World::with(ModelKnowledge::empty(), Scope { exclude: vec![rule], ..Scope::default() });
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let image = world.put("dev-1", &[BASE]);
    world.request("tagged dev", &image, Cause::Push { tag: Some("dev-1".parse().expect("a tag")) });
    assert_eq!(world.ingest().out_of_scope, 1);
    world.request("tagged v1", &image, Cause::Push { tag: Some("v1".parse().expect("a tag")) });
    assert_eq!(world.ingest().reported, 1);
}

#[test]
fn a_repository_that_cannot_be_listed_does_not_hide_the_others() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let closed = "aaa/closed".parse().expect("a name");
    world.registry.put_image(&closed, Some(&"v1".parse().expect("a tag")), &[b"deb openssl 1\n".to_vec()]);
    let open = world.put("v1", &[BASE]);
    world.registry.fail_repository(&closed, Some(RegistryError::Denied("no".to_owned())));
    let (counts, _) = world.reconcile(ReconcileMode::Apply);
    assert_eq!((counts.unlisted, counts.missing), (1, 1));
    world.settle();
    assert_eq!(world.series(&open).len(), 1);
    world.registry.fail_repository(&closed, None);
    assert_eq!(world.reconcile(ReconcileMode::Apply).0.missing, 1, "the next round is a whole one");
}

#[test]
fn what_was_given_up_is_not_tried_again_in_every_round() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let image = world.put("v1", &[BASE]);
    world.registry.fail_next(200, &RegistryError::Denied("no".to_owned()));
    world.push(&image);
    world.settle();
    world.registry.fail_next(0, &RegistryError::Denied("no".to_owned()));
    assert_eq!(world.run(world.queue.dead_letters(None, 10)).expect("letters").items.len(), 1);
    while world.run(world.registry.tags(&image)).is_err() {}
    let (counts, wanted) = world.reconcile(ReconcileMode::Apply);
    assert_eq!((counts.missing, wanted.len()), (0, 0));
    world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(world.reconcile(ReconcileMode::Apply).0.missing, 1, "after a while it is");
}

#[test]
fn an_untagged_image_that_is_still_there_is_asked_about_once_a_day() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    world.settle();
    world.registry.untag(&world.repository(), &"v1".parse().expect("a tag"));
    for _ in 0..5 {
        world.reconcile(ReconcileMode::Apply);
        world.ingest();
    }
    let appends = world.store.appends();
    world.reconcile(ReconcileMode::Apply);
    world.ingest();
    assert!(world.store.appends() - appends <= 2, "the round's own events alone");
}

#[test]
fn who_waits_for_data_that_has_come_goes_on_although_other_data_is_still_missing() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    world.scanner.set_missing(&["left-pad", "requests"]);
    let npm = world.put("npm", &[BASE, &[("left-pad", "1")]]);
    let pypi = world.put("pypi", &[BASE, &[("requests", "1")]]);
    let late = world.put("late", &[BASE, &[("requests", "2")]]);
    let mut pump = Pump::new(Arc::clone(&world.ports));
    let mut round = || world.run(pump.round()).expect("pumped");
    world.push(&npm);
    world.push(&pypi);
    world.ingest();
    round();
    world.ingest();
    assert_eq!(round(), 0, "the same is missing: nobody is woken again and again");

    // It comes without a new state of knowledge, as where a mirror says that it has none. Nobody announces that.
    world.scanner.set_missing(&["left-pad"]);
    assert_eq!(round(), 2);
    world.ingest();
    assert_eq!((world.series(&npm).len(), world.series(&pypi).len()), (0, 1));
    assert_eq!(round(), 0);

    // An image that looked before it came, and began to wait only after that round.
    world.scanner.fail_next(1, &ScannerError::Loading("nothing is loaded for requests".to_owned()));
    world.push(&late);
    world.ingest();
    world.clock.advance(Duration::from_secs(10 * 60 - 1));
    assert_eq!(round(), 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(round(), 2);
    world.ingest();
    assert_eq!((world.series(&npm).len(), world.series(&late).len()), (0, 1));
    world.scanner.set_missing(&[]);
    world.settle();
    assert_eq!(world.series(&npm).len(), 1);
}

/// A long queue is not made longer by those who wait in it.
#[test]
fn who_was_woken_and_has_not_moved_is_woken_again_less_and_less_often() {
    let world = World::with(ModelKnowledge::loading(), Scope::default());
    let image = world.put("v1", &[BASE]);
    world.push(&image);
    assert_eq!(world.ingest().waiting, 1);
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let mut pump = Pump::new(Arc::clone(&world.ports));
    let mut woken = vec![];
    for minute in 0..32 {
        if world.run(pump.round()).expect("pumped") > 0 {
            woken.push(minute);
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(woken, [0, 1, 3, 7, 15, 25]);
}

#[test]
fn an_image_that_was_first_asked_about_is_reported_without_waiting_for_a_round() {
    let world = World::new();
    world.knowledge.publish(vec![ModelAdvisory::new("CVE-1", "openssl")]);
    let image = world.put("v1", &[BASE]);
    // Its push was lost; what came is the news that one of its tags was deleted.
    world.request("a tag of five", &image, Cause::Absence);
    world.settle();
    assert_eq!(world.series(&image).len(), 1);
    assert_eq!(world.reconcile(ReconcileMode::Apply).0.missing, 0);
}
