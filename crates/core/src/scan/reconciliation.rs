//! The state of a registry's reconciliation: how far the round has come, and what it found.

use serde::{Deserialize, Serialize};

use super::{IllegalTransition, ReconcileEvent};
use crate::vocabulary::{PageToken, Timestamp};

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReconcileCounts {
    /// Repositories that were compared.
    pub repositories: u64,
    /// Images that the registry listed, in scope.
    pub listed: u64,
    /// Images that were up to date.
    pub current: u64,
    /// Requests queued for images without a report or with unfinished work.
    pub missing: u64,
    /// Requests queued because the last assessment is old.
    pub swept: u64,
    /// Requests queued because the listing does not name an image that we know.
    pub absent: u64,
    /// Repositories that could not be listed: nothing is known of what is in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// Images that a current report is owed for: those listed and the known children of listed indexes.
    #[serde(skip_serializing_if = "is_zero")]
    pub owed: u64,
    /// Those of them that have had none for longer than they should have to wait.
    #[serde(skip_serializing_if = "is_zero")]
    pub lacking: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What is known of a registry's reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReconcileState {
    /// When the round under way began.
    pub started: Option<Timestamp>,
    /// Where the listing of repositories goes on.
    pub after: Option<PageToken>,
    /// What the round under way found so far.
    pub counts: ReconcileCounts,
    /// When the last round ended.
    pub done: Option<Timestamp>,
    /// What the last round found.
    pub last: ReconcileCounts,
}

/// Folds an event into the state of a reconciliation.
///
/// # Errors
/// Where the event cannot follow.
pub fn evolve_reconcile(
    mut state: ReconcileState,
    at: Timestamp,
    event: &ReconcileEvent,
) -> Result<ReconcileState, IllegalTransition> {
    let under_way = state.started.is_some();
    match event {
        ReconcileEvent::RoundStarted => {
            state.started = Some(at);
            state.after = None;
            state.counts = ReconcileCounts::default();
        }
        ReconcileEvent::RoundAdvanced { after, counts } if under_way => {
            state.after = Some(after.clone());
            state.counts = *counts;
        }
        ReconcileEvent::RoundDone { counts } if under_way => {
            state = ReconcileState { done: Some(at), last: *counts, ..ReconcileState::default() };
        }
        ReconcileEvent::RoundAdvanced { .. } | ReconcileEvent::RoundDone { .. } => {
            return Err(IllegalTransition::new("RoundAdvanced", "no round is under way"));
        }
    }
    Ok(state)
}
