//! What a process knows of itself, now.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cve_monitor_core::pipeline::Ports;
use cve_monitor_core::ports::Scanner;
use cve_monitor_core::vocabulary::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::catalogue::{Metric, Program};
use super::gauges;
use crate::runtime::Tally;

/// For how long what was asked of store, queue and scanner is told again: whoever may ask for the numbers must not be able to
/// run up a bill.
const FRESH: Duration = Duration::from_secs(10);

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What it is.
    pub metric: &'static Metric,
    /// The values of its labels, in their order.
    pub labels: Vec<String>,
    /// Its value.
    pub value: f64,
}

impl Sample {
    /// A number with these values of its labels.
    pub fn of<'a>(metric: &'static Metric, labels: impl IntoIterator<Item = &'a str>, value: f64) -> Self {
        Self { metric, labels: labels.into_iter().map(str::to_owned).collect(), value }
    }

    /// The same of a whole number.
    pub fn counted<'a>(
        metric: &'static Metric,
        labels: impl IntoIterator<Item = &'a str>,
        count: u64,
    ) -> Self {
        Self::of(metric, labels, number(count))
    }
}

/// Both formats know floating numbers alone.
#[expect(clippy::cast_precision_loss, reason = "numbers above 2^53 are not met")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// When something last went well.
#[derive(Debug, Default)]
pub struct Mark(AtomicI64);

impl Mark {
    /// It does now.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }

    /// When it last did; none where it never has.
    pub(super) fn last(&self) -> Option<Timestamp> {
        let millis = self.0.load(Ordering::Relaxed);
        (millis > 0).then(|| Timestamp::from_millis(millis))
    }
}

/// When the tasks of a process last came to an end of what there was to do.
#[derive(Debug, Default)]
pub struct Marks {
    /// The feed was followed to its end.
    pub followed: Mark,
    /// Every source of advisories was read without a problem.
    pub refreshed: Mark,
}

/// Tells the numbers of a process.
#[derive(Debug)]
pub struct Meter {
    pub(super) ports: Arc<Ports>,
    /// The scanner, once it has been reached.
    pub(super) scanner: Arc<OnceLock<Arc<dyn Scanner>>>,
    pub(super) tally: Arc<Tally>,
    pub(super) marks: Arc<Marks>,
    /// Whose numbers it tells.
    pub(super) programs: Vec<Program>,
    /// Whether advisories are refreshed here.
    pub(super) refreshes: bool,
    pub(super) began: Timestamp,
    known: Mutex<Option<(Instant, Vec<Sample>)>>,
}

impl Meter {
    /// The meter of a process that does what these programs do.
    #[must_use]
    pub fn new(
        ports: Arc<Ports>,
        scanner: Arc<OnceLock<Arc<dyn Scanner>>>,
        tally: Arc<Tally>,
        marks: Arc<Marks>,
        programs: Vec<Program>,
        refreshes: bool,
    ) -> Self {
        let began = ports.clock.now();
        Self { ports, scanner, tally, marks, programs, refreshes, began, known: Mutex::default() }
    }

    /// All numbers that can be told now; what gives no answer is logged, and left out.
    pub async fn samples(&self) -> Vec<Sample> {
        let mut samples = self.counters();
        let mut known = self.known.lock().await;
        let gauges = match &*known {
            Some((at, gauges)) if at.elapsed() < FRESH => gauges.clone(),
            _ => {
                let gauges = gauges::all(self).await;
                *known = Some((Instant::now(), gauges.clone()));
                gauges
            }
        };
        samples.extend(gauges);
        samples
    }

    /// What has been counted since the start.
    fn counters(&self) -> Vec<Sample> {
        let registries: Vec<&str> = self.ports.registries.names().map(|name| name.as_str()).collect();
        let mut counted = self.tally.samples(&registries);
        counted.retain(|sample| self.tells(sample.metric));
        counted
    }

    pub(super) fn tells(&self, metric: &Metric) -> bool {
        metric.by.iter().any(|program| self.programs.contains(program))
    }
}
