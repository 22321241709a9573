//! The state of a feed: our cursor, the fan-out under way, the sweep under way.

use serde::{Deserialize, Serialize};

use super::{FeedEvent, IllegalTransition};
use crate::ports::Cursor;
use crate::vocabulary::{Generation, PageToken, Timestamp};

/// A change whose candidates are being queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FanOut {
    /// The cursor before the change.
    pub from: Cursor,
    /// The cursor after it.
    pub to: Cursor,
    /// What its assessments must at least know.
    pub generation: Generation,
    /// Where the next page of candidate keys begins.
    pub after: Option<PageToken>,
    /// Requests queued so far.
    pub queued: u64,
}

/// A sweep over everything, after a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSweep {
    /// When it began: images assessed since then are passed over.
    pub since: Timestamp,
    /// What it concerns.
    pub scope: String,
    /// What its assessments must at least know.
    pub generation: Generation,
    /// Where its next page begins.
    pub after: Option<PageToken>,
    /// Requests queued so far.
    pub queued: u64,
}

/// The last gap that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGap {
    /// When it was found.
    pub since: Timestamp,
    /// What its sweep's assessments must at least know.
    pub generation: Generation,
}

/// What is known of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedState {
    /// Everything up to here has been followed, or is being swept.
    pub cursor: Option<Cursor>,
    /// The change being followed.
    pub fan_out: Option<FanOut>,
    /// The sweep under way.
    pub sweep: Option<FeedSweep>,
    /// The generation that the cursor stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// When the cursor last moved.
    pub moved: Option<Timestamp>,
    /// The last gap, also after its sweep has queued everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_gap: Option<LastGap>,
    /// Notifications that have arrived.
    pub bells: u64,
}

/// Folds an event into the state of a feed.
///
/// # Errors
/// Where the event cannot follow.
pub fn evolve_feed(
    mut state: FeedState,
    at: Timestamp,
    event: &FeedEvent,
) -> Result<FeedState, IllegalTransition> {
    match event {
        FeedEvent::BellRang { .. } => state.bells += 1,
        FeedEvent::ChangeSeen { from, to, generation } => {
            if state.fan_out.is_some() || state.cursor.as_ref() != Some(from) {
                return Err(IllegalTransition::new(
                    "ChangeSeen",
                    "another change is followed, or the cursor differs",
                ));
            }
            state.fan_out = Some(FanOut {
                from: from.clone(),
                to: to.clone(),
                generation: *generation,
                after: None,
                queued: 0,
            });
        }
        FeedEvent::FanOutAdvanced { after, queued } => {
            let fan_out = state
                .fan_out
                .as_mut()
                .ok_or_else(|| IllegalTransition::new("FanOutAdvanced", "no change is followed"))?;
            fan_out.after = Some(after.clone());
            fan_out.queued = *queued;
        }
        FeedEvent::FanOutDone { .. } => {
            let fan_out = state
                .fan_out
                .take()
                .ok_or_else(|| IllegalTransition::new("FanOutDone", "no change is followed"))?;
            state.cursor = Some(fan_out.to);
            state.generation = Some(fan_out.generation);
            state.moved = Some(at);
        }
        FeedEvent::GapFound { to, scope, generation } => {
            // Gaps join: one sweep from the beginning covers both.
            let scope = match state.sweep.take() {
                Some(sweep) => joined(&sweep.scope, scope),
                None => joined("", scope),
            };
            state.sweep =
                Some(FeedSweep { since: at, scope, generation: *generation, after: None, queued: 0 });
            state.last_gap = Some(LastGap { since: at, generation: *generation });
            state.fan_out = None;
            state.cursor = Some(to.clone());
            state.generation = Some(*generation);
            state.moved = Some(at);
        }
        FeedEvent::SweepAdvanced { after, queued } => {
            let sweep = state
                .sweep
                .as_mut()
                .ok_or_else(|| IllegalTransition::new("SweepAdvanced", "no sweep is under way"))?;
            sweep.after = Some(after.clone());
            sweep.queued = *queued;
        }
        FeedEvent::SweepDone { .. } => {
            state.sweep.take().ok_or_else(|| IllegalTransition::new("SweepDone", "no sweep is under way"))?;
        }
    }
    Ok(state)
}

/// The longest scope that is spelt out, in bytes; what is longer is called everything.
const MAX_SCOPE_BYTES: usize = 120;
const EVERYTHING: &str = "everything";

fn joined(known: &str, scope: &str) -> String {
    if known == EVERYTHING || known.split(", ").any(|part| part == scope) {
        return known.to_owned();
    }
    let both = if known.is_empty() { scope.to_owned() } else { format!("{known}, {scope}") };
    if both.len() > MAX_SCOPE_BYTES { EVERYTHING.to_owned() } else { both }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_spelt_out_up_to_so_many_bytes_and_is_everything_beyond() {
        let known = "a".repeat(MAX_SCOPE_BYTES - ", npm".len());
        assert_eq!(joined(&known, "npm"), format!("{known}, npm"));
        assert_eq!(joined(&format!("{known}a"), "npm"), EVERYTHING);
        assert_eq!(joined("", &"a".repeat(MAX_SCOPE_BYTES + 1)), EVERYTHING);
        assert_eq!(joined(EVERYTHING, "npm"), EVERYTHING);
        assert_eq!(joined("go, npm", "npm"), "go, npm");
    }
}
