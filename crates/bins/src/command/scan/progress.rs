//! What people see while they wait: a moving line on a terminal, plain lines elsewhere; always on the standard error.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cve_monitor_core::pipeline::Outcome;
use cve_monitor_core::scan::Due;
use cve_monitor_core::vocabulary::ImageId;
use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);
/// How much of a digest is shown, in characters of its hexadecimal form.
const SHORT_DIGEST: usize = 12;

/// Progress of a scan.
#[derive(Debug)]
pub(in crate::command) struct Progress {
    bar: Option<ProgressBar>,
    expected: AtomicU64,
    ended: AtomicU64,
}

impl Progress {
    pub(in crate::command) fn start() -> Arc<Self> {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Arc::new(Self { bar, expected: AtomicU64::new(0), ended: AtomicU64::new(0) })
    }

    pub(in crate::command) fn say(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => eprintln!("{what}"),
        }
    }

    pub(super) fn expect(&self, images: u64) {
        self.expected.store(images, Ordering::Relaxed);
        self.say(&format!("scanning {images} image{}", if images == 1 { "" } else { "s" }));
    }

    pub(super) fn ended(&self, image: &ImageId, outcome: &Outcome) {
        let (how, done) = match outcome {
            Outcome::Reported { verdict, .. } => (verdict.to_string(), true),
            Outcome::Waiting { until: Due::ScannerReady, .. } => ("its layers are read".to_owned(), false),
            Outcome::Waiting { .. } => ("tried again in a moment".to_owned(), false),
            Outcome::Abandoned { reason, .. } => (reason.to_string(), true),
            Outcome::Artifact(kind) => (format!("not an image: {}", kind.as_str()), true),
            Outcome::Deleted => ("not found".to_owned(), true),
            Outcome::Unchanged | Outcome::Current | Outcome::Index(_) => ("done".to_owned(), true),
        };
        let ended = self.ended.fetch_add(u64::from(done), Ordering::Relaxed) + u64::from(done);
        let expected = self.expected.load(Ordering::Relaxed);
        let digest: String = image.digest.hex().chars().take(SHORT_DIGEST).collect();
        self.say(&format!("{ended}/{expected} {}@{digest}: {how}", image.repository));
    }

    pub(in crate::command) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
