//! What the registry keeps and does not serve.

use std::time::Duration;

use cve_monitor_core::scan::{AbandonReason, Command, FailureClass, ImageEvent, Resolved, Step, StepName};
use cve_monitor_core::vocabulary::{Cause, Digest};

use crate::stage::{Stage, change, failed, push, resolved};

fn archived(step: StepName) -> Command {
    failed(step, FailureClass::Archived)
}

#[test]
fn an_archived_image_ends_by_that_name_at_once_wherever_it_is_read() {
    for reached in [StepName::Resolve, StepName::RecordLayers, StepName::Index] {
        let mut stage = Stage::pushed();
        while stage.next().name() != Some(reached) {
            stage.succeed();
        }
        let events = stage.then(archived(reached));
        let [ImageEvent::Abandoned { reason: AbandonReason::Archived, detail }] = events.as_slice() else {
            panic!("{reached}: {events:?}")
        };
        assert!(!detail.is_empty() && stage.next() == Step::Done, "{reached}: {:?}", stage.next());
        assert_eq!((stage.state.failures, &stage.state.due), (0, &None), "{reached}: no attempt is spent");
    }
}

#[test]
fn a_push_or_a_restoration_or_the_listing_revives_it() {
    let parent = Digest::of(b"index");
    for cause in [push(), Cause::IndexChild { parent }, Cause::Reconcile, Cause::Operator] {
        let mut stage = Stage::pushed();
        stage.then(archived(StepName::Resolve));
        stage.ask(cause.clone());
        assert_eq!(stage.state.abandoned, None, "{cause:?}");
        stage.finish("a");
        assert!(stage.state.last_report.is_some(), "{cause:?}");
    }
}

#[test]
fn whether_an_archived_image_is_gone_is_answered_and_it_is_not_deleted() {
    let mut stage = Stage::reported("a");
    let before = stage.state.clone();
    stage.ask(Cause::Absence);
    assert_eq!(stage.next(), Step::Resolve);
    assert_eq!(stage.then(archived(StepName::Resolve)), vec![ImageEvent::ImageArchived]);
    assert_eq!(stage.next(), Step::Done);
    assert!(!stage.state.deleted && !stage.state.presence_doubted && stage.state.abandoned.is_none());
    assert_eq!(stage.state.last_report, before.last_report);
    assert_eq!(stage.state.indexed, before.indexed);
}

#[test]
fn a_change_still_gives_an_archived_image_its_report_without_reading_it() {
    let mut stage = Stage::reported("a");
    stage.ask(Cause::Absence);
    stage.then(archived(StepName::Resolve));
    for (cause, text) in [(change(), "b"), (Cause::Sweep, "c"), (push(), "d")] {
        stage.ask(cause);
        assert_eq!(stage.finish(text), [StepName::Assess, StepName::Deliver]);
    }
}

#[test]
fn what_was_asked_for_before_the_doubt_goes_on_after_its_answer() {
    let mut stage = Stage::indexed();
    stage.ask(Cause::Absence);
    stage.then(archived(StepName::Resolve));
    assert!(matches!(stage.next(), Step::Assess { .. }), "{:?}", stage.next());
}

#[test]
fn an_archived_image_that_nobody_ever_read_is_not_deleted_by_a_doubt_either() {
    let mut stage = Stage::empty();
    stage.ask(Cause::Absence);
    let events = stage.then(archived(StepName::Resolve));
    assert!(matches!(events.as_slice(), [ImageEvent::Abandoned { reason: AbandonReason::Archived, .. }]));
    assert!(!stage.state.deleted && stage.next() == Step::Done);
}

#[test]
fn what_another_scanner_must_read_again_ends_as_archived_and_keeps_its_last_report() {
    let mut stage = Stage::reported("a");
    stage.policy.scanner.version = "2".to_owned();
    stage.ask(Cause::Sweep);
    let step = stage.next().name().expect("a step");
    stage.then(archived(step));
    assert_eq!(stage.state.abandoned, Some(AbandonReason::Archived));
    assert!(stage.state.last_report.is_some());
    stage.policy.scanner.version = "1".to_owned();
    stage.ask(change());
    stage.finish("b");
    assert_eq!((stage.state.abandoned, stage.next()), (None, Step::Done), "the first scanner still holds it");
}

#[test]
fn an_index_that_is_archived_is_not_deleted() {
    let mut stage = Stage::pushed();
    stage.then(Command::ResolvedIndex(vec![Digest::of(b"child")]));
    stage.ask(Cause::Absence);
    assert_eq!(stage.then(archived(StepName::Resolve)), vec![ImageEvent::ImageArchived]);
    assert_eq!((stage.state.resolved, stage.state.deleted), (Some(Resolved::Index(1)), false));
}

#[test]
fn a_wait_that_ended_in_the_answer_wakes_nobody_again() {
    let mut stage = Stage::reported("a");
    stage.ask(Cause::Absence);
    stage.then(failed(StepName::Resolve, FailureClass::Transient));
    stage.pass(Duration::from_secs(3600));
    stage.then(archived(StepName::Resolve));
    assert_eq!((stage.state.due.clone(), stage.next()), (None, Step::Done));
    stage.ask(Cause::Absence);
    stage.then(Command::ResolvedImage(resolved()));
    assert_eq!(stage.next(), Step::Done, "restored meanwhile");
}
