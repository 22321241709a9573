//! What a feed's and a reconciliation's events fold into.

use cve_monitor_core::ports::Cursor;
use cve_monitor_core::scan::{
    FeedEvent, FeedState, Head, HeadState, IllegalTransition, ReconcileCounts, ReconcileEvent,
    ReconcileState, encode_head, evolve_feed, evolve_reconcile,
};
use cve_monitor_core::vocabulary::{Generation, PageToken, Timestamp};

use crate::stage::NOON;

fn noon() -> Timestamp {
    Timestamp::from_millis(NOON)
}

fn cursor(place: u64) -> Cursor {
    Cursor(place.to_string())
}

fn gap(to: u64, scope: &str) -> FeedEvent {
    FeedEvent::GapFound { to: cursor(to), scope: scope.to_owned(), generation: Generation(to) }
}

fn seen(from: u64, to: u64) -> FeedEvent {
    FeedEvent::ChangeSeen { from: cursor(from), to: cursor(to), generation: Generation(to) }
}

fn feed(events: &[FeedEvent]) -> Result<FeedState, IllegalTransition> {
    events.iter().try_fold(FeedState::default(), |state, event| evolve_feed(state, noon(), event))
}

#[test]
fn the_cursor_moves_when_every_candidate_is_queued() {
    let advanced = FeedEvent::FanOutAdvanced { after: PageToken("k".to_owned()), queued: 7 };
    let under_way = feed(&[gap(1, "everything"), seen(1, 2), advanced.clone()]).expect("legal");
    assert_eq!(under_way.cursor, Some(cursor(1)));
    let fan_out = under_way.fan_out.expect("a change is followed");
    assert_eq!((fan_out.after, fan_out.queued), (Some(PageToken("k".to_owned())), 7));
    let done = feed(&[gap(1, "everything"), seen(1, 2), advanced, FeedEvent::FanOutDone { queued: 9 }])
        .expect("legal");
    assert_eq!((done.cursor, done.fan_out), (Some(cursor(2)), None));
}

#[test]
fn a_gap_moves_the_cursor_at_once_and_leaves_a_sweep() {
    let state = feed(&[gap(5, "debian")]).expect("legal");
    let sweep = state.sweep.expect("a sweep");
    assert_eq!(state.cursor, Some(cursor(5)));
    assert_eq!((sweep.scope.as_str(), sweep.generation, sweep.after), ("debian", Generation(5), None));
}

#[test]
fn changes_are_followed_while_a_sweep_is_under_way() {
    let events = [gap(1, "everything"), seen(1, 2), FeedEvent::FanOutDone { queued: 1 }];
    let state = feed(&events).expect("legal");
    assert_eq!(state.cursor, Some(cursor(2)));
    assert!(state.sweep.is_some());
}

#[test]
fn gaps_join_into_one_sweep_from_the_beginning() {
    let advanced = FeedEvent::SweepAdvanced { after: PageToken("image/m".to_owned()), queued: 3 };
    let state = feed(&[gap(1, "debian"), advanced, gap(4, "alpine")]).expect("legal");
    let sweep = state.sweep.expect("a sweep");
    assert!(sweep.scope.contains("debian") && sweep.scope.contains("alpine"), "{}", sweep.scope);
    assert_eq!((sweep.after, sweep.queued, sweep.generation), (None, 0, Generation(4)));
}

#[test]
fn gaps_that_go_on_joining_stay_within_the_bound_of_a_head() {
    let gaps: Vec<_> = (1..200).map(|n| gap(n, ["debian", "alpine", "ubuntu"][n as usize % 3])).collect();
    let state = feed(&gaps).expect("legal");
    let written = encode_head(&Head { version: 200, state: HeadState::Feed(state) });
    assert!(written.is_ok(), "{written:?}");
}

#[test]
fn what_does_not_follow_is_refused() {
    let after = PageToken("x".to_owned());
    for events in [
        vec![seen(1, 2)],
        vec![gap(1, "everything"), seen(2, 3)],
        vec![gap(1, "everything"), seen(1, 2), seen(1, 2)],
        vec![FeedEvent::FanOutDone { queued: 0 }],
        vec![FeedEvent::FanOutAdvanced { after: after.clone(), queued: 0 }],
        vec![FeedEvent::SweepAdvanced { after, queued: 0 }],
        vec![gap(1, "everything"), FeedEvent::SweepDone { queued: 0 }, FeedEvent::SweepDone { queued: 0 }],
    ] {
        assert!(feed(&events).is_err(), "{events:?}");
    }
}

#[test]
fn a_round_goes_on_where_it_was_and_ends_with_its_counts() {
    let fold = |events: &[ReconcileEvent]| {
        events
            .iter()
            .try_fold(ReconcileState::default(), |state, event| evolve_reconcile(state, noon(), event))
    };
    let counts = ReconcileCounts { repositories: 2, listed: 9, ..ReconcileCounts::default() };
    let advanced = ReconcileEvent::RoundAdvanced { after: PageToken("b".to_owned()), counts };
    let under_way = fold(&[ReconcileEvent::RoundStarted, advanced.clone()]).expect("legal");
    assert_eq!((under_way.after, under_way.counts), (Some(PageToken("b".to_owned())), counts));
    let done = ReconcileEvent::RoundDone { counts };
    let ended = fold(&[ReconcileEvent::RoundStarted, advanced.clone(), done.clone()]).expect("legal");
    assert_eq!((ended.started, ended.after, ended.done, ended.last), (None, None, Some(noon()), counts));
    assert!(fold(&[advanced]).is_err() && fold(&[done]).is_err());
}
