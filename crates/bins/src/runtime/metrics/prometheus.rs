//! Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use super::Sample;
use super::catalogue::{CATALOGUE, Kind};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The samples as text: families in the order of the catalogue, and none without a sample.
#[must_use]
pub fn exposition(samples: &[Sample]) -> String {
    let mut text = String::new();
    for metric in CATALOGUE {
        let mut family = samples.iter().filter(|sample| sample.metric == *metric).peekable();
        if family.peek().is_none() {
            continue;
        }
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(text, "# HELP {} {help}\n# TYPE {} {kind}", metric.name, metric.name);
        for Sample { labels, value, .. } in family {
            let pairs: Vec<String> = metric
                .labels
                .iter()
                .zip(labels)
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
            let _ = writeln!(text, "{}{labels} {value}", metric.name);
        }
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{COVERAGE, REPORTED};
    use super::*;

    #[test]
    fn each_family_has_its_help_and_type_once_and_label_values_are_escaped() {
        let samples = [
            Sample::of(&COVERAGE, ["a\"b\\c\nd"], 0.5),
            Sample::of(&REPORTED, [], 2.0),
            Sample::of(&COVERAGE, ["r.example"], 1.0),
        ];
        let text = exposition(&samples);
        let (reported, coverage) = text.split_once("# HELP cve_monitor_coverage_ratio ").unwrap();
        assert_eq!(
            reported,
            "# HELP cve_monitor_reported_total New reports.\n# TYPE cve_monitor_reported_total counter\n\
             cve_monitor_reported_total 2\n"
        );
        let lines: Vec<&str> = coverage.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "# TYPE cve_monitor_coverage_ratio gauge",
                "cve_monitor_coverage_ratio{registry=\"a\\\"b\\\\c\\nd\"} 0.5",
                "cve_monitor_coverage_ratio{registry=\"r.example\"} 1",
            ]
        );
    }
}
