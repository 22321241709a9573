//! Decisions: `(state, command, now)` to events. Synchronous, total, pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retry::attempts_allowed;
use super::{ImageState, Resolved, StepName, backoff};
use crate::scan::{AbandonReason, Assessed, ContentHash, DeliveredReport, Due, ImageEvent, ResolvedImage};
use crate::vocabulary::{
    ArtifactKind, Cause, Digest, Generation, ImageId, LayerKey, ScanRequest, ScannerIdentity, Timestamp,
};

/// How long to wait for a scanner that serves older data than a change needs.
const BEHIND_WAIT: Duration = Duration::from_secs(30);

/// How a step failed, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Try again.
    Transient,
    /// Asked to slow down.
    Throttled,
    /// Credentials or rights are missing.
    Denied,
    /// What came is not what its digest promises.
    Corrupt,
    /// Trying again will not help.
    Permanent,
    /// The scanner has lost the image: it must be indexed again.
    NotIndexed,
    /// The scanner's data is not loaded.
    Loading,
    /// The scanner's data is older than the change.
    Behind,
    /// The registry keeps it and does not serve it.
    Archived,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How.
    pub class: FailureClass,
    /// What happened, for people. Never a secret.
    pub detail: String,
    /// How long to wait at least, where the other side says.
    pub retry_after: Option<Duration>,
}

/// What the shell reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A request was delivered.
    Request(ScanRequest),
    /// The manifest is an image's.
    ResolvedImage(ResolvedImage),
    /// The manifest is an index; its children have been queued.
    ResolvedIndex(Vec<Digest>),
    /// The manifest is not an image.
    ResolvedArtifact(ArtifactKind),
    /// The registry answered that it is not there.
    NotFound,
    /// The layer index does not name it any more.
    Forgotten,
    /// Its platform is outside of the configured scope.
    OutOfScope {
        /// The platform.
        detail: String,
    },
    /// The layer index has the keys.
    LayersRecorded {
        /// The keys.
        keys: Vec<LayerKey>,
        /// Their generation.
        generation: u32,
    },
    /// The scanner holds the image.
    Indexed {
        /// The scanner.
        scanner: ScannerIdentity,
        /// Keys that were known only then; the layer index has them.
        keys: Vec<LayerKey>,
        /// Their generation.
        generation: u32,
    },
    /// The scanner answered something new; the body is archived.
    Assessed(Box<Assessed>),
    /// The scanner answered the same as last time.
    Verified {
        /// When the assessment began.
        started: Timestamp,
        /// What it knew.
        generation: Option<Generation>,
        /// The content.
        content: ContentHash,
    },
    /// A sink has the report.
    Delivered(DeliveredReport),
    /// A step failed.
    Failed {
        /// The step.
        step: StepName,
        /// How.
        failure: Failure,
    },
}

/// A command that does not fit the state: the shell worked on an old one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{command} does not fit the state of the image: {reason}")]
pub struct Rejection {
    /// The command.
    pub command: &'static str,
    /// Why it does not fit.
    pub reason: &'static str,
}

fn rejected<T>(command: &'static str, reason: &'static str) -> Result<T, Rejection> {
    Err(Rejection { command, reason })
}

/// What follows from a command. No event means that nothing needs to be remembered.
///
/// # Errors
/// Where the command does not fit the state.
pub fn decide(
    image: &ImageId,
    state: &ImageState,
    command: Command,
    now: Timestamp,
) -> Result<Vec<ImageEvent>, Rejection> {
    match command {
        Command::Request(request) => Ok(on_request(state, request, now)),
        Command::Failed { step, failure } => Ok(on_failure(image, state, step, failure, now)),
        Command::NotFound if state.deleted => Ok(vec![]),
        Command::NotFound => Ok(vec![ImageEvent::ImageDeleted]),
        // An attempt that failed before is not waited for any more: else it would be woken for ever.
        Command::Forgotten if state.deleted && state.failing.is_some() => Ok(vec![ImageEvent::ImageDeleted]),
        Command::Forgotten => Ok(vec![]),
        Command::Delivered(delivered) => on_delivered(state, delivered),
        _ if state.deleted => rejected("an answer", "the image was deleted meanwhile"),
        Command::OutOfScope { detail } => {
            Ok(vec![ImageEvent::Abandoned { reason: AbandonReason::OutOfScope, detail }])
        }
        Command::ResolvedImage(resolved) => Ok(vec![ImageEvent::ManifestResolved(resolved)]),
        Command::ResolvedIndex(children) => Ok(vec![ImageEvent::IndexResolved { children }]),
        Command::ResolvedArtifact(kind) => Ok(vec![ImageEvent::ArtifactResolved { kind }]),
        Command::LayersRecorded { keys, generation } => match state.resolved {
            Some(Resolved::Image(_)) => Ok(vec![ImageEvent::LayersRecorded { keys, generation }]),
            _ => rejected("LayersRecorded", "the manifest is not known to be an image's"),
        },
        Command::Indexed { scanner, keys, generation } => on_indexed(state, scanner, keys, generation),
        Command::Assessed(assessed) => on_assessed(state, assessed),
        Command::Verified { started, generation, content } => {
            on_verified(state, started, generation, &content)
        }
    }
}

fn on_request(state: &ImageState, request: ScanRequest, now: Timestamp) -> Vec<ImageEvent> {
    // Whoever brings a message may have forgotten the keys of what is back, in this delivery of it or an earlier one.
    let again = state.keys.is_some() && state.is_revived_lately(now);
    let revives = matches!(
        request.cause,
        Cause::Push { .. } | Cause::IndexChild { .. } | Cause::Reconcile | Cause::Operator
    );
    let moot = match request.cause {
        // A wake-up alone.
        Cause::Due => !again,
        // Only a push, or the registry's listing, says that a deleted image is back.
        _ if state.deleted => !revives,
        // An index or an artifact has no packages that a change could affect.
        Cause::Change { .. } | Cause::Sweep => {
            matches!(state.resolved, Some(Resolved::Index(_) | Resolved::Artifact(_)))
        }
        _ => false,
    };
    if moot || (state.knows(&request.id) && !again) {
        return vec![];
    }
    vec![ImageEvent::ScanRequested { request: request.id, cause: request.cause, at_least: request.at_least }]
}

fn on_indexed(
    state: &ImageState,
    scanner: ScannerIdentity,
    keys: Vec<LayerKey>,
    generation: u32,
) -> Result<Vec<ImageEvent>, Rejection> {
    if state.keys.is_none() || !matches!(state.resolved, Some(Resolved::Image(_))) {
        return rejected("Indexed", "it is no image whose layers were recorded first");
    }
    let indexed = ImageEvent::Indexed { scanner };
    Ok(if keys.is_empty() {
        vec![indexed]
    } else {
        vec![ImageEvent::LayersRecorded { keys, generation }, indexed]
    })
}

fn on_assessed(state: &ImageState, assessed: Box<Assessed>) -> Result<Vec<ImageEvent>, Rejection> {
    if state.open.is_none() || state.indexed.is_none() {
        return rejected("Assessed", "nothing is open, or it is not indexed");
    }
    let last = state.last_report.as_ref();
    if last.map(|last| &last.content) == Some(&assessed.content) {
        return rejected("Assessed", "its content is that of the last report");
    }
    if last.map(|last| &last.id) != assessed.previous.as_ref() {
        return rejected("Assessed", "it follows another report than the last");
    }
    Ok(vec![ImageEvent::Assessed(assessed)])
}

fn on_verified(
    state: &ImageState,
    started: Timestamp,
    generation: Option<Generation>,
    content: &ContentHash,
) -> Result<Vec<ImageEvent>, Rejection> {
    if state.last_report.as_ref().map(|last| &last.content) != Some(content) {
        return rejected("Verified", "its content is not that of the last report");
    }
    if state.open.is_none() {
        return rejected("Verified", "nothing is open");
    }
    Ok(vec![ImageEvent::Verified { started, generation }])
}

fn on_delivered(state: &ImageState, delivered: DeliveredReport) -> Result<Vec<ImageEvent>, Rejection> {
    match &state.last_report {
        Some(last) if last.id == delivered.report => {
            let known = last.delivered.contains(&delivered.sink);
            Ok(if known { vec![] } else { vec![ImageEvent::Delivered(delivered)] })
        }
        _ => rejected("Delivered", "it is not the last report"),
    }
}

fn on_failure(
    image: &ImageId,
    state: &ImageState,
    step: StepName,
    failure: Failure,
    now: Timestamp,
) -> Vec<ImageEvent> {
    let Failure { class, detail, retry_after } = failure;
    match class {
        FailureClass::Loading if state.due == Some(Due::ScannerReady) => return vec![],
        FailureClass::Loading => {
            return vec![ImageEvent::Waiting { until: Due::ScannerReady, reason: detail }];
        }
        FailureClass::Archived => return vec![archived(state, detail)],
        FailureClass::Behind => {
            return vec![ImageEvent::Waiting { until: Due::At(now.plus(BEHIND_WAIT)), reason: detail }];
        }
        _ => {}
    }
    let failures = state.failures_with(class);
    let retry_at = now.plus(backoff(image, failures, retry_after));
    let failed = ImageEvent::StepFailed { step, class, detail: detail.clone(), retry_at };
    if attempts_allowed(class).is_some_and(|allowed| failures >= allowed) {
        vec![failed, ImageEvent::Abandoned { reason: given_up(class), detail }]
    } else {
        vec![failed]
    }
}

/// Whether it is still there is answered; a look that needs its manifest or layers cannot be had. One that needs neither
/// goes on: what is installed is known.
fn archived(state: &ImageState, detail: String) -> ImageEvent {
    if state.presence_doubted && state.resolved.is_some() {
        ImageEvent::ImageArchived
    } else {
        ImageEvent::Abandoned { reason: AbandonReason::Archived, detail }
    }
}

fn given_up(class: FailureClass) -> AbandonReason {
    match class {
        FailureClass::Denied => AbandonReason::Denied,
        FailureClass::Corrupt => AbandonReason::Corrupt,
        FailureClass::Permanent => AbandonReason::Failed,
        FailureClass::Archived => AbandonReason::Archived,
        _ => AbandonReason::AttemptsExhausted,
    }
}
