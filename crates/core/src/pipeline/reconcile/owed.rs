//! Which images a current report is owed for, and which of them have waited too long.

use std::time::Duration;

use crate::scan::{AbandonReason, ImageState, Policy, ReconcileCounts, Resolved};
use crate::vocabulary::Timestamp;

/// How long an image may be without a current report before coverage counts it as lacking one: what was pushed, or named by a
/// change, a moment ago is in hand.
pub(super) const PATIENCE: Duration = Duration::from_secs(3600);

/// Counts an image that the registry has; `state` is none where nobody has ever asked for it.
pub(super) fn count(
    counts: &mut ReconcileCounts,
    policy: &Policy,
    state: Option<&ImageState>,
    pushed: Option<Timestamp>,
    now: Timestamp,
) {
    if let Some(lacking) = lacks(policy, state, pushed, now) {
        counts.owed += 1;
        counts.lacking += u64::from(lacking);
    }
}

/// Whether it has been without a current report for too long; none where none is owed: it is out of scope, or cannot be had
/// from the registry's archive.
fn lacks(
    policy: &Policy,
    state: Option<&ImageState>,
    pushed: Option<Timestamp>,
    now: Timestamp,
) -> Option<bool> {
    let long_ago = |since: Option<Timestamp>| since.is_none_or(|since| now.since(since) >= PATIENCE);
    let Some(state) = state.filter(|state| !state.deleted) else { return Some(long_ago(pushed)) };
    match (&state.abandoned, &state.resolved) {
        (Some(AbandonReason::OutOfScope | AbandonReason::Archived), _) => None,
        (Some(_), _) => Some(true),
        (None, Some(Resolved::Index(_) | Resolved::Artifact(_))) if state.open.is_none() => Some(false),
        (None, Some(Resolved::Image(_))) if state.is_current(&policy.sinks) => Some(false),
        _ => Some(long_ago(state.open.map(|open| open.since))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::OpenRequest;
    use crate::vocabulary::{ArtifactKind, ScannerIdentity};

    const NOW: Timestamp = Timestamp::MAX;

    fn counted(state: Option<&ImageState>, pushed: Option<Timestamp>) -> (u64, u64) {
        let scanner = ScannerIdentity { name: "s".to_owned(), version: "1".to_owned() };
        let mut counts = ReconcileCounts::default();
        count(&mut counts, &Policy::of(scanner, vec![]), state, pushed, NOW);
        (counts.owed, counts.lacking)
    }

    fn open(age: Duration) -> ImageState {
        let open = OpenRequest { since: NOW.minus(age), at_least: None, routine: false };
        ImageState { open: Some(open), ..ImageState::default() }
    }

    #[test]
    fn a_report_is_lacking_from_the_end_of_patience_on() {
        let almost = PATIENCE.checked_sub(Duration::from_millis(1)).expect("longer than that");
        assert_eq!(counted(None, Some(NOW.minus(almost))), (1, 0), "pushed a moment ago");
        assert_eq!(counted(None, Some(NOW.minus(PATIENCE))), (1, 1));
        assert_eq!(counted(None, None), (1, 1), "nobody says since when it is there");
        assert_eq!(counted(Some(&open(almost)), None), (1, 0), "in hand");
        assert_eq!(counted(Some(&open(PATIENCE)), None), (1, 1));
    }

    #[test]
    fn what_was_given_up_is_lacking_at_once_and_what_cannot_be_had_is_not_owed() {
        let given_up = |reason| ImageState { abandoned: Some(reason), ..open(Duration::ZERO) };
        assert_eq!(counted(Some(&given_up(AbandonReason::Denied)), None), (1, 1));
        assert_eq!(counted(Some(&given_up(AbandonReason::OutOfScope)), None), (0, 0));
        assert_eq!(counted(Some(&given_up(AbandonReason::Archived)), None), (0, 0));
    }

    #[test]
    fn an_index_and_an_artifact_need_no_report_of_their_own() {
        for resolved in [Resolved::Index(3), Resolved::Artifact(ArtifactKind::Signature)] {
            let state = ImageState { resolved: Some(resolved), ..ImageState::default() };
            assert_eq!(counted(Some(&state), None), (1, 0));
        }
    }

    #[test]
    fn what_was_taken_for_deleted_and_is_listed_counts_from_its_push() {
        let state = ImageState { deleted: true, ..ImageState::default() };
        assert_eq!(counted(Some(&state), Some(NOW)), (1, 0));
        assert_eq!(counted(Some(&state), None), (1, 1));
    }
}
