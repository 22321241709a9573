//! From a change of the advisories to every image that it may affect, and to their requests in the queue.

use serde_json::{Value, json};

use super::super::page::{Plot, Series};
use super::super::row::Row;
use super::Found;
use super::home::Home;
use super::process::{self, Ran};

const NAME: &str = "fan-out";
/// The share of all images that the change affects.
const SHARE: f64 = 0.4;
/// Kinds of packages by their names, and where images have them from.
const KINDS: [(&str, &str); 2] = [("-py-", "layers of their own"), ("-deb-", "base layers")];
/// Of all images' requests, what the goal was set for.
const GOAL_REQUESTS: f64 = 400_000.0;

pub(super) fn run(home: &Home, changes: u64) -> Result<Found, String> {
    let filled = home.filled()?;
    home.configure("")?;
    let mut found = candidates(home, changes)?;
    let mut records = json!({"filled": filled, "candidates": found.record["candidates"]});
    for (kind, from) in KINDS {
        let package = home.package(kind, SHARE)?;
        let ran = fan_out(home, &package.name)?;
        let (counted, _) = home.ask("requests", &["forget"])?;
        let requests = counted["change"].as_f64().unwrap_or_default();
        if requests < package.images as f64 {
            return Err(format!(
                "{requests} requests for {} images that have {}",
                package.images, package.name
            ));
        }
        let (raw, _) = home.ask("inserts", &[&format!("{requests}")])?;
        let what = format!("{requests:.0} requests durably queued by `notifier`, from {from}");
        let scaled = 60.0 * requests / GOAL_REQUESTS;
        let row = Row::new(NAME, what, ran.wall_s, "s").at_most(scaled.max(1.0));
        found.rows.push(row.beside("raw inserts, as durable", raw["seconds"].as_f64().unwrap_or_default()));
        found.rows.push(memory(&format!("memory of its own of `notifier`, {from}"), &ran));
        let mapped = format!("mapped files of `notifier`, its code included, {from}");
        found.rows.push(Row::new(NAME, mapped, ran.mapped_mib, "MiB").at_most(512.0));
        records[kind] = json!({
            "package": package.name, "images": package.images, "layers": package.layers,
            "requests": requests, "seconds": ran.wall_s, "anonymous_mib": ran.anonymous_mib,
        });
        found
            .plots
            .push(over_time(&format!("memory of its own of `notifier` while it fans out ({from})"), &ran));
    }
    found.record = records;
    Ok(found)
}

pub(super) fn memory(what: &str, ran: &Ran) -> Row {
    Row::new(NAME, what, ran.anonymous_mib, "MiB").at_most(256.0)
}

pub(super) fn over_time(title: &str, ran: &Ran) -> Plot {
    let series = Series { name: "MiB", color: "#06c", points: ran.over_time.clone() };
    Plot { title: title.to_owned(), x: "seconds", y: "MiB", is_logarithmic: false, series: vec![series] }
}

fn fan_out(home: &Home, package: &str) -> Result<Ran, String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    home.advise(&format!("FAN-OUT-{}", now.as_millis()), package)?;
    process::run(home.program("notifier").arg("--once"), &home.path("notifier.err"))
}

fn candidates(home: &Home, changes: u64) -> Result<Found, String> {
    let (figures, _) = home.ask("candidates", &[&changes.to_string()])?;
    if figures["not_as_counted"] != json!(0) {
        return Err(format!(
            "{} changes did not name the images that they affect",
            figures["not_as_counted"]
        ));
    }
    let (poll, _) = home.ask("poll", &[])?;
    let poll_ms = poll["seconds"].as_f64().unwrap_or_default() * 1e3;
    let of = |what: &str, which: &str| figures[what][which].as_f64().unwrap_or_default();
    let row = |what: &str, value: f64| Row::new(NAME, what, value, "ms");
    let rows = vec![
        row("candidate layers of a change, median", of("keys", "median_ms")),
        row("candidate layers of a change, p99", of("keys", "p99_ms")).at_most(150.0),
        row("images of a change, median", of("images", "median_ms")).beside("poll of all images", poll_ms),
        row("images of a change, p99", of("images", "p99_ms"))
            .at_most(150.0)
            .beside("poll of all images", poll_ms),
        row("images of a change, worst", of("images", "worst_ms")).beside("poll of all images", poll_ms),
    ];
    let points = |at: usize| {
        let all = figures["points"].as_array().map_or(&[][..], Vec::as_slice);
        all.iter()
            .map(|p| (number(&p[0]), number(&p[2]) + if at == 3 { number(&p[3]) } else { 0.0 }))
            .collect()
    };
    let plot = Plot {
        title: "how long finding what a change affects takes".to_owned(),
        x: "images affected",
        y: "ms",
        is_logarithmic: true,
        series: vec![
            Series { name: "images", color: "#c40", points: points(3) },
            Series { name: "layers", color: "#06c", points: points(2) },
        ],
    };
    Ok(Found { rows, plots: vec![plot], record: json!({"candidates": figures}) })
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}
