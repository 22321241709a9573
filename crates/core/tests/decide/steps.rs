//! The order of steps.

use cve_monitor_core::scan::{AbandonReason, Command, ImageEvent, Policy, Step, StepName};
use cve_monitor_core::vocabulary::{ArtifactKind, Cause, Digest, Generation, LayerKey, ScannerIdentity};

use crate::stage::{Stage, change, indexed, push, request, resolved};

#[test]
fn a_push_goes_from_resolving_to_delivering() {
    let mut stage = Stage::pushed();
    stage.policy.sinks.push("folder".to_owned());
    let steps = stage.finish("found");
    assert_eq!(
        steps,
        [
            StepName::Resolve,
            StepName::RecordLayers,
            StepName::Index,
            StepName::Assess,
            StepName::Deliver,
            StepName::Deliver,
        ]
    );
    let delivered = stage.state.last_report.as_ref().expect("a report").delivered.clone();
    assert_eq!(delivered, ["lake", "folder"]);
    assert!(stage.state.is_current(&stage.policy.sinks));
}

#[test]
fn a_change_is_assessed_without_resolving_or_indexing() {
    let mut stage = Stage::reported("a");
    stage.ask(change());
    assert_eq!(stage.finish("a"), [StepName::Assess]);
    stage.ask(change());
    assert_eq!(stage.finish("b"), [StepName::Assess, StepName::Deliver]);
}

#[test]
fn an_earlier_report_leaves_before_a_later_one_is_made() {
    let mut stage = Stage::indexed();
    stage.then(stage.assessed("a"));
    stage.ask(change());
    assert_eq!(stage.finish("b"), [StepName::Deliver, StepName::Assess, StepName::Deliver]);
}

#[test]
fn a_delivery_names_what_the_assessment_fixed() {
    let mut stage = Stage::indexed();
    let started = stage.now;
    stage.then(stage.assessed("a"));
    stage.pass(std::time::Duration::from_secs(24 * 3600));
    let last = stage.state.last_report.clone().expect("a report");
    let step =
        Step::Deliver { report: last.id, body: Digest::of(b"a"), assessed: started, sink: "lake".to_owned() };
    assert_eq!(stage.next(), step, "a day later it is the same report of the same day");
}

#[test]
fn a_new_sink_gets_the_last_report() {
    let mut stage = Stage::reported("a");
    stage.policy.sinks.push("second".to_owned());
    assert!(matches!(stage.next(), Step::Deliver { sink, .. } if sink == "second"));
    assert!(!stage.state.is_current(&stage.policy.sinks));
}

#[test]
fn another_scanner_version_indexes_again_when_somebody_asks() {
    let mut stage = Stage::reported("a");
    stage.policy.scanner.version = "2".to_owned();
    assert_eq!(stage.next(), Step::Done);
    stage.ask(push());
    assert_eq!(stage.finish("a"), [StepName::Index, StepName::Assess]);
}

#[test]
fn another_way_of_making_keys_records_them_again_before_anything_is_assessed() {
    let mut stage = Stage::reported("a");
    stage.policy.key_generation = 2;
    stage.ask(change());
    assert_eq!(stage.finish("a"), [StepName::RecordLayers, StepName::Assess]);
    assert_eq!(stage.state.keys, Some(2));
}

#[test]
fn another_scanner_or_version_has_keys_of_its_own() {
    let policy = |name: &str, version: &str| {
        let scanner = ScannerIdentity { name: name.to_owned(), version: version.to_owned() };
        Policy::of(scanner, vec![]).key_generation
    };
    assert_eq!(policy("a", "1"), policy("a", "1"));
    assert_ne!(policy("a", "1"), policy("b", "1"));
    assert_ne!(policy("a", "1"), policy("a", "2"));
}

#[test]
fn keys_that_only_indexing_tells_are_recorded_before_anything_is_assessed() {
    let mut stage = Stage::pushed();
    stage.then(Command::ResolvedImage(resolved()));
    stage.then(Command::LayersRecorded { keys: vec![LayerKey("layer".to_owned())], generation: 1 });
    let (keys, scanner) = (vec![LayerKey("package".to_owned())], stage.policy.scanner.clone());
    let command = Command::Indexed { scanner: scanner.clone(), keys: keys.clone(), generation: 1 };
    let recorded = ImageEvent::LayersRecorded { keys, generation: 1 };
    assert_eq!(stage.then(command), [recorded, ImageEvent::Indexed { scanner }]);
    assert_eq!(stage.next().name(), Some(StepName::Assess));
}

#[test]
fn a_generation_of_a_scanner_that_never_indexed_the_image_is_not_waited_for() {
    let mut stage = Stage::pushed();
    let mut request = request("sweep", Cause::Sweep);
    request.at_least = Some(Generation(1_772_366_400_000));
    stage.then(Command::Request(request));
    stage.then(Command::ResolvedImage(resolved()));
    stage.then(Command::LayersRecorded { keys: vec![LayerKey("layer".to_owned())], generation: 1 });
    stage.then(indexed(stage.policy.scanner.clone()));
    assert_eq!(stage.next(), Step::Assess { at_least: None });
}

#[test]
fn a_generation_of_another_scanners_feed_is_not_waited_for() {
    let mut stage = Stage::reported("a");
    let mut request = request("r", change());
    request.at_least = Some(Generation(1_772_366_400_000));
    stage.then(Command::Request(request));
    stage.policy.scanner.version = "2".to_owned();
    stage.then(indexed(stage.policy.scanner.clone()));
    assert_eq!(stage.next(), Step::Assess { at_least: Some(Generation(1_772_366_400_000)) });
    stage.policy.scanner.name = "another".to_owned();
    stage.then(indexed(stage.policy.scanner.clone()));
    assert_eq!(stage.next(), Step::Assess { at_least: None });
}

#[test]
fn an_index_ends_with_its_children() {
    let children = vec![Digest::of(b"amd64"), Digest::of(b"arm64")];
    let mut stage = Stage::pushed();
    let events = stage.then(Command::ResolvedIndex(children.clone()));
    assert_eq!(events, [ImageEvent::IndexResolved { children }]);
    assert_eq!((stage.next(), stage.state.open), (Step::Done, None));
}

#[test]
fn what_is_not_an_image_ends_by_name() {
    let mut stage = Stage::pushed();
    let kind = ArtifactKind::Signature;
    assert_eq!(stage.then(Command::ResolvedArtifact(kind)), [ImageEvent::ArtifactResolved { kind }]);
    assert_eq!((stage.next(), stage.state.open), (Step::Done, None));
}

#[test]
fn what_is_out_of_scope_ends_by_name() {
    let mut stage = Stage::pushed();
    stage.then(Command::OutOfScope { detail: "windows/amd64".to_owned() });
    assert_eq!(stage.state.abandoned, Some(AbandonReason::OutOfScope));
    assert_eq!(stage.next(), Step::Done);
}

#[test]
fn keys_are_recorded_before_the_image_is_indexed() {
    let mut stage = Stage::pushed();
    let indexed = indexed(stage.policy.scanner.clone());
    assert_eq!(stage.when(indexed.clone()).map_err(|r| r.command), Err("Indexed"));
    let recorded = Command::LayersRecorded { keys: vec![], generation: 1 };
    assert_eq!(stage.when(recorded).map_err(|r| r.command), Err("LayersRecorded"));
    stage.succeed();
    assert_eq!(stage.when(indexed).map_err(|r| r.command), Err("Indexed"));
}
