//! Who watches ingest: each is told of what is durable already.

use std::sync::Arc;

use super::Ingest;
use crate::pipeline::Outcome;
use crate::pipeline::drive::EventObserver;
use crate::ports::DeadLetter;
use crate::vocabulary::ImageId;

type OutcomeObserver = Arc<dyn Fn(&ImageId, &Outcome) + Send + Sync>;
type LetterObserver = Arc<dyn Fn(&DeadLetter) + Send + Sync>;

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Observers {
    outcomes: Option<OutcomeObserver>,
    letters: Option<LetterObserver>,
}

impl Observers {
    pub(super) fn ended(&self, image: &ImageId, outcome: &Outcome) {
        if let Some(observer) = &self.outcomes {
            observer(image, outcome);
        }
    }

    pub(super) fn buried(&self, letter: &DeadLetter) {
        if let Some(observer) = &self.letters {
            observer(letter);
        }
    }
}

impl Ingest {
    /// Lets somebody watch every outcome.
    #[must_use]
    pub fn on_outcome(mut self, observer: OutcomeObserver) -> Self {
        self.observers.outcomes = Some(observer);
        self
    }

    /// Lets somebody watch every event of an image that is appended.
    #[must_use]
    pub fn on_event(mut self, observer: EventObserver) -> Self {
        self.driver = self.driver.on_event(observer);
        self
    }

    /// Lets somebody watch every dead letter that is put.
    #[must_use]
    pub fn on_dead_letter(mut self, observer: LetterObserver) -> Self {
        self.observers.letters = Some(observer);
        self
    }
}
