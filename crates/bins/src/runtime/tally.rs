//! What a process has done since it started.

mod labelled;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use cve_monitor_core::pipeline::{Followed, Outcome};
use cve_monitor_core::ports::DeadLetterReason;
use cve_monitor_core::scan::{FailureClass, ImageEvent};
use cve_monitor_core::vocabulary::RegistryName;

use self::labelled::Labelled;
use super::metrics::{Sample, catalogue};

macro_rules! tally {
    ($($(#[$doc:meta])* $field:ident, $metric:ident: $words:literal,)+) => {
        /// Counters, shared by the tasks of a process.
        #[derive(Debug, Default)]
        pub struct Tally {
            $($(#[$doc])* pub $field: AtomicU64,)+
            /// Steps that failed, by class.
            pub attempts_failed: Labelled,
            /// Dead letters written, by reason.
            pub dead_letters: Labelled,
            /// Comparisons that broke off, by registry.
            pub rounds_failed: Labelled,
        }

        /// What the counters said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Done {
            $($(#[$doc])* pub $field: u64,)+
        }

        impl Tally {
            /// What they say now.
            #[must_use]
            pub fn done(&self) -> Done {
                Done { $($field: self.$field.load(Ordering::Relaxed),)+ }
            }

            /// The counters without labels.
            fn plain(&self) -> Vec<Sample> {
                vec![$(Sample::counted(&catalogue::$metric, [], self.$field.load(Ordering::Relaxed)),)+]
            }
        }

        impl fmt::Display for Done {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let counted = [$((self.$field, $words),)+];
                let words: Vec<String> =
                    counted.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
                f.write_str(if words.is_empty() { "nothing was to be done" } else { "" })?;
                f.write_str(&words.join(", "))
            }
        }
    };
}

tally! {
    /// New reports.
    reported, REPORTED: "new reports",
    /// Assessments that changed nothing.
    unchanged, UNCHANGED: "assessments that changed nothing",
    /// Requests that asked for nothing more.
    current, CURRENT: "requests that were done already",
    /// Indexes, and things that are no images.
    not_images, NOT_IMAGES: "indexes and other artifacts",
    /// Images that are gone.
    deleted, DELETED: "images gone from their registry",
    /// Images that wait.
    waiting, WAITING: "waits",
    /// Images given up.
    abandoned, ABANDONED: "images given up",
    /// Reports that the slow sweep made although the feed had announced nothing.
    feed_missed, FEED_MISSED: "changes that the feed missed",
    /// Announcements taken.
    pushes, PUSHES: "pushes announced",
    /// Notifications of the scanner that were taken.
    bells, BELLS: "notifications of the scanner",
    /// Changes of the scanner's data that were followed.
    changes, CHANGES: "updates of the scanner's data followed",
    /// Gaps in what the scanner tells.
    gaps, GAPS: "gaps in the scanner's data",
    /// Requests that follow from them.
    queued, QUEUED: "images looked at again for them",
    /// Comparisons with a registry.
    rounds, ROUNDS: "comparisons with a registry",
}

impl Tally {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts how a drive ended.
    pub fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Reported { .. } => &self.reported,
            Outcome::Unchanged => &self.unchanged,
            Outcome::Current => &self.current,
            Outcome::Index(_) | Outcome::Artifact(_) => &self.not_images,
            Outcome::Deleted => &self.deleted,
            Outcome::Waiting { .. } => &self.waiting,
            Outcome::Abandoned { .. } => &self.abandoned,
        };
        Self::add(counter, 1);
    }

    /// Counts what following the feed did.
    pub fn followed(&self, done: &Followed) {
        Self::add(&self.changes, done.changes);
        Self::add(&self.gaps, done.gaps);
        Self::add(&self.queued, done.queued + done.swept);
    }

    /// Counts a comparison with a registry, and whether it came to its end.
    pub fn round(&self, registry: &RegistryName, ended: bool) {
        if ended {
            Self::add(&self.rounds, 1);
        } else {
            self.rounds_failed.add(registry.as_str());
        }
    }

    /// Counts what an event of an image, once it is durable, says of how the work goes.
    pub fn event(&self, event: &ImageEvent) {
        match event {
            ImageEvent::StepFailed { class, .. } => self.attempts_failed.add(&word(*class)),
            ImageEvent::Assessed(assessed) if assessed.unannounced => Self::add(&self.feed_missed, 1),
            _ => {}
        }
    }

    /// Every counter, zeros included, as far as the values of its labels are known beforehand.
    #[must_use]
    pub fn samples(&self, registries: &[&str]) -> Vec<Sample> {
        let classes = CLASSES.map(word);
        let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
        let reasons = REASONS.map(DeadLetterReason::as_str);
        let mut samples = self.plain();
        samples.extend(self.attempts_failed.samples(&catalogue::ATTEMPTS_FAILED, &classes));
        samples.extend(self.dead_letters.samples(&catalogue::DEAD_LETTERS, &reasons));
        samples.extend(self.rounds_failed.samples(&catalogue::ROUNDS_FAILED, registries));
        samples
    }
}

/// The classes that a step that failed is recorded with; the others are waits, or no report is owed.
const CLASSES: [FailureClass; 6] = [
    FailureClass::Transient,
    FailureClass::Throttled,
    FailureClass::Denied,
    FailureClass::Corrupt,
    FailureClass::Permanent,
    FailureClass::NotIndexed,
];
/// The reasons of dead letters.
const REASONS: [DeadLetterReason; 7] = [
    DeadLetterReason::Unreadable,
    DeadLetterReason::UnknownRegistry,
    DeadLetterReason::Denied,
    DeadLetterReason::Corrupt,
    DeadLetterReason::Failed,
    DeadLetterReason::AttemptsExhausted,
    DeadLetterReason::KillsWorkers,
];

/// The word that stands in stored events.
fn word(class: FailureClass) -> String {
    let word = serde_json::to_value(class).ok();
    word.as_ref().and_then(serde_json::Value::as_str).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_in_words_and_what_was_not_is_not() {
        let tally = Tally::default();
        assert_eq!(tally.done().to_string(), "nothing was to be done");
        tally.count(&Outcome::Unchanged);
        Tally::add(&tally.pushes, 2);
        assert_eq!(tally.done().to_string(), "1 assessments that changed nothing, 2 pushes announced");
    }
}
