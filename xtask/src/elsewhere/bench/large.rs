//! A large registry on this machine: the shipped programs on a state of so many images that a seed made up.

mod fan_out;
mod home;
mod layers;
mod pipeline;
mod process;
mod rebuild;
mod reconcile;
mod start;

use std::fs;
use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use self::home::Home;
use super::Asked;
use super::page::{self, Plot};
use super::row::Row;

/// A benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Only {
    /// From a change of the advisories to durable requests for every image that it may affect
    FanOut,
    /// From a request to a delivered report, with a scanner that costs nothing
    Pipeline,
    /// A round over a registry of which everything is known
    Reconcile,
    /// The layer index out of the events
    Rebuild,
    /// From the start of the program to its first answer
    Start,
    /// Layers of the usual kind, of any length, and two at once
    Layers,
}

/// What a benchmark found.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<Row>,
    plots: Vec<Plot>,
    /// Whatever else the record keeps.
    record: Value,
}

/// Prints the table, and writes the record and the page.
pub(super) fn run(root: &Path, asked: &Asked) -> Result<(), String> {
    let all = Only::value_variants();
    let wanted: Vec<Only> = if asked.only.is_empty() { all.to_vec() } else { asked.only.clone() };
    let programs = match &asked.programs {
        Some(programs) => {
            fs::canonicalize(programs).map_err(|error| format!("{}: {error}", programs.display()))?
        }
        None => {
            build(root, &wanted)?;
            root.join("target/release")
        }
    };
    let images = asked.images;
    let home = Home::of(root, images, programs);
    let (mut rows, mut plots, mut records) = (vec![], vec![], json!({}));
    for only in wanted {
        eprintln!("{only:?} …");
        let found = match only {
            Only::FanOut => fan_out::run(&home, asked.changes)?,
            Only::Pipeline => pipeline::run(&home)?,
            Only::Reconcile => reconcile::run(&home)?,
            Only::Rebuild => rebuild::run(&home)?,
            Only::Start => start::run(&home)?,
            Only::Layers => layers::run(&home)?,
        };
        for row in &found.rows {
            println!("{}", row.text());
        }
        rows.extend(found.rows);
        plots.extend(found.plots);
        records[format!("{only:?}")] = found.record;
    }
    let folder = root.join("target/bench");
    let json = json!({
        "images": images, "rows": rows.iter().map(Row::json).collect::<Vec<_>>(), "records": records,
    });
    write(&folder.join("large.json"), &format!("{json:#}\n"))?;
    let heading = format!("Figures of a registry of {images} images");
    write(&folder.join("large.html"), &page::html(&heading, &rows, &plots))?;
    println!("\n{}\n{}", folder.join("large.json").display(), folder.join("large.html").display());
    Ok(())
}

/// The programs, all at once: what they share is built once.
fn build(root: &Path, wanted: &[Only]) -> Result<(), String> {
    let mut targets = vec![
        "--package",
        "cve-monitor-bins",
        "--package",
        "cve-monitor-adapters",
        "--bins",
        "--example",
        "million",
    ];
    if wanted.contains(&Only::Pipeline) {
        targets.extend(["--example", "bench"]);
    }
    if wanted.contains(&Only::Layers) {
        targets.extend(["--package", "cve-monitor-scanner", "--example", "layer_speed"]);
    }
    if wanted.contains(&Only::Reconcile) {
        targets.extend(["--package", "cve-monitor-tests"]);
    }
    super::build(root, &targets)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
