//! Layers of ordinary files: beside inflating and hashing them alone, of any length, two at once.

use std::process::Command;

use serde_json::{Value, json};

use super::super::child::measure;
use super::super::row::Row;
use super::Found;
use super::home::Home;

const NAME: &str = "layers";
/// A layer of the usual kind.
const USUAL_MB: &str = "256";
/// One that no disk has to hold.
const LARGE_MB: &str = "51200";

pub(super) fn run(home: &Home) -> Result<Found, String> {
    let small = home.empty();
    let layer = small.path("layer.tar");
    let folder = small.path("twins");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let printed = small.path("layer.json");
    measure(home.million().arg("write-layer").arg(&layer).arg(USUAL_MB), &printed)?;
    let mut gzip = Command::new("gzip");
    measure(gzip.args(["-6", "--force", "--no-name", "--keep"]).arg(&layer), &small.path("gzip.out"))?;
    measure(Command::new(home.built("examples/layer_speed")).arg(layer.with_extension("tar.gz")), &printed)?;
    let usual = super::home::json_in(&printed)?;
    let (large, cost) = small.ask("stream-layer", &[LARGE_MB])?;
    let printed = small.path("twins.json");
    measure(home.million().arg("two-layers").arg(&folder), &printed)?;
    let twins = super::home::json_in(&printed)?;
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let mb = number(&usual["tar_bytes"]) / 1e6;
    let (read, alone) = (mb / number(&usual["read_layer_s"]), mb / number(&usual["inflate_and_hash_s"]));
    let large_gb = number(&large["bytes"]) / 1e9;
    let (large_read, hashed) = (large_gb / number(&large["read_s"]), large_gb / number(&large["hash_s"]));
    let what = format!("a layer of {mb:.0} MB of ordinary files in gzip, on one core");
    Ok(Found {
        rows: vec![
            Row::new(NAME, what, read, "MB/s")
                .at_least(alone * 0.75)
                .beside("inflating and hashing alone", alone),
            Row::new(NAME, format!("a layer of {large_gb:.0} GB, not compressed"), large_read, "GB/s")
                .beside("making and hashing it alone", hashed),
            Row::new(NAME, "resident memory meanwhile, at most", cost.peak_mib, "MiB").at_most(256.0),
            Row::new(
                NAME,
                "cores in use while an image has two layers",
                number(&twins["cpu_s"]) / number(&twins["wall_s"]),
                "cores",
            ),
        ],
        plots: vec![],
        record: json!({"usual": usual, "large": large, "two": twins}),
    })
}
