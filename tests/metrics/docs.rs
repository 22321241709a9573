//! The page that explains metrics and alarms.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cve_monitor_bins::runtime::metrics::catalogue::{CATALOGUE, Kind, Metric, Program};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The row of the table that a metric has to have.
fn row(metric: &Metric) -> String {
    let kind = if metric.kind == Kind::Counter { "counter" } else { "gauge" };
    let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    let by = metric.by.iter().map(|by| match by {
        Program::Ingest => "ingest",
        Program::Notifier => "notifier",
        Program::Reconciler => "reconciler",
    });
    let by = by.collect::<Vec<_>>().join(", ");
    format!("| `{}` | {kind} | {labels} | {by} | {} |", metric.name, metric.help)
}

#[test]
fn the_table_has_a_row_for_each_metric_in_the_order_of_the_catalogue_and_no_other() {
    let page = page();
    let told: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `cve_monitor_") || line.starts_with("| `process_"))
        .collect();
    let expected: Vec<String> = CATALOGUE.iter().map(|metric| row(metric)).collect();
    assert_eq!(told, expected, "the table should be\n{}", expected.join("\n"));
}

/// Names of alarms, a lane or the like as `…`.
fn alarms() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform/modules/monitoring/alarms.tf");
    let text = fs::read_to_string(path).expect("the alarms");
    let named = text.lines().filter_map(|line| {
        let line = line.trim();
        let name = match line.split_once(" => {") {
            // for lane, queue in … : "dead-${lane}" => {
            Some((before, _)) => {
                let name = before.rsplit('"').nth(1)?;
                format!("{}…", name.split("${").next()?)
            }
            None => line.strip_suffix(" = {").filter(|name| name.contains('-'))?.to_owned(),
        };
        Some(name)
    });
    named.collect()
}

#[test]
fn every_alarm_has_a_section_that_says_what_it_means_and_what_to_do() {
    let page = page();
    let alarms = alarms();
    assert!(alarms.len() >= 12, "{alarms:?}");
    let sections: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| **`")?.split_once("`** |").map(|(name, _)| name.to_owned()))
        .collect();
    assert_eq!(sections, alarms);
}
