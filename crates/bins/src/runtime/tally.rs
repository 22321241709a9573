//! What a process has done since it started.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use cve_monitor_core::pipeline::Outcome;

macro_rules! tally {
    ($($(#[$doc:meta])* $field:ident: $words:literal,)+) => {
        /// Counters, shared by the tasks of a process.
        #[derive(Debug, Default)]
        pub struct Tally {
            $($(#[$doc])* pub $field: AtomicU64,)+
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
        }

        impl Done {
            /// Each counter's name with its value.
            #[must_use]
            pub fn numbers(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($field), self.$field),)+]
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
    reported: "new reports",
    /// Assessments that changed nothing.
    unchanged: "assessments that changed nothing",
    /// Requests that asked for nothing more.
    current: "requests that were done already",
    /// Indexes, and things that are no images.
    not_images: "indexes and other artifacts",
    /// Images that are gone.
    deleted: "images gone from their registry",
    /// Images that wait.
    waiting: "waits",
    /// Images given up.
    abandoned: "images given up",
    /// Announcements taken.
    pushes: "pushes announced",
    /// Notifications of the scanner that were taken.
    bells: "notifications of the scanner",
    /// Changes of the scanner's data that were followed.
    changes: "updates of the scanner's data followed",
    /// Requests that follow from them.
    queued: "images looked at again for them",
    /// Comparisons with a registry.
    rounds: "comparisons with a registry",
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
