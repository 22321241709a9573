//! Whether an image wants a look.

use std::collections::HashSet;
use std::time::Duration;

use super::Wanted;
use crate::scan::{AbandonReason, ImageState, Policy, ReconcileCounts, Resolved};
use crate::vocabulary::{Cause, Digest, RequestId, Timestamp};

/// Why an image that the registry has wants a look; none where it is up to date.
pub(super) fn due(
    policy: &Policy,
    sweep_after: Duration,
    state: &ImageState,
    started: Timestamp,
) -> Option<Cause> {
    if state.deleted {
        return Some(Cause::Reconcile);
    }
    match state.abandoned {
        Some(AbandonReason::OutOfScope) => return None,
        // Every round would be too often: what was given up stays so, and makes a new letter each time.
        Some(_) => {
            let patient = state.open.is_some_and(|open| started.since(open.since) < sweep_after);
            return (!patient).then_some(Cause::Reconcile);
        }
        None => {}
    }
    match &state.resolved {
        Some(Resolved::Index(_) | Resolved::Artifact(_)) if state.open.is_none() => None,
        // Waiting has its own clock.
        _ if state.due.is_some() => None,
        Some(Resolved::Image(_)) if state.is_current(&policy.sinks) => {
            let old = state.assessed.is_none_or(|at| started.since(at) >= sweep_after);
            let outdated = state.indexed.as_ref() != Some(&policy.scanner);
            (old || outdated).then_some(Cause::Sweep)
        }
        // It was asked whether it is still there before anybody asked for a report: a wake-up has nothing to wake.
        Some(Resolved::Image(_)) if state.open.is_none() && state.last_report.is_none() => {
            Some(Cause::Reconcile)
        }
        // Work that was begun and not ended: its message may be lost. A wake-up is enough.
        _ => Some(Cause::Due),
    }
}

/// A child of a listed index is there although no tag leads to it.
pub(super) fn reachable(state: &ImageState, listed: &HashSet<Digest>) -> bool {
    state.parents.iter().any(|parent| listed.contains(parent))
}

/// A child that was deleted may have come back together with its index, and nobody said so: no listing names an untagged
/// one. Asked as seldom as the sweep looks: an index of which parts were never copied has such children for ever.
pub(super) fn may_be_back(sweep_after: Duration, state: &ImageState, started: Timestamp) -> Option<Cause> {
    let asked = state.revived.map(|minutes| Timestamp::from_millis(minutes.saturating_mul(60_000)));
    let asked_lately = asked.is_some_and(|at| started.since(at) < sweep_after);
    (!asked_lately).then_some(Cause::Reconcile)
}

pub(super) fn count(counts: &mut ReconcileCounts, why: Option<&Cause>, listed: bool) {
    match why {
        None if listed => counts.current += 1,
        None => {}
        Some(Cause::Sweep) => counts.swept += 1,
        Some(Cause::Absence) => counts.absent += 1,
        Some(_) => counts.missing += 1,
    }
}

/// How often the registry is asked about an image that its listing does not name, in milliseconds: once a day.
const ABSENCE_ASKED_EVERY_MS: i64 = 24 * 3600 * 1000;

/// An id that is new in every round; of an absence, every day: an untagged image is absent from every round.
pub(super) fn request_id(wanted: &Wanted, started: Timestamp) -> RequestId {
    let since = match wanted.why {
        Cause::Absence => (started.as_millis() / ABSENCE_ASKED_EVERY_MS).to_string(),
        _ => started.to_string(),
    };
    RequestId::derived(&["reconcile", wanted.why.as_str(), &since, &wanted.image.to_string()])
}
