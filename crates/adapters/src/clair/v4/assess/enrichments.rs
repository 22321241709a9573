//! What Clair looked up besides advisories: CVSS vectors, EPSS, CISA's catalogue of exploited vulnerabilities.

use std::collections::BTreeMap;

use cve_monitor_core::vocabulary::{Enrichments, Probability};
use serde_json::Value;

use super::wire::Report;

/// What the types of enrichments have in them, whatever version their schema is of (claircore, `enricher/…`).
const CVSS: &str = "enricher=clair.cvss";
const EPSS: &str = "enricher=clair.epss";
const KEV: &str = "enricher=clair.kev";

/// By Clair's numbers for vulnerabilities.
#[derive(Debug, Default)]
pub(super) struct Enriched(BTreeMap<String, Enrichments>);

impl Enriched {
    /// What a report carries: of each type, a list of objects `{"12": [{…}], …}`. What is not of that shape is passed
    /// over: a finding is true without.
    pub(super) fn of(report: &Report) -> Self {
        let mut enriched = Self::default();
        for (kind, value) in &report.enrichments {
            let objects = value.as_array().into_iter().flatten().filter_map(Value::as_object);
            for (number, entries) in objects.flatten() {
                let known = enriched.0.entry(number.clone()).or_default();
                entries.as_array().into_iter().flatten().for_each(|entry| take(known, kind, entry));
            }
        }
        enriched
    }

    /// What is known of one vulnerability.
    pub(super) fn get(&self, number: &str) -> Enrichments {
        self.0.get(number).cloned().unwrap_or_default()
    }
}

fn take(known: &mut Enrichments, kind: &str, entry: &Value) {
    if kind.contains(CVSS) {
        known.cvss.extend(entry["vectorString"].as_str().map(str::to_owned));
    } else if kind.contains(EPSS) {
        known.epss = known.epss.max(entry["epss"].as_f64().and_then(Probability::of));
    } else if kind.contains(KEV) {
        known.known_exploited |= entry["cve"].is_string();
    }
}

/// What is known by either of two.
pub(super) fn join(known: &mut Enrichments, other: Enrichments) {
    known.cvss.extend(other.cvss);
    known.cvss.sort();
    known.cvss.dedup();
    known.epss = known.epss.max(other.epss);
    known.known_exploited |= other.known_exploited;
}
