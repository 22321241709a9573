//! Counters of one kind, told apart by a word.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::runtime::metrics::Sample;
use crate::runtime::metrics::catalogue::Metric;

/// Counters by the value of their one label.
#[derive(Debug, Default)]
pub struct Labelled(Mutex<BTreeMap<String, u64>>);

impl Labelled {
    /// Adds one.
    pub fn add(&self, value: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(value.to_owned()).or_default() += 1;
    }

    /// What they say; those of these values also where nothing was counted.
    pub(super) fn samples(&self, metric: &'static Metric, known: &[&str]) -> Vec<Sample> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for value in known {
            counts.entry((*value).to_owned()).or_default();
        }
        counts.into_iter().map(|(value, count)| Sample::counted(metric, [value.as_str()], count)).collect()
    }
}
