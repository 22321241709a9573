//! Whether an image wants a look.

use std::collections::HashSet;
use std::time::Duration;

use crate::scan::{AbandonReason, ImageState, Policy, ReconcileCounts, Resolved};
use crate::vocabulary::{Cause, Digest, Timestamp};

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
        Some(_) => return Some(Cause::Reconcile),
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
        // Work that was begun and not ended: its message may be lost. A wake-up is enough.
        _ => Some(Cause::Due),
    }
}

/// A child of a listed index is there although no tag leads to it.
pub(super) fn reachable(state: &ImageState, listed: &HashSet<Digest>) -> bool {
    state.parents.iter().any(|parent| listed.contains(parent))
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
