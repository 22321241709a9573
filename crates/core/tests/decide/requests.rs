//! Requests: known or not, moot or not, and what they ask for.

use cve_monitor_core::scan::{Command, ImageEvent, OpenRequest, RECENT_REQUESTS, Step};
use cve_monitor_core::vocabulary::{ArtifactKind, Cause, Digest, Generation, ScanRequest};

use crate::stage::{Stage, change, push, request};

#[test]
fn a_request_is_recorded_before_anything_else() {
    let stage = Stage::empty();
    assert_eq!(stage.next(), Step::Done);
    let asked = ScanRequest { at_least: Some(Generation(3)), ..request("q", push()) };
    let event =
        ImageEvent::ScanRequested { request: asked.id.clone(), cause: push(), at_least: Some(Generation(3)) };
    assert_eq!(stage.when(Command::Request(asked)), Ok(vec![event]));
}

#[test]
fn a_known_request_is_not_recorded_again() {
    let mut stage = Stage::empty();
    let again = Command::Request(request("q", push()));
    stage.then(again.clone());
    assert_eq!(stage.when(again.clone()), Ok(vec![]));
    stage.finish("found");
    assert_eq!(stage.when(again), Ok(vec![]), "nor after it was answered");
    assert_eq!(stage.next(), Step::Done);
}

#[test]
fn only_the_last_requests_are_known() {
    let mut stage = Stage::empty();
    let first = Command::Request(request("first", push()));
    stage.then(first.clone());
    for n in 1..RECENT_REQUESTS {
        stage.then(Command::Request(request(&n.to_string(), push())));
        assert_eq!(stage.when(first.clone()), Ok(vec![]), "after {n} others");
    }
    stage.then(Command::Request(request("one too many", push())));
    assert_eq!(stage.state.recent.len(), RECENT_REQUESTS);
    assert_eq!(stage.when(first).map(|events| events.len()), Ok(1));
}

#[test]
fn a_wake_up_is_never_recorded() {
    for stage in [Stage::empty(), Stage::pushed(), Stage::reported("a")] {
        assert_eq!(stage.when(Command::Request(request("due", Cause::Due))), Ok(vec![]));
    }
}

#[test]
fn an_answered_image_is_looked_at_again_for_a_new_request() {
    for cause in [push(), change(), Cause::Reconcile, Cause::Sweep, Cause::Operator] {
        let mut stage = Stage::reported("a");
        stage.ask(cause.clone());
        assert!(matches!(stage.next(), Step::Assess { .. }), "{cause:?}: {:?}", stage.next());
    }
}

#[test]
fn open_requests_ask_for_the_newest_knowledge_of_all() {
    let mut stage = Stage::indexed();
    for (asked, least) in [(5, 5), (3, 5), (9, 9), (1, 9)] {
        stage.ask_at_least(asked);
        assert_eq!(stage.next(), Step::Assess { at_least: Some(Generation(least)) });
    }
    stage.ask(push());
    assert_eq!(stage.next(), Step::Assess { at_least: Some(Generation(9)) });
}

#[test]
fn an_answer_closes_all_open_requests() {
    let mut stage = Stage::reported("a");
    stage.ask_at_least(5);
    let since = stage.now;
    stage.pass(std::time::Duration::from_secs(9));
    stage.ask_at_least(6);
    assert_eq!(stage.state.open, Some(OpenRequest { since, at_least: Some(Generation(6)), routine: false }));
    stage.then(stage.verified("a"));
    assert_eq!(stage.state.open, None);
    stage.ask(push());
    assert_eq!(stage.next(), Step::Assess { at_least: None }, "what was asked for before is over");
}

#[test]
fn a_change_does_not_concern_what_has_no_packages() {
    let index = Command::ResolvedIndex(vec![Digest::of(b"child")]);
    let artifact = Command::ResolvedArtifact(ArtifactKind::HelmChart);
    for resolved in [index, artifact] {
        let mut stage = Stage::pushed();
        stage.then(resolved);
        for cause in [change(), Cause::Sweep] {
            assert_eq!(stage.ask(cause), vec![]);
            assert_eq!(stage.next(), Step::Done);
        }
    }
}

#[test]
fn what_a_push_asks_of_an_index_ends() {
    let children = vec![Digest::of(b"child")];
    let mut stage = Stage::pushed();
    stage.then(Command::ResolvedIndex(children.clone()));
    assert_eq!((stage.next(), stage.state.open), (Step::Done, None));
    for cause in [push(), Cause::Reconcile, Cause::Operator] {
        stage.ask(cause.clone());
        if stage.next() == Step::Resolve {
            stage.then(Command::ResolvedIndex(children.clone()));
        }
        assert_eq!((stage.next(), stage.state.open), (Step::Done, None), "after {cause:?}");
    }
}
