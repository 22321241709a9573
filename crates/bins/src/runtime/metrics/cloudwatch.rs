//! CloudWatch's Embedded Metric Format: lines of JSON that CloudWatch Logs makes metrics of. Its rules are those of the
//! specification of October 2025: at most 100 metrics a directive, at most 30 dimensions a set, whose values are texts and
//! members of the line, times in milliseconds.

use std::collections::BTreeMap;

use cve_monitor_core::vocabulary::Timestamp;
use serde_json::{Map, Value, json};

use super::Sample;
use super::catalogue::{Kind, PROGRAM};

/// The most metrics of one directive, by the specification.
pub const MAX_METRICS_OF_A_LINE: usize = 100;

/// Whom the lines are for, and who tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// CloudWatch's namespace.
    pub namespace: String,
    /// The program.
    pub program: String,
}

/// Counters as they were last told: CloudWatch adds up what it is told.
pub(super) type Before = BTreeMap<(&'static str, Vec<String>), f64>;

/// What is new since `before`, which becomes what is told now: counters by how much they have grown, and those with
/// labels only where they have.
pub(super) fn grown(samples: Vec<Sample>, before: &mut Before) -> Vec<Sample> {
    let told = samples.into_iter().filter_map(|mut sample| {
        if sample.metric.kind == Kind::Counter {
            let now = sample.value;
            sample.value -= before.insert((sample.metric.name, sample.labels.clone()), now).unwrap_or(0.0);
            if sample.value <= 0.0 && !sample.labels.is_empty() {
                return None;
            }
        }
        Some(sample)
    });
    told.collect()
}

/// The lines: one for each set of labels, so that a line has one value of each dimension. What has labels is told by
/// program alone, too.
#[must_use]
pub fn lines(told: &Told, at: Timestamp, samples: &[Sample]) -> Vec<String> {
    let mut groups: BTreeMap<(&[&str], &[String]), Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        groups.entry((sample.metric.labels, &sample.labels)).or_default().push(sample);
    }
    let mut lines = vec![];
    for ((names, values), group) in groups {
        for part in group.chunks(MAX_METRICS_OF_A_LINE) {
            lines.push(line(told, at, names, values, part).to_string());
        }
    }
    lines
}

fn line(told: &Told, at: Timestamp, names: &[&str], values: &[String], samples: &[&Sample]) -> Value {
    let mut sets = vec![vec![PROGRAM]];
    if !names.is_empty() {
        sets.push([&[PROGRAM], names].concat());
    }
    let metrics: Vec<Value> = samples
        .iter()
        .map(|sample| json!({ "Name": sample.metric.name, "Unit": sample.metric.unit.cloudwatch() }))
        .collect();
    let directive = json!({ "Namespace": told.namespace, "Dimensions": sets, "Metrics": metrics });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": at.as_millis(), "CloudWatchMetrics": [directive] }));
    line.insert(PROGRAM.to_owned(), json!(told.program));
    line.extend(names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(samples.iter().map(|sample| (sample.metric.name.to_owned(), json!(sample.value))));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{ATTEMPTS_FAILED, COVERAGE, REPORTED, UPTIME};
    use super::*;

    fn told() -> Told {
        Told { namespace: "n".to_owned(), program: "ingest".to_owned() }
    }

    fn parsed(samples: &[Sample]) -> Vec<Value> {
        let lines = lines(&told(), Timestamp::from_millis(1_772_366_400_123), samples);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_has_one_value_of_each_dimension_and_is_told_by_program_alone_too() {
        let samples = [
            Sample::of(&COVERAGE, ["a"], 0.5),
            Sample::of(&UPTIME, [], 3.0),
            Sample::of(&COVERAGE, ["b"], 1.0),
        ];
        let directive = |sets: Value, metric: &str, unit: &str| {
            let metrics = json!([{ "Name": metric, "Unit": unit }]);
            json!({ "Timestamp": 1_772_366_400_123_u64, "CloudWatchMetrics": [
                { "Namespace": "n", "Dimensions": sets, "Metrics": metrics },
            ] })
        };
        let both = || json!([["program"], ["program", "registry"]]);
        let coverage = "cve_monitor_coverage_ratio";
        let expected = [
            json!({ "_aws": directive(json!([["program"]]), "process_uptime_seconds", "Seconds"),
                    "program": "ingest", "process_uptime_seconds": 3.0 }),
            json!({ "_aws": directive(both(), coverage, "None"), "program": "ingest", "registry": "a", coverage: 0.5 }),
            json!({ "_aws": directive(both(), coverage, "None"), "program": "ingest", "registry": "b", coverage: 1.0 }),
        ];
        assert_eq!(parsed(&samples), expected);
    }

    #[test]
    fn a_directive_has_no_more_metrics_than_it_may() {
        let of = |count| parsed(&vec![Sample::of(&UPTIME, [], 1.0); count]).len();
        assert_eq!((of(MAX_METRICS_OF_A_LINE), of(MAX_METRICS_OF_A_LINE + 1)), (1, 2));
    }

    #[test]
    fn counters_are_told_by_how_much_they_have_grown_and_zero_only_without_labels() {
        let mut before = Before::default();
        let mut told = |reported: f64, failed: f64| -> Vec<f64> {
            let samples =
                vec![Sample::of(&REPORTED, [], reported), Sample::of(&ATTEMPTS_FAILED, ["denied"], failed)];
            grown(samples, &mut before).into_iter().map(|sample| sample.value).collect()
        };
        assert_eq!(told(2.0, 0.0), [2.0]);
        assert_eq!(told(5.0, 1.0), [3.0, 1.0]);
        assert_eq!(told(5.0, 1.0), [0.0]);
    }
}
