//! The table of legal transitions of an image.

use super::state::minute_of;
use super::{FailureClass, ImageState, LastReport, MAX_PARENTS, OpenRequest, Resolved};
use crate::scan::{Assessed, Due, ImageEvent};
use crate::vocabulary::{Cause, Generation, RequestId, ScannerIdentity, Timestamp};

/// An event that cannot follow: the stream was not written by these rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot follow here: {reason}")]
pub struct IllegalTransition {
    event: &'static str,
    reason: &'static str,
}

impl IllegalTransition {
    pub(in crate::scan) fn new(event: &'static str, reason: &'static str) -> Self {
        Self { event, reason }
    }
}

/// Folds an event into the state of an image.
///
/// # Errors
/// Where the event cannot follow.
pub fn evolve(
    mut state: ImageState,
    at: Timestamp,
    event: &ImageEvent,
) -> Result<ImageState, IllegalTransition> {
    match event {
        ImageEvent::ScanRequested { request, cause, at_least } => {
            requested(&mut state, at, request, cause, *at_least);
        }
        ImageEvent::ManifestResolved(resolved) => settle(&mut state, Resolved::Image(resolved.clone())),
        ImageEvent::IndexResolved { children } => {
            settle(&mut state, Resolved::Index(u32::try_from(children.len()).unwrap_or(u32::MAX)));
            state.open = None;
        }
        ImageEvent::ArtifactResolved { kind } => {
            settle(&mut state, Resolved::Artifact(*kind));
            state.open = None;
        }
        ImageEvent::LayersRecorded { generation, .. } => {
            if !matches!(state.resolved, Some(Resolved::Image(_))) {
                let problem = "the manifest is not known to be an image's";
                return Err(IllegalTransition::new("LayersRecorded", problem));
            }
            state.keys = Some(*generation);
            recorded(&mut state);
        }
        ImageEvent::Indexed { scanner } => indexed(&mut state, scanner)?,
        ImageEvent::Assessed(assessed) => assessed_anew(&mut state, assessed)?,
        ImageEvent::Verified { started, generation } => {
            if state.last_report.is_none() {
                return Err(IllegalTransition::new("Verified", "there is no report to verify"));
            }
            answered(&mut state, *started, *generation);
        }
        ImageEvent::Delivered(delivered) => match &mut state.last_report {
            Some(last) if last.id == delivered.report => {
                last.delivered.push(delivered.sink.clone());
                progress(&mut state);
            }
            _ => return Err(IllegalTransition::new("Delivered", "it is not the last report")),
        },
        ImageEvent::Waiting { until, .. } => state.due = Some(until.clone()),
        ImageEvent::StepFailed { class, retry_at, .. } => failed(&mut state, *class, *retry_at),
        ImageEvent::Abandoned { reason, .. } => {
            state.abandoned = Some(*reason);
            state.presence_doubted = false;
            state.due = None;
        }
        ImageEvent::ImageDeleted => deleted(&mut state),
        ImageEvent::ImageArchived => {
            state.presence_doubted = false;
            progress(&mut state);
        }
    }
    Ok(state)
}

/// A step went well. A scanner that loses what it has just indexed must not be asked for ever: that count goes on.
fn recorded(state: &mut ImageState) {
    if state.failing != Some(FailureClass::NotIndexed) {
        progress(state);
    }
    state.due = None;
}

fn indexed(state: &mut ImageState, scanner: &ScannerIdentity) -> Result<(), IllegalTransition> {
    if state.keys.is_none() {
        return Err(IllegalTransition::new("Indexed", "its layers were not recorded first"));
    }
    if let Some(open) = &mut state.open {
        // Generations are counted by the scanner's own feed: those of another never come. What this one's feed has
        // followed is asked for anyway.
        if state.indexed.as_ref().is_none_or(|before| before.name != scanner.name) {
            open.at_least = None;
        }
        // What is read anew may well say something else.
        open.routine &= state.indexed.as_ref() == Some(scanner);
    }
    state.indexed = Some(scanner.clone());
    recorded(state);
    Ok(())
}

fn assessed_anew(state: &mut ImageState, assessed: &Assessed) -> Result<(), IllegalTransition> {
    if state.last_report.as_ref().is_some_and(|last| last.content == assessed.content) {
        return Err(IllegalTransition::new("Assessed", "two reports in a row say the same"));
    }
    state.last_report = Some(LastReport {
        id: assessed.report.clone(),
        content: assessed.content.clone(),
        body: assessed.body.clone(),
        started: assessed.started,
        verdict: assessed.verdict,
        level: assessed.level,
        delivered: vec![],
    });
    answered(state, assessed.started, assessed.generation);
    Ok(())
}

fn deleted(state: &mut ImageState) {
    state.deleted = true;
    // What asked for it before asks anew if it is asked again: an index that comes back with it, say.
    state.recent.clear();
    state.presence_doubted = false;
    state.open = None;
    state.keys = None;
    state.indexed = None;
    state.abandoned = None;
    progress(state);
}

fn failed(state: &mut ImageState, class: FailureClass, retry_at: Timestamp) {
    state.failures = state.failures_with(class);
    state.failing = Some(class);
    state.due = Some(Due::At(retry_at));
    if class == FailureClass::NotIndexed {
        state.indexed = None;
        // The first time it is indexed again at once.
        state.due = state.due.take().filter(|_| state.failures > 1);
    }
}

fn requested(
    state: &mut ImageState,
    at: Timestamp,
    request: &RequestId,
    cause: &Cause,
    at_least: Option<Generation>,
) {
    if state.is_revived_lately(at) {
        state.keys = None;
        state.indexed = None;
        state.open.get_or_insert(OpenRequest { since: at, at_least: None, routine: false });
    } else {
        state.revived = None;
    }
    let revives = state.deleted && !matches!(cause, Cause::Absence);
    if revives {
        // Back again: whether it is the same as it was, the registry must say.
        state.deleted = false;
        state.resolved = None;
        state.revived = Some(minute_of(at));
    }
    if !state.knows(request) {
        state.recent.push_back(ImageState::remembered(request));
    }
    while state.recent.len() > state.remembers() {
        state.recent.pop_front();
    }
    if matches!(cause, Cause::Absence) {
        state.presence_doubted = true;
        if state.resolved.is_none() && state.abandoned.is_none() {
            // Nobody has told that it was pushed: if it is there after all, that was missed.
            state.open.get_or_insert(OpenRequest { since: at, at_least: None, routine: false });
        }
        return;
    }
    if let Cause::IndexChild { parent } = cause
        && !state.parents.contains(parent)
    {
        state.parents.push(parent.clone());
        if state.parents.len() > MAX_PARENTS {
            state.parents.remove(0);
        }
    }
    if state.abandoned.take().is_some() {
        // Asked anew: its patience is counted from here.
        state.open = None;
        progress(state);
    }
    if matches!(cause, Cause::Operator) {
        progress(state);
    }
    let open = state.open.get_or_insert(OpenRequest { since: at, at_least: None, routine: true });
    open.at_least = open.at_least.max(at_least);
    // The sweep that follows a gap names what has to be known at least; the slow one knows of nothing new.
    open.routine &= matches!(cause, Cause::Sweep) && at_least.is_none();
}

fn settle(state: &mut ImageState, resolved: Resolved) {
    state.resolved = Some(resolved);
    state.presence_doubted = false;
    progress(state);
}

fn answered(state: &mut ImageState, started: Timestamp, generation: Option<Generation>) {
    state.open = None;
    state.assessed = Some(started);
    state.generation = generation;
    progress(state);
}

fn progress(state: &mut ImageState) {
    state.failures = 0;
    state.failing = None;
    state.due = None;
}
