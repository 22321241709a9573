//! An image on a stage: its state, a clock, and the answers that a shell would bring.

use std::time::Duration;

use cve_monitor_core::scan::{
    Assessed, Command, ContentHash, DeliveredReport, Failure, FailureClass, ImageEvent, ImageState, Policy,
    Rejection, ReportId, ResolvedImage, Step, StepName, decide, evolve, next_step,
};
use cve_monitor_core::vocabulary::{
    Cause, Digest, Generation, ImageId, LayerKey, Level, RequestId, ScanRequest, ScannerIdentity,
    SeverityCounts, Timestamp, Verdict,
};

/// Noon of the first of March 2026.
pub(crate) const NOON: i64 = 1_772_366_400_000;

pub(crate) fn image() -> ImageId {
    format!("registry.test/team/app@{}", Digest::of(b"manifest")).parse().expect("an image")
}

pub(crate) fn policy() -> Policy {
    let scanner = ScannerIdentity { name: "model".to_owned(), version: "1".to_owned() };
    Policy { scanner, key_generation: 1, sinks: vec!["lake".to_owned()] }
}

pub(crate) fn push() -> Cause {
    Cause::Push { tag: None }
}

pub(crate) fn change() -> Cause {
    Cause::Change { feed: cve_monitor_core::vocabulary::FeedName("model".to_owned()) }
}

pub(crate) fn request(id: &str, cause: Cause) -> ScanRequest {
    ScanRequest { id: RequestId(id.to_owned()), image: image(), cause, at_least: None }
}

pub(crate) fn content(text: &str) -> ContentHash {
    ContentHash(text.to_owned())
}

pub(crate) fn resolved() -> ResolvedImage {
    ResolvedImage { config: Digest::of(b"config"), layers: 2, platform: None }
}

pub(crate) fn indexed(scanner: ScannerIdentity) -> Command {
    Command::Indexed { scanner, keys: vec![], generation: 1 }
}

pub(crate) fn failed(step: StepName, class: FailureClass) -> Command {
    let failure = Failure { class, detail: "it went wrong".to_owned(), retry_after: None };
    Command::Failed { step, failure }
}

/// The image, its state and all events that led to it.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) state: ImageState,
    pub(crate) events: Vec<(Timestamp, ImageEvent)>,
    pub(crate) now: Timestamp,
    pub(crate) policy: Policy,
    requests: u32,
}

impl Stage {
    /// Nothing has happened.
    pub(crate) fn empty() -> Self {
        let now = Timestamp::from_millis(NOON);
        Self { state: ImageState::default(), events: vec![], now, policy: policy(), requests: 0 }
    }

    /// Pushed, nothing else.
    pub(crate) fn pushed() -> Self {
        let mut stage = Self::empty();
        stage.ask(push());
        stage
    }

    /// Pushed, resolved as an image, recorded and indexed: to be assessed.
    pub(crate) fn indexed() -> Self {
        let mut stage = Self::pushed();
        for _ in 0..3 {
            stage.succeed();
        }
        assert!(matches!(stage.next(), Step::Assess { .. }), "{:?}", stage.next());
        stage
    }

    /// With a delivered report of this content.
    pub(crate) fn reported(text: &str) -> Self {
        let mut stage = Self::indexed();
        stage.then(stage.assessed(text));
        stage.succeed();
        assert_eq!(stage.next(), Step::Done);
        stage
    }

    /// What follows from a command, without anything being recorded.
    pub(crate) fn when(&self, command: Command) -> Result<Vec<ImageEvent>, Rejection> {
        decide(&image(), &self.state, command, self.now)
    }

    /// The same, recorded.
    pub(crate) fn record(&mut self, command: Command) -> Result<Vec<ImageEvent>, Rejection> {
        let events = self.when(command)?;
        for event in &events {
            self.state = evolve(self.state.clone(), self.now, event).expect("what is decided can follow");
            self.events.push((self.now, event.clone()));
        }
        Ok(events)
    }

    /// The same for a command that must fit.
    pub(crate) fn then(&mut self, command: Command) -> Vec<ImageEvent> {
        self.record(command).expect("the command fits the state")
    }

    /// Records a request with an id of its own.
    pub(crate) fn ask(&mut self, cause: Cause) -> Vec<ImageEvent> {
        self.requests += 1;
        let id = format!("q{}", self.requests);
        self.then(Command::Request(request(&id, cause)))
    }

    /// Records a request that asks for knowledge at least this new.
    pub(crate) fn ask_at_least(&mut self, generation: u64) -> Vec<ImageEvent> {
        self.requests += 1;
        let request = request(&format!("q{}", self.requests), change());
        self.then(Command::Request(ScanRequest { at_least: Some(Generation(generation)), ..request }))
    }

    pub(crate) fn next(&self) -> Step {
        next_step(&self.state, &self.policy, self.now)
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }

    /// An assessment of this content that follows the last report.
    pub(crate) fn assessed(&self, text: &str) -> Command {
        let previous = self.state.last_report.as_ref().map(|last| last.id.clone());
        let content = content(text);
        let report = ReportId::after(previous.as_ref(), &image(), &self.policy.scanner.name, &content);
        Command::Assessed(Box::new(Assessed {
            started: self.now,
            scanner: self.policy.scanner.clone(),
            knowledge: None,
            generation: Some(Generation(7)),
            content,
            report,
            previous,
            body: Digest::of(text.as_bytes()),
            verdict: Verdict::Clean,
            level: Level::Complete,
            counts: SeverityCounts::default(),
            new: 0,
            gone: 0,
            unannounced: false,
        }))
    }

    pub(crate) fn verified(&self, text: &str) -> Command {
        Command::Verified { started: self.now, generation: Some(Generation(8)), content: content(text) }
    }

    /// The answer of a world in which everything goes well and an assessment finds `text`; none where there is
    /// nothing to do.
    pub(crate) fn success(&self, text: &str) -> Option<Command> {
        let same = self.state.last_report.as_ref().is_some_and(|last| last.content == content(text));
        Some(match self.next() {
            Step::Resolve => Command::ResolvedImage(resolved()),
            Step::RecordLayers => Command::LayersRecorded {
                keys: vec![LayerKey("base".to_owned())],
                generation: self.policy.key_generation,
            },
            Step::Index => indexed(self.policy.scanner.clone()),
            Step::Assess { .. } if same => self.verified(text),
            Step::Assess { .. } => self.assessed(text),
            Step::Deliver { report, sink, .. } => Command::Delivered(DeliveredReport { report, sink }),
            Step::Forget | Step::Wait(_) | Step::Done => return None,
        })
    }

    /// Performs the next step successfully.
    pub(crate) fn succeed(&mut self) {
        let command = self.success("found").expect("something to do");
        self.then(command);
    }

    /// Performs steps until there is nothing to do, and says which they were.
    pub(crate) fn finish(&mut self, text: &str) -> Vec<StepName> {
        const MOST: usize = 20;
        let mut steps = vec![];
        while let Some(command) = self.success(text) {
            steps.extend(self.next().name());
            assert!(steps.len() <= MOST, "it does not end: {steps:?}");
            self.then(command);
        }
        steps
    }
}
