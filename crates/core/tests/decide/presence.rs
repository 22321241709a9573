//! Deletion, doubt and revival.

use cve_monitor_core::scan::{Command, FailureClass, ImageEvent, Rejection, Step, StepName};
use cve_monitor_core::vocabulary::{Cause, Digest};

use crate::stage::{Stage, change, failed, push, request, resolved};

fn deleted() -> Stage {
    let mut stage = Stage::reported("a");
    stage.ask(Cause::Absence);
    assert_eq!(stage.then(Command::NotFound), vec![ImageEvent::ImageDeleted]);
    stage
}

#[test]
fn absence_is_a_doorbell_and_the_registry_decides() {
    let mut stage = Stage::reported("a");
    stage.ask(Cause::Absence);
    assert_eq!(stage.next(), Step::Resolve);
    let mut there = stage.clone();
    there.then(Command::ResolvedImage(resolved()));
    assert_eq!(there.next(), Step::Done, "it is there: nothing was asked of the scanner");
    stage.then(Command::NotFound);
    assert_eq!(stage.next(), Step::Forget);
}

#[test]
fn denied_and_throttled_are_not_gone() {
    for class in [FailureClass::Denied, FailureClass::Throttled, FailureClass::Transient] {
        let mut stage = Stage::reported("a");
        stage.ask(Cause::Absence);
        let events = stage.then(failed(StepName::Resolve, class));
        assert!(!events.contains(&ImageEvent::ImageDeleted), "{class:?}");
        assert!(!stage.state.deleted && matches!(stage.next(), Step::Wait(_)), "{class:?}");
    }
}

#[test]
fn a_deleted_image_gets_no_more_reports() {
    let stage = deleted();
    for cause in [change(), Cause::Sweep, Cause::Absence, Cause::Due] {
        assert_eq!(stage.when(Command::Request(request("late", cause))), Ok(vec![]));
    }
    assert_eq!(stage.when(Command::NotFound), Ok(vec![]), "it is deleted once");
    for answer in [stage.assessed("b"), stage.verified("a"), Command::ResolvedImage(resolved())] {
        assert!(matches!(stage.when(answer), Err(Rejection { .. })));
    }
}

#[test]
fn what_is_back_is_resolved_and_indexed_anew() {
    let parent = Digest::of(b"index");
    for cause in [push(), Cause::IndexChild { parent }, Cause::Reconcile, Cause::Operator] {
        let mut stage = deleted();
        assert_eq!(stage.ask(cause.clone()).len(), 1, "{cause:?}");
        assert!(!stage.state.deleted);
        let steps = stage.finish("a");
        let anew = [StepName::Resolve, StepName::RecordLayers, StepName::Index, StepName::Assess];
        assert_eq!(steps, anew, "{cause:?}");
    }
}

#[test]
fn what_is_back_unchanged_has_no_new_report() {
    let mut stage = deleted();
    let before = stage.state.last_report.clone();
    stage.ask(push());
    stage.finish("a");
    assert_eq!(stage.state.last_report, before);
}

#[test]
fn an_image_that_was_never_seen_can_be_gone() {
    let mut stage = Stage::pushed();
    assert_eq!(stage.then(Command::NotFound), vec![ImageEvent::ImageDeleted]);
    assert_eq!((stage.next(), stage.state.open), (Step::Forget, None));
}

#[test]
fn an_abandoned_image_that_is_said_to_be_gone_is_asked_about() {
    let mut stage = Stage::pushed();
    stage.then(failed(StepName::Resolve, FailureClass::Permanent));
    assert!(stage.state.abandoned.is_some());
    stage.ask(Cause::Absence);
    assert_eq!(stage.next(), Step::Resolve);
    stage.then(Command::NotFound);
    assert!(stage.state.deleted);
}
