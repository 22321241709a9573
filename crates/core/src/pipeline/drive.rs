//! Drives one image: head, next step, perform, decide, append, until it waits or is done.

mod announced;
mod assess;
mod failure;
mod outcome;
mod perform;
mod platform;

use std::fmt;
use std::sync::Arc;

pub use self::outcome::Outcome;
use self::perform::{Performed, Workbench};
pub use self::platform::MAX_CONFIG_BYTES;
use super::Ports;
use super::journal::append;
use crate::ports::{AppendError, StoreError};
use crate::scan::{
    AbandonReason, Command, Event, FailureClass, Head, HeadState, ImageEvent, ImageState, Rejection,
    ReportId, Resolved, Step, StreamId, decide, evolve, next_step,
};
use crate::vocabulary::{ImageId, Lane, ScanRequest, Timestamp, Verdict};

/// How often a drive starts again because somebody else appended first.
pub const CONFLICTS_MAX: u32 = 20;
/// How many steps a drive takes at the most: more than any image needs.
pub const STEPS_MAX: u32 = 64;

/// Why a drive could not even remember how it failed: the message must come again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriveError {
    /// The event store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream holds something that these rules did not write.
    #[error("the stream of {image} cannot be followed: {problem}")]
    Broken {
        /// The image.
        image: ImageId,
        /// What is wrong.
        problem: String,
    },
    /// Others kept appending.
    #[error("others kept changing {0} meanwhile")]
    Contended(ImageId),
    /// No registry of that name is configured.
    #[error("no registry named `{0}` is configured")]
    UnknownRegistry(String),
}

enum Stop {
    Conflict,
    Failed(DriveError),
}

impl From<DriveError> for Stop {
    fn from(error: DriveError) -> Self {
        Self::Failed(error)
    }
}

/// Told of every event of an image, once it is durable.
pub(super) type EventObserver = Arc<dyn Fn(&ImageId, &ImageEvent) + Send + Sync>;

/// Drives images.
#[derive(Clone)]
pub struct Driver {
    ports: Arc<Ports>,
    observer: Option<EventObserver>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("ports", &self.ports).finish_non_exhaustive()
    }
}

/// What is known of the image while it is driven; events wait here for the next durable barrier.
struct Progress<'a> {
    ports: &'a Ports,
    observer: Option<&'a EventObserver>,
    image: &'a ImageId,
    stream: StreamId,
    version: u64,
    state: ImageState,
    pending: Vec<ImageEvent>,
    /// When the first of them happened: they are dated alike, so that folding them again gives the same state.
    batch_at: Option<Timestamp>,
    reported: Option<(ReportId, Verdict)>,
    verified: bool,
    given_up: Option<(AbandonReason, String)>,
}

impl Driver {
    /// A driver over these ports.
    #[must_use]
    pub fn new(ports: Arc<Ports>) -> Self {
        Self { ports, observer: None }
    }

    /// Lets somebody watch every event that is appended.
    #[must_use]
    pub fn on_event(mut self, observer: EventObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Drives the image of a request until it waits or is done. When this returns Ok, everything needed to go on
    /// is durable: the request may be acknowledged.
    ///
    /// # Errors
    /// Where the stream cannot be read or written: the request must come again.
    pub async fn drive(&self, request: &ScanRequest, lane: Lane) -> Result<Outcome, DriveError> {
        let mut recorded = false;
        for _ in 0..CONFLICTS_MAX {
            match self.attempt(request, lane, &mut recorded).await {
                Ok(outcome) => return Ok(outcome),
                // The answer, if there was one, began before somebody else's event: it is thrown away.
                Err(Stop::Conflict) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Err(DriveError::Contended(request.image.clone()))
    }

    /// `recorded` tells whether an earlier attempt has left nothing to record of the request. What forgets keys asks
    /// anew: somebody may have brought the image back meanwhile.
    async fn attempt(&self, request: &ScanRequest, lane: Lane, recorded: &mut bool) -> Result<Outcome, Stop> {
        let image = &request.image;
        let registry = self
            .ports
            .registries
            .get(&image.registry)
            .ok_or_else(|| DriveError::UnknownRegistry(image.registry.to_string()))?;
        // Taken anew each time: a scanner that is a server of its own may be replaced while this process runs.
        let policy = self.ports.policy();
        let mut progress = Progress::read(&self.ports, image).await?;
        progress.observer = self.observer.as_ref();
        let mut bench = Workbench::new(&self.ports, &policy, registry.as_ref(), image, lane);
        if !*recorded {
            progress.take(Command::Request(request.clone()))?;
        }
        for _ in 0..STEPS_MAX {
            let step = next_step(&progress.state, &policy, self.ports.clock.now());
            if progress.must_be_durable_before(&step) {
                progress.flush().await?;
                *recorded = step != Step::Forget;
            }
            if matches!(step, Step::Done | Step::Wait(_)) {
                return Ok(progress.outcome(false));
            }
            match bench.perform(&step, &progress.state).await {
                Performed::Forgotten => {
                    progress.take(Command::Forgotten)?;
                    progress.flush().await?;
                    return Ok(Outcome::Deleted);
                }
                Performed::Command(command) => {
                    let failed = match &command {
                        Command::Failed { failure, .. } => Some(failure.class),
                        _ => None,
                    };
                    progress.take(command)?;
                    if let Some(class) = failed
                        && !matches!(class, FailureClass::NotIndexed | FailureClass::Archived)
                    {
                        progress.flush().await?;
                        return Ok(progress.outcome(class == FailureClass::Throttled));
                    }
                }
            }
        }
        Err(DriveError::Broken {
            image: image.clone(),
            problem: "it takes more steps than any image does".into(),
        }
        .into())
    }
}

impl<'a> Progress<'a> {
    async fn read(ports: &'a Ports, image: &'a ImageId) -> Result<Self, Stop> {
        let stream = StreamId::image(image);
        let head = ports.store.head(&stream).await.map_err(DriveError::Store)?;
        let (version, state) = match head {
            None => (0, ImageState::default()),
            Some(Head { version, state: HeadState::Image(state) }) => (version, *state),
            Some(_) => {
                let problem = "its head is not an image's".to_owned();
                return Err(DriveError::Broken { image: image.clone(), problem }.into());
            }
        };
        Ok(Self {
            ports,
            observer: None,
            image,
            stream,
            version,
            state,
            pending: vec![],
            batch_at: None,
            reported: None,
            verified: false,
            given_up: None,
        })
    }

    fn take(&mut self, command: Command) -> Result<(), Stop> {
        let now = self.ports.clock.now();
        let events = match decide(self.image, &self.state, command, now) {
            Ok(events) => events,
            // Only a state that others have moved on rejects what this one asked for.
            Err(Rejection { .. }) => return Err(Stop::Conflict),
        };
        for event in events {
            let at = *self.batch_at.get_or_insert(now);
            let state = evolve(std::mem::take(&mut self.state), at, &event)
                .map_err(|e| DriveError::Broken { image: self.image.clone(), problem: e.to_string() })?;
            self.state = state;
            match &event {
                ImageEvent::Assessed(a) => self.reported = Some((a.report.clone(), a.verdict)),
                ImageEvent::Verified { .. } => self.verified = true,
                ImageEvent::Abandoned { reason, detail } => self.given_up = Some((*reason, detail.clone())),
                _ => {}
            }
            self.pending.push(event);
        }
        Ok(())
    }

    /// Before the scanner or a sink acts, before a deleted image's keys are forgotten, and before the message is
    /// acknowledged. An assessment needs a barrier only for what is not its own preparation: its answer is
    /// appended at the version that was read before it began, so a request recorded meanwhile discards it.
    fn must_be_durable_before(&self, step: &Step) -> bool {
        match step {
            Step::Index | Step::Deliver { .. } | Step::Forget | Step::Wait(_) | Step::Done => true,
            Step::Assess { .. } => {
                self.pending.iter().any(|event| !matches!(event, ImageEvent::Indexed { .. }))
            }
            Step::Resolve | Step::RecordLayers => false,
        }
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let events: Vec<Event> = pending.iter().cloned().map(Event::from).collect();
        let state = HeadState::Image(Box::new(self.state.clone()));
        let at = self.batch_at.take().unwrap_or_else(|| self.ports.clock.now());
        self.version = match append(self.ports, &self.stream, self.version, at, events, state).await {
            Ok(version) => version,
            Err(AppendError::Conflict { .. }) => return Err(Stop::Conflict),
            Err(AppendError::Store(error)) => return Err(DriveError::Store(error).into()),
        };
        if let Some(observer) = self.observer {
            pending.iter().for_each(|event| observer(self.image, event));
        }
        Ok(())
    }

    fn outcome(self, throttled: bool) -> Outcome {
        if let Some((reason, detail)) = self.given_up {
            return Outcome::Abandoned { reason, detail };
        }
        if let Some(until) = self.state.due {
            return Outcome::Waiting { until, throttled };
        }
        if let Some((report, verdict)) = self.reported {
            return Outcome::Reported { report, verdict };
        }
        // Given up before, and perhaps not buried since: a letter that is buried twice is one letter.
        if let Some(reason) = self.state.abandoned {
            return Outcome::Abandoned { reason, detail: "given up in an earlier attempt".to_owned() };
        }
        match self.state.resolved {
            Some(Resolved::Index(children)) => Outcome::Index(children),
            Some(Resolved::Artifact(kind)) => Outcome::Artifact(kind),
            _ if self.state.deleted => Outcome::Deleted,
            _ if self.verified => Outcome::Unchanged,
            _ => Outcome::Current,
        }
    }
}
