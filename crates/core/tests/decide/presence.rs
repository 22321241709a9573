//! Deletion, doubt and revival.

use std::time::Duration;

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
fn a_report_leaves_before_anything_else_is_asked() {
    let mut stage = Stage::indexed();
    stage.then(stage.assessed("a"));
    stage.ask(Cause::Absence);
    assert!(
        matches!(stage.next(), Step::Deliver { .. }),
        "whatever the registry will say: {:?}",
        stage.next()
    );
    stage.succeed();
    assert_eq!(stage.next(), Step::Resolve, "the doubt is not forgotten");
    let mut back = Stage::indexed();
    back.then(back.assessed("a"));
    back.ask(Cause::Absence);
    back.then(Command::NotFound);
    back.ask(push());
    assert!(matches!(back.next(), Step::Deliver { .. }), "deleted and back: {:?}", back.next());
}

#[test]
fn a_delivery_that_was_given_up_keeps_no_doubt_waiting() {
    let mut stage = Stage::indexed();
    stage.then(stage.assessed("a"));
    while stage.state.abandoned.is_none() {
        stage.then(failed(StepName::Deliver, FailureClass::Permanent));
        stage.pass(Duration::from_secs(86_400));
    }
    assert_eq!(stage.next(), Step::Done);
    stage.ask(Cause::Absence);
    assert_eq!(stage.next(), Step::Resolve);
    stage.then(Command::ResolvedImage(resolved()));
    assert_eq!(stage.next(), Step::Done, "nobody has asked for the delivery anew");
}

#[test]
fn an_image_that_is_first_heard_of_as_gone_and_is_there_is_scanned() {
    let mut stage = Stage::empty();
    stage.ask(Cause::Absence);
    let steps =
        [StepName::Resolve, StepName::RecordLayers, StepName::Index, StepName::Assess, StepName::Deliver];
    assert_eq!(stage.finish("a"), steps);
    let mut gone = Stage::empty();
    gone.ask(Cause::Absence);
    gone.then(Command::NotFound);
    assert_eq!(gone.next(), Step::Forget);
}

#[test]
fn a_message_that_comes_again_records_the_keys_of_what_is_back_again() {
    let mut stage = deleted();
    let known = request("known", push());
    stage.then(Command::Request(known.clone()));
    assert_eq!(stage.when(Command::Request(known.clone())), Ok(vec![]), "they are to be recorded anyway");
    stage.finish("a");
    assert_eq!(
        stage.then(Command::Request(known.clone())).len(),
        1,
        "whoever had it may have forgotten them"
    );
    assert!(stage.finish("a").contains(&StepName::RecordLayers));
    stage.pass(Duration::from_secs(3600));
    assert_eq!(stage.when(Command::Request(known)), Ok(vec![]));
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

#[test]
fn forgetting_that_failed_at_first_is_not_waited_for_for_ever() {
    let mut stage = deleted();
    assert_eq!(stage.then(Command::Forgotten), vec![], "nothing needs to be remembered");
    let mut stage = deleted();
    stage.then(failed(StepName::Forget, FailureClass::Transient));
    assert!(stage.state.due.is_some());
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.next(), Step::Forget);
    assert_eq!(stage.then(Command::Forgotten), vec![ImageEvent::ImageDeleted]);
    assert_eq!((&stage.state.due, stage.state.failing), (&None, None));
}

#[test]
fn what_asked_for_it_before_its_deletion_may_bring_it_back_under_the_same_id() {
    let child = || Command::Request(request("child", Cause::IndexChild { parent: Digest::of(b"index") }));
    let mut stage = Stage::reported("a");
    assert_eq!(stage.then(child()).len(), 1);
    stage.finish("a");
    assert_eq!(stage.then(child()), vec![], "known");
    stage.ask(Cause::Absence);
    stage.then(Command::NotFound);
    assert_eq!(stage.then(child()).len(), 1, "its index came back, and it with it");
    assert!(!stage.state.deleted);
}

#[test]
fn for_a_while_whoever_comes_records_the_keys_of_a_revived_image_again() {
    const FORGETTING_MAX: Duration = Duration::from_secs(3600);
    let mut stage = deleted();
    stage.ask(push());
    stage.finish("a");
    // The message of a worker that forgot its keys, did not see the push, and died: whatever its cause was.
    for cause in [Cause::Absence, Cause::Due, Cause::Sweep, change()] {
        let mut late = stage.clone();
        late.pass(FORGETTING_MAX - Duration::from_millis(1));
        assert_eq!(late.ask(cause.clone()).len(), 1, "{cause:?}");
        let steps = late.finish("a");
        let again = [StepName::RecordLayers, StepName::Index, StepName::Assess];
        assert!(steps.ends_with(&again), "{cause:?}: {steps:?}");
    }
    stage.pass(FORGETTING_MAX);
    assert_eq!(stage.ask(Cause::Due), vec![], "a wake-up alone");
    stage.ask(Cause::Sweep);
    assert_eq!(stage.finish("a"), [StepName::Assess]);
    assert_eq!(stage.state.revived, None);
}
