//! The layer index, lost and made again out of the events.

use serde_json::json;

use super::super::row::Row;
use super::Found;
use super::fan_out::over_time;
use super::home::Home;
use super::process;

const NAME: &str = "rebuild";
/// What the goal was set for.
const GOAL_EVENTS: f64 = 10_000_000.0;

pub(super) fn run(home: &Home) -> Result<Found, String> {
    let events = home.filled()?["events"].as_f64().unwrap_or_default();
    home.configure("")?;
    let (before, _) = home.ask("index", &["forget"])?;
    let mut command = home.program("cve-monitor");
    let ran = process::run(command.args(["rebuild", "index"]), &home.path("rebuild.err"))?;
    let (after, _) = home.ask("index", &["count"])?;
    if before != after {
        return Err(format!(
            "the index held {before} before it was lost, and {after} once it was made again"
        ));
    }
    let (read, _) = home.ask("read", &[])?;
    let row = Row::new(NAME, format!("layer index out of {events:.0} events"), ran.wall_s, "s");
    let row = row.at_most((60.0 * events / GOAL_EVENTS).max(1.0));
    Ok(Found {
        rows: vec![
            row.beside("reading all events alone", read["seconds"].as_f64().unwrap_or_default()),
            Row::new(NAME, "memory of its own", ran.anonymous_mib, "MiB").at_most(256.0),
        ],
        plots: vec![over_time("memory of its own while the layer index is made again", &ran)],
        record: json!({"events": events, "seconds": ran.wall_s}),
    })
}
