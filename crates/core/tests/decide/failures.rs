//! Waits, attempts, and giving up.

use std::time::Duration;

use cve_monitor_core::scan::{
    ATTEMPTS_MAX, AbandonReason, CORRUPT_ATTEMPTS_MAX, Command, Due, Failure, FailureClass, ImageEvent, Step,
    StepName,
};
use cve_monitor_core::vocabulary::{Cause, LayerKey};

use crate::stage::{Stage, failed, push};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn loading_waits_for_the_scanner_without_spending_an_attempt() {
    let mut stage = Stage::indexed();
    let events = stage.then(failed(StepName::Assess, FailureClass::Loading));
    assert!(matches!(events[..], [ImageEvent::Waiting { until: Due::ScannerReady, .. }]), "{events:?}");
    assert_eq!(stage.then(failed(StepName::Assess, FailureClass::Loading)), vec![], "nothing new");
    assert_eq!((stage.state.failures, &stage.state.due), (0, &Some(Due::ScannerReady)));
    assert!(matches!(stage.next(), Step::Assess { .. }), "whoever drives it asks again");
    stage.then(stage.assessed("a"));
    assert_eq!(stage.state.due, None);
}

#[test]
fn behind_waits_a_while_without_spending_an_attempt() {
    let mut stage = Stage::indexed();
    for _ in 0..ATTEMPTS_MAX * 2 {
        stage.then(failed(StepName::Assess, FailureClass::Behind));
        let Step::Wait(Due::At(at)) = stage.next() else { panic!("{:?}", stage.next()) };
        assert_eq!((stage.state.failures, stage.state.abandoned), (0, None));
        stage.now = at;
        assert!(matches!(stage.next(), Step::Assess { .. }));
    }
}

#[test]
fn a_failed_step_is_tried_again_after_a_wait() {
    let mut stage = Stage::pushed();
    for step in [StepName::Resolve, StepName::RecordLayers, StepName::Index, StepName::Assess] {
        assert_eq!(stage.next().name(), Some(step));
        stage.then(failed(step, FailureClass::Transient));
        let Step::Wait(Due::At(at)) = stage.next() else { panic!("{:?}", stage.next()) };
        assert!(at > stage.now);
        stage.now = at;
        assert_eq!(stage.next().name(), Some(step));
        stage.succeed();
        assert_eq!((stage.state.failures, &stage.state.due), (0, &None), "success starts the count anew");
    }
}

#[test]
fn the_other_side_says_how_long_to_wait_at_least() {
    let mut stage = Stage::pushed();
    let failure =
        Failure { class: FailureClass::Throttled, detail: "429".to_owned(), retry_after: Some(DAY) };
    stage.then(Command::Failed { step: StepName::Resolve, failure });
    assert_eq!(stage.next(), Step::Wait(Due::At(stage.now.plus(DAY))));
}

/// Fails until given up, at most `most` times; says after how many, and why.
fn fail_until_given_up(class: FailureClass, most: u32) -> Option<(u32, AbandonReason)> {
    let mut stage = Stage::pushed();
    for attempt in 1..=most {
        stage.pass(DAY);
        stage.then(failed(StepName::Resolve, class));
        if let Some(reason) = stage.state.abandoned {
            assert_eq!(stage.next(), Step::Done, "nothing more is tried");
            return Some((attempt, reason));
        }
    }
    None
}

#[test]
fn what_fails_too_often_is_given_up_by_name() {
    for (class, attempts, reason) in [
        (FailureClass::Transient, ATTEMPTS_MAX, AbandonReason::AttemptsExhausted),
        (FailureClass::Denied, ATTEMPTS_MAX, AbandonReason::Denied),
        (FailureClass::Corrupt, CORRUPT_ATTEMPTS_MAX, AbandonReason::Corrupt),
        (FailureClass::Permanent, 1, AbandonReason::Failed),
    ] {
        assert_eq!(fail_until_given_up(class, 1000), Some((attempts, reason)), "{class:?}");
    }
}

#[test]
fn asking_for_patience_never_gives_an_image_up() {
    assert_eq!(fail_until_given_up(FailureClass::Throttled, 1000), None);
}

#[test]
fn patience_does_not_use_up_the_attempts_of_other_failures() {
    let mut stage = Stage::pushed();
    for _ in 0..ATTEMPTS_MAX * 2 {
        stage.pass(DAY);
        stage.then(failed(StepName::Resolve, FailureClass::Throttled));
    }
    stage.pass(DAY);
    stage.then(failed(StepName::Resolve, FailureClass::Transient));
    assert_eq!(stage.state.abandoned, None);
}

#[test]
fn one_damaged_transfer_after_other_failures_is_not_the_last_straw() {
    let mut stage = Stage::pushed();
    for _ in 0..CORRUPT_ATTEMPTS_MAX {
        stage.pass(DAY);
        stage.then(failed(StepName::Resolve, FailureClass::Transient));
    }
    stage.pass(DAY);
    stage.then(failed(StepName::Resolve, FailureClass::Corrupt));
    assert_eq!(stage.state.abandoned, None);
}

#[test]
fn whoever_asks_again_gives_it_another_chance() {
    for cause in [push(), Cause::Reconcile, Cause::Sweep, Cause::Operator] {
        let mut stage = Stage::pushed();
        stage.then(failed(StepName::Resolve, FailureClass::Permanent));
        assert_eq!(stage.next(), Step::Done);
        stage.ask(cause.clone());
        assert_eq!((stage.next(), stage.state.failures), (Step::Resolve, 0), "{cause:?}");
    }
}

#[test]
fn a_person_who_asks_does_not_wait() {
    let mut stage = Stage::pushed();
    stage.then(failed(StepName::Resolve, FailureClass::Transient));
    stage.ask(push());
    assert!(matches!(stage.next(), Step::Wait(_)), "a push waits with the rest");
    stage.ask(Cause::Operator);
    assert_eq!(stage.next(), Step::Resolve);
}

#[test]
fn what_the_scanner_has_lost_is_indexed_again() {
    let mut stage = Stage::reported("a");
    stage.ask(push());
    stage.then(failed(StepName::Assess, FailureClass::NotIndexed));
    assert_eq!(stage.finish("a"), [StepName::Index, StepName::Assess]);
}

#[test]
fn a_scanner_that_loses_everything_at_once_is_given_up() {
    for keys in [vec![], vec![LayerKey("further".to_owned())]] {
        given_up_where_everything_is_lost(&keys);
    }
}

fn given_up_where_everything_is_lost(keys: &[LayerKey]) {
    const MOST: u32 = 10 * ATTEMPTS_MAX;
    let mut stage = Stage::indexed();
    for _ in 0..MOST {
        match stage.next() {
            Step::Index => {
                let (scanner, keys) = (stage.policy.scanner.clone(), keys.to_vec());
                stage.then(Command::Indexed { scanner, keys, generation: 1 });
            }
            Step::Assess { .. } => drop(stage.then(failed(StepName::Assess, FailureClass::NotIndexed))),
            Step::Wait(Due::At(at)) => stage.now = at,
            Step::Done => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stage.next(), Step::Done, "indexed and lost for ever");
    assert!(stage.state.abandoned.is_some());
}

#[test]
fn a_report_that_cannot_be_delivered_is_not_forgotten() {
    let mut stage = Stage::indexed();
    stage.then(stage.assessed("a"));
    let due = stage.next();
    for _ in 0..ATTEMPTS_MAX {
        stage.pass(DAY);
        stage.then(failed(StepName::Deliver, FailureClass::Transient));
    }
    assert_eq!(stage.state.abandoned, Some(AbandonReason::AttemptsExhausted));
    stage.ask(Cause::Reconcile);
    assert_eq!(stage.next(), due, "the same report, with the same bytes");
}
