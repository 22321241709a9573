//! A report, as far as questions are about it.

use std::collections::BTreeSet;

use cve_monitor_core::vocabulary::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::Asked;
use super::day::Day;
use super::question::{Question, Row};
use super::said::{Counts, Said};

/// The major version of reports that is read here; within it fields are only added.
const MAJOR_VERSION: &str = "1.";
const MILLIS_AN_HOUR: f64 = 3_600_000.0;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Report {
    schema_version: String,
    report_id: String,
    previous_report_id: Option<String>,
    pub(super) assessed_at: Timestamp,
    analyzed_image_name: String,
    #[serde(rename = "ECRMetadata")]
    ecr_metadata: Metadata,
    registry: Registry,
    tags: Vec<String>,
    parent_indexes: Vec<Parent>,
    verdict: String,
    completeness: Completeness,
    knowledge: Knowledge,
    vulnerabilities: BySeverity,
    new: Vec<Change>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    repository_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registry {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Completeness {
    level: String,
    reasons: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    code: String,
    detail: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Knowledge {
    last_changed: Vec<Changed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    ecosystem: String,
    at: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BySeverity {
    critical: Vec<Finding>,
    high: Vec<Finding>,
    medium: Vec<Finding>,
    low: Vec<Finding>,
    negligible: Vec<Finding>,
    unknown: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    name: String,
    namespace_name: String,
    severity: String,
    feature_name: String,
    feature_version: String,
    fixed_by: Option<String>,
    layer: Option<String>,
    aliases: Vec<String>,
    records: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    name: String,
    severity: String,
    feature_name: String,
    feature_version: String,
    fixed_by: Option<String>,
}

impl Report {
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let report: Self =
            serde_json::from_slice(line).map_err(|error| format!("this is no report: {error}"))?;
        if !report.schema_version.starts_with(MAJOR_VERSION) {
            return Err(format!(
                "a report of schema {} cannot be read: use a newer program",
                report.schema_version
            ));
        }
        Ok(report)
    }

    pub(super) fn said(&self, asked: &Asked) -> Said {
        let counts = (asked.question == Question::Trend).then(|| self.counts());
        let ids = [Some(&self.report_id), self.previous_report_id.as_ref()];
        Said::new(&self.analyzed_image_name, self.assessed_at, ids, self.rows(asked), counts)
    }

    fn rows(&self, asked: &Asked) -> Vec<Row> {
        match asked.question {
            Question::Critical => self.critical(),
            Question::New => self.changes(),
            Question::Where => self.with(asked.cve.as_deref().unwrap_or_default()),
            Question::TimeToReport => self.times(),
            Question::Stale => self.stale(asked.until.minus(asked.stale_days)),
            Question::Trend => vec![],
            Question::Incomplete => self.incomplete(),
        }
    }

    fn critical(&self) -> Vec<Row> {
        let count = self.vulnerabilities.critical.len();
        let row =
            || vec![json!(self.analyzed_image_name), self.all_tags(), json!(count), json!(self.assessed_at)];
        (count > 0).then(row).into_iter().collect()
    }

    /// Of known images: all that a new one has is new.
    fn known_changes(&self) -> impl Iterator<Item = &Change> {
        self.new.iter().filter(|_| self.previous_report_id.is_some())
    }

    fn changes(&self) -> Vec<Row> {
        let (image, tags, at) = (json!(self.analyzed_image_name), self.all_tags(), json!(self.assessed_at));
        let row = |new: &Change| {
            let Change { name, severity, feature_name, feature_version, fixed_by } = new;
            let found = [name, severity, feature_name, feature_version].map(|text| json!(text));
            let mut row = vec![image.clone(), tags.clone()];
            row.extend(found);
            row.extend([json!(fixed_by), at.clone()]);
            row
        };
        self.known_changes().map(row).collect()
    }

    fn with(&self, cve: &str) -> Vec<Row> {
        let named = |found: &&Finding| {
            found.name == cve || found.aliases.iter().chain(&found.records).any(|name| name == cve)
        };
        let row = |found: &Finding| {
            let Finding { name, severity, feature_name, feature_version, fixed_by, layer, .. } = found;
            let mut row = vec![json!(self.analyzed_image_name), self.all_tags()];
            row.extend([name, severity, feature_name, feature_version].map(|text| json!(text)));
            row.extend([json!(fixed_by), json!(layer), json!(self.assessed_at)]);
            row
        };
        self.vulnerabilities.all().filter(named).map(row).collect()
    }

    fn times(&self) -> Vec<Row> {
        let (mut seen, mut rows) = (BTreeSet::new(), vec![]);
        for new in self.known_changes() {
            if !seen.insert((&new.name, &new.severity)) {
                continue;
            }
            let found = self.vulnerabilities.all().find(|found| found.name == new.name);
            let ecosystem = found.map(|found| found.namespace_name.as_str());
            let changed = ecosystem.and_then(|ecosystem| self.knowledge.changed(ecosystem));
            rows.push(vec![
                json!(self.analyzed_image_name),
                json!(new.name),
                json!(new.severity),
                json!(ecosystem),
                json!(changed),
                json!(self.assessed_at),
                changed.map_or(Value::Null, |at| json!(hours(at, self.assessed_at))),
            ]);
        }
        rows
    }

    fn stale(&self, fresh_since: Day) -> Vec<Row> {
        let row = || {
            let (image, verdict) = (json!(self.analyzed_image_name), json!(self.verdict));
            vec![image, self.all_tags(), verdict, json!(self.assessed_at)]
        };
        (Day::of(self.assessed_at) < fresh_since).then(row).into_iter().collect()
    }

    fn incomplete(&self) -> Vec<Row> {
        let row = |reason: &Reason| {
            let mut row = vec![json!(self.analyzed_image_name), self.all_tags()];
            row.extend([&self.verdict, &self.completeness.level, &reason.code].map(|text| json!(text)));
            row.extend([json!(reason.detail), json!(self.assessed_at)]);
            row
        };
        self.completeness.reasons.iter().map(row).collect()
    }

    fn counts(&self) -> Counts {
        let found = &self.vulnerabilities;
        let lists =
            [&found.critical, &found.high, &found.medium, &found.low, &found.negligible, &found.unknown];
        Counts {
            registry: self.registry.name.clone(),
            repository: self.ecr_metadata.repository_name.clone(),
            by_severity: lists.map(|list| list.len() as u64),
        }
    }

    /// Its own tags and those of the indexes that name it, sorted.
    fn all_tags(&self) -> Value {
        let tags: BTreeSet<&String> =
            self.tags.iter().chain(self.parent_indexes.iter().flat_map(|parent| &parent.tags)).collect();
        json!(tags)
    }
}

impl BySeverity {
    fn all(&self) -> impl Iterator<Item = &Finding> {
        let Self { critical, high, medium, low, negligible, unknown } = self;
        [critical, high, medium, low, negligible, unknown].into_iter().flatten()
    }
}

impl Knowledge {
    /// When the advisories of an ecosystem last changed; none where the scanner does not name it so.
    fn changed(&self, ecosystem: &str) -> Option<Timestamp> {
        let same = |changed: &&Changed| changed.ecosystem.to_lowercase() == ecosystem.to_lowercase();
        self.last_changed.iter().filter(same).map(|changed| changed.at).max()
    }
}

/// Hours with one decimal; less than none where the second was before the first.
fn hours(from: Timestamp, to: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds up to the year 9999 are exact")]
    let millis = (to.as_millis() - from.as_millis()) as f64;
    (millis / MILLIS_AN_HOUR * 10.0).round() / 10.0
}
