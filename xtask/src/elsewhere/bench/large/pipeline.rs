//! From a request to a delivered report, every step durable, with a scanner that costs nothing.

use super::super::child::measure;
use super::super::row::Row;
use super::Found;
use super::home::{Home, json_in};

const NAME: &str = "pipeline";
const RATE: &str = "pipeline, scanner that costs nothing, SQLite FULL: rate [images/s]";

pub(super) fn run(home: &Home) -> Result<Found, String> {
    let folder = home.root.join("target/bench");
    let printed = folder.join("pipeline.txt");
    let mut command = std::process::Command::new(home.built("examples/bench"));
    measure(command.arg("examples").current_dir(&home.root), &printed)?;
    let figures = json_in(&folder.join("figures.json"))?;
    let rate = figures[RATE].as_f64().ok_or_else(|| format!("{}: there is no rate", folder.display()))?;
    let what = "images reported and delivered, each step in the log and synced before it counts";
    let row = Row::new(NAME, what, rate, "images/s").at_least(1_000.0);
    Ok(Found { rows: vec![row], plots: vec![], record: figures })
}
