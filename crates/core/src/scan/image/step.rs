//! What to do next, as data: the shell performs it and reports back as a command.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ImageState, Resolved};
use crate::scan::{Due, ReportId};
use crate::vocabulary::{Digest, Generation, RequestId, ScannerIdentity, Timestamp};

/// What the configuration decides about the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The scanner in use: another name or version means indexing again.
    pub scanner: ScannerIdentity,
    /// The generation of layer keys in use: another one means recording them again.
    pub key_generation: u32,
    /// The sinks that every report goes to.
    pub sinks: Vec<String>,
}

impl Policy {
    /// What the configuration decides, with this scanner and these sinks.
    #[must_use]
    pub fn of(scanner: ScannerIdentity, sinks: Vec<String>) -> Self {
        Self { key_generation: key_generation(&scanner), scanner, sinks }
    }
}

/// The generation of a scanner's layer keys. Which keys a scanner's feed speaks may change with its name and with the
/// version of what it extracts, so either records them again before anything is indexed with it.
fn key_generation(scanner: &ScannerIdentity) -> u32 {
    let id = RequestId::derived(&["keys", &scanner.name, &scanner.version]);
    u32::from_str_radix(&id.0[..8], 16).unwrap_or_default()
}

/// The name of a step, in events and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Ask the registry for the manifest.
    Resolve,
    /// Record the keys in the layer index.
    RecordLayers,
    /// Let the scanner index.
    Index,
    /// Let the scanner assess.
    Assess,
    /// Deliver the report.
    Deliver,
    /// Forget the keys of a deleted image.
    Forget,
}

impl StepName {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::RecordLayers => "record_layers",
            Self::Index => "index",
            Self::Assess => "assess",
            Self::Deliver => "deliver",
            Self::Forget => "forget",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The next thing to do for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask the registry for the manifest.
    Resolve,
    /// Record the keys in the layer index.
    RecordLayers,
    /// Let the scanner index.
    Index,
    /// Let the scanner assess, from knowledge at least this new.
    Assess {
        /// What the answer must at least know.
        at_least: Option<Generation>,
    },
    /// Deliver the archived body of the last report to a sink.
    Deliver {
        /// The report.
        report: ReportId,
        /// Its archived body.
        body: Digest,
        /// When its assessment began.
        assessed: Timestamp,
        /// The sink.
        sink: String,
    },
    /// Remove the keys of a deleted image from the layer index. Nothing comes after it.
    Forget,
    /// Nothing until then.
    Wait(Due),
    /// Nothing more.
    Done,
}

impl Step {
    /// Its name; none where there is nothing to do.
    #[must_use]
    pub fn name(&self) -> Option<StepName> {
        Some(match self {
            Self::Resolve => StepName::Resolve,
            Self::RecordLayers => StepName::RecordLayers,
            Self::Index => StepName::Index,
            Self::Assess { .. } => StepName::Assess,
            Self::Deliver { .. } => StepName::Deliver,
            Self::Forget => StepName::Forget,
            Self::Wait(_) | Self::Done => return None,
        })
    }
}

/// What to do next. A state that waits for the scanner is tried whenever somebody drives it: the scanner answers
/// whether the wait is over.
#[must_use]
pub fn next_step(state: &ImageState, policy: &Policy, now: Timestamp) -> Step {
    if let Some(Due::At(at)) = state.due
        && at > now
    {
        return Step::Wait(Due::At(at));
    }
    // A report that was made is delivered, whatever became of its image since.
    if state.deleted {
        return undelivered(state, policy).unwrap_or(Step::Forget);
    }
    let is_given_up = state.abandoned.is_some();
    // An earlier report leaves before anything else is asked: a sink sees the series in order, and an image that can no
    // longer be read takes no report with it.
    if !is_given_up && let Some(step) = undelivered(state, policy) {
        return step;
    }
    if state.presence_doubted {
        return Step::Resolve;
    }
    if is_given_up {
        return Step::Done;
    }
    match &state.resolved {
        Some(Resolved::Image(_)) => image_step(state, policy),
        // A push of what was an index or an artifact: the registry says what it is, children are queued again.
        _ if state.open.is_some() => Step::Resolve,
        _ => Step::Done,
    }
}

fn undelivered(state: &ImageState, policy: &Policy) -> Option<Step> {
    let last = state.last_report.as_ref()?;
    let sink = policy.sinks.iter().find(|sink| !last.delivered.contains(sink))?;
    Some(Step::Deliver {
        report: last.id.clone(),
        body: last.body.clone(),
        assessed: last.started,
        sink: sink.clone(),
    })
}

fn image_step(state: &ImageState, policy: &Policy) -> Step {
    let Some(open) = state.open else { return Step::Done };
    if state.keys != Some(policy.key_generation) {
        Step::RecordLayers
    } else if state.indexed.as_ref() != Some(&policy.scanner) {
        Step::Index
    } else {
        Step::Assess { at_least: open.at_least }
    }
}
