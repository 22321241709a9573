//! Every number that the programs tell of themselves. What is served, emitted, alarmed of and explained comes from here, and
//! tests compare it with each.

use Program::{Ingest, Notifier, Reconciler};

/// Who tells a number. `cve-monitor watch` does what all of them do, and tells all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Works through the queue.
    Ingest,
    /// Follows the scanner; there is one.
    Notifier,
    /// Compares with the registries.
    Reconciler,
}

/// How a number behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from zero at the start of the process. CloudWatch is told by how much it has grown.
    Counter,
    /// Is as it is now.
    Gauge,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A part of one.
    Ratio,
}

impl Unit {
    /// CloudWatch's name for it.
    #[must_use]
    pub fn cloudwatch(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
            Self::Ratio => "None",
        }
    }
}

/// One number, or one for each value of its labels. No label is an image, a repository or anything else without bound.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, for Prometheus and for CloudWatch.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it counts.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Names of its labels; CloudWatch's dimensions are these and [`PROGRAM`].
    pub labels: &'static [&'static str],
    /// Who tells it.
    pub by: &'static [Program],
    /// Whether terraform has an alarm on it.
    pub alarm: bool,
}

/// The dimension that every metric has at CloudWatch: which program told it.
pub const PROGRAM: &str = "program";

const fn counter(name: &'static str, by: &'static [Program], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, help, labels: &[], by, alarm: false }
}

const fn gauge(name: &'static str, unit: Unit, by: &'static [Program], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help, labels: &[], by, alarm: false }
}

impl Metric {
    const fn labelled(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    const fn alarmed(mut self) -> Self {
        self.alarm = true;
        self
    }
}

macro_rules! catalogue {
    ($($constant:ident = $metric:expr;)+) => {
        $(#[doc = concat!("`", stringify!($constant), "`, as its help says.")]
        pub static $constant: Metric = $metric;)+

        /// All of them, in the order in which they are served.
        pub static CATALOGUE: &[&Metric] = &[$(&$constant),+];
    };
}

const ALL: &[Program] = &[Ingest, Notifier, Reconciler];
/// Both know a round's result: the one makes it, the other, which always runs, reads it from the round's stream.
const OF_ROUNDS: &[Program] = &[Notifier, Reconciler];

catalogue! {
    REPORTED = counter("cve_monitor_reported_total", &[Ingest], "New reports.");
    UNCHANGED = counter("cve_monitor_unchanged_total", &[Ingest], "Assessments that changed nothing.");
    CURRENT = counter("cve_monitor_current_total", &[Ingest], "Requests that asked for nothing more than is known.");
    NOT_IMAGES = counter("cve_monitor_not_images_total", &[Ingest], "Indexes and other artifacts that were looked at.");
    DELETED = counter("cve_monitor_deleted_total", &[Ingest], "Images that their registry no longer has.");
    WAITING = counter("cve_monitor_waiting_total", &[Ingest], "Times that an image had to wait: to be tried again, or for the scanner.");
    ABANDONED = counter("cve_monitor_abandoned_total", &[Ingest], "Images given up.");
    ATTEMPTS_FAILED = counter("cve_monitor_attempts_failed_total", &[Ingest], "Steps that failed and were recorded, by the class of the failure.")
        .labelled(&["class"]);
    DEAD_LETTERS = counter("cve_monitor_dead_letters_total", &[Ingest], "Dead letters written, by reason.").labelled(&["reason"]);
    FEED_MISSED = counter("cve_monitor_feed_missed_total", &[Ingest], "Reports that the slow sweep made although the feed had announced nothing.")
        .alarmed();
    PUSHES = counter("cve_monitor_pushes_total", &[Notifier], "Pushes announced at the webhook and queued.");
    BELLS = counter("cve_monitor_bells_total", &[Notifier], "Notifications of the scanner that were taken.");
    CHANGES = counter("cve_monitor_changes_total", &[Notifier], "Changes of the scanner's data that were followed.");
    GAPS = counter("cve_monitor_gaps_total", &[Notifier], "Gaps found in what the scanner tells: everything is looked at again.");
    QUEUED = counter("cve_monitor_queued_total", &[Notifier], "Images queued because of changes and gaps.");
    ROUNDS = counter("cve_monitor_rounds_total", &[Reconciler], "Comparisons with a registry that came to their end.");
    ROUNDS_FAILED = counter("cve_monitor_rounds_failed_total", &[Reconciler], "Comparisons that broke off: the registry could not be listed, or the store or the queue failed.")
        .labelled(&["registry"]);
    QUEUE_MESSAGES = gauge("cve_monitor_queue_messages", Unit::Count, &[Notifier], "Requests in each lane: ready to be worked on, or leased by a worker.")
        .labelled(&["lane", "state"]);
    IMAGES_WAITING = gauge("cve_monitor_images_waiting", Unit::Count, &[Notifier], "Images that wait to be tried again, or for the scanner's data; counted up to 1000.")
        .labelled(&["what_for"]);
    SCANNER_READY = gauge("cve_monitor_scanner_ready", Unit::Count, &[Notifier], "1 where the scanner answers and has its data, else 0.").alarmed();
    KNOWLEDGE_AGE = gauge("cve_monitor_knowledge_age_seconds", Unit::Seconds, &[Notifier], "Since the newest of the scanner's data changed; absent where the scanner does not tell.")
        .alarmed();
    REFRESH_AGE = gauge("cve_monitor_refresh_age_seconds", Unit::Seconds, &[Notifier], "Since all sources of advisories were last read without a problem, or since the start; absent where the scanner is a server.");
    FEED_BEHIND = gauge("cve_monitor_feed_behind_seconds", Unit::Seconds, &[Notifier], "Since everything that the scanner had learnt had been followed, or since the start.")
        .alarmed();
    COVERAGE = gauge("cve_monitor_coverage_ratio", Unit::Ratio, OF_ROUNDS, "Of the images that a current report was owed for in the last whole comparison, the part that did not lack one; 0 before the first.")
        .labelled(&["registry"]).alarmed();
    IMAGES_LISTED = gauge("cve_monitor_images_listed", Unit::Count, OF_ROUNDS, "Images in scope that the registry listed in the last whole comparison.")
        .labelled(&["registry"]);
    IMAGES_LACKING = gauge("cve_monitor_images_without_report", Unit::Count, OF_ROUNDS, "Images that lacked a current report for an hour or more in the last whole comparison, or had been given up.")
        .labelled(&["registry"]);
    REPOSITORIES_UNLISTED = gauge("cve_monitor_repositories_unlisted", Unit::Count, OF_ROUNDS, "Repositories that could not be listed in the last whole comparison: nothing is known of what is in them.")
        .labelled(&["registry"]).alarmed();
    ROUND_AGE = gauge("cve_monitor_round_age_seconds", Unit::Seconds, OF_ROUNDS, "Since the last whole comparison with the registry ended; since the start of the process where there was none.")
        .labelled(&["registry"]).alarmed();
    MEMORY = gauge("process_resident_memory_bytes", Unit::Bytes, ALL, "Memory that the process has, pages of the SQLite file that it has mapped included; absent where the system does not tell.");
    OPEN_FILES = gauge("process_open_fds", Unit::Count, ALL, "File descriptors that the process has open; absent where the system does not tell.");
    UPTIME = gauge("process_uptime_seconds", Unit::Seconds, ALL, "Since the process started.");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_as_prometheus_wants_them() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for metric in CATALOGUE {
            let name = metric.name;
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain(name) && metric.labels.iter().all(|label| plain(label)), "{name}");
            assert!(name.starts_with("cve_monitor_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), metric.unit == Unit::Seconds, "{name}");
            assert!(metric.help.ends_with('.') && !metric.by.is_empty(), "{name}");
        }
    }

    #[test]
    fn no_label_is_without_bound() {
        let bounded = ["class", "reason", "registry", "lane", "state", "what_for"];
        for metric in CATALOGUE {
            assert!(metric.labels.iter().all(|label| bounded.contains(label)), "{}", metric.name);
        }
    }
}
