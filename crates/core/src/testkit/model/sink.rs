//! Delivered reports in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::ports::{MAX_BODY_BYTES, ReportObject, ReportSink, SinkError};
use crate::scan::ReportId;
use crate::testkit::locked::Locked;

/// A [`ReportSink`] in memory.
#[derive(Debug)]
pub struct MemorySink {
    name: String,
    state: Locked<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<ReportId, String>,
    objects: BTreeMap<String, Vec<u8>>,
    deliveries: u64,
    failure: Option<SinkError>,
}

impl Default for MemorySink {
    /// Named `memory`.
    fn default() -> Self {
        Self::named("memory")
    }
}

impl MemorySink {
    /// A sink of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), state: Locked::default() }
    }

    /// Every delivery fails like this until told otherwise.
    pub fn fail_with(&self, failure: Option<SinkError>) {
        self.state.lock().failure = failure;
    }

    /// The objects by key.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().objects.clone()
    }

    /// How often a report was delivered, repetitions included.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.state.lock().deliveries
    }
}

#[async_trait]
impl ReportSink for MemorySink {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn deliver(&self, report: &ReportObject) -> Result<(), SinkError> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if report.body.len() > MAX_BODY_BYTES {
            return Err(SinkError::Permanent(format!(
                "a report of {} bytes; at most {MAX_BODY_BYTES} are taken",
                report.body.len()
            )));
        }
        let key = report.key();
        let held = state.keys.get(&report.id);
        if held.is_some_and(|held| *held != key || state.objects.get(held) != Some(&report.body)) {
            return Err(SinkError::Occupied(report.id.to_string()));
        }
        state.keys.insert(report.id.clone(), key.clone());
        state.objects.insert(key, report.body.clone());
        state.deliveries += 1;
        Ok(())
    }
}
