//! The scanner: images beside syft, layers beside inflating them alone, and the advisory database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};

use super::advisories;
use super::child::{Cost, measure};
use super::inventory::Compared;
use super::layout::{self, Image};

/// The other scanner, at the version that is built where Go is there.
const SYFT: &str = "github.com/anchore/syft/cmd/syft@v1.42.1";
/// How often each program reads each image; the best counts.
const ROUNDS: usize = 3;
/// What our programs keep of layers from one scan to the next.
const KEPT_LAYERS: &str = "layers.db";

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// OCI layouts with more images than those of the examples; repeatable
    #[arg(long, value_name = "FOLDER")]
    layout: Vec<PathBuf>,
    /// Advisories to compile, beside those of the examples: a folder of OSV records; repeatable
    #[arg(long, value_name = "FOLDER")]
    advisories: Vec<PathBuf>,
    /// Made-up records to compile; 0 for none
    #[arg(long, default_value_t = 500_000)]
    records: u64,
    /// GiB of the layer that is made while it is read; 0 for none
    #[arg(long, default_value_t = 50)]
    large: u64,
    /// The other scanner; it is built where Go is there, if none is named
    #[arg(long, value_name = "PROGRAM")]
    syft: Option<PathBuf>,
    /// Measure without the other scanner
    #[arg(long, conflicts_with = "syft")]
    alone: bool,
}

/// The programs and folders of a run.
struct Bench {
    ours: PathBuf,
    layer_speed: PathBuf,
    syft: Option<PathBuf>,
    advisories: PathBuf,
    scratch: PathBuf,
}

/// Prints the tables and writes the record.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<(), String> {
    super::build(root, &["--package", "cve-monitor-bins", "--bin", "cve-monitor"])?;
    super::build(root, &["--package", "cve-monitor-scanner", "--examples"])?;
    let scratch = root.join("target/bench/scanner");
    let release = root.join("target/release");
    let images = scratch.join("images");
    // Images of an earlier run may be gone from their layouts.
    let _ = fs::remove_dir_all(&images);
    fs::create_dir_all(&images).map_err(|error| format!("{}: {error}", images.display()))?;
    let bench = Bench {
        ours: release.join("cve-monitor"),
        layer_speed: release.join("examples/layer_speed"),
        syft: if wanted.alone { None } else { syft(root, wanted)? },
        advisories: root.join("examples/advisories/first"),
        scratch,
    };
    let mut all = vec![];
    for (number, folder) in [root.join("examples/images")].iter().chain(&wanted.layout).enumerate() {
        all.extend(layout::images(folder, &images.join(number.to_string()))?);
    }
    let mut figures = vec![];
    println!("{}", heading());
    for image in &all {
        let of_image = bench.image(image)?;
        println!("{}", row(&of_image));
        figures.push(of_image);
    }
    let databases = databases(&bench, &release.join("examples/advisory_speed"), wanted, &all)?;
    let large = bench.large(&release.join("examples/large_layer"), wanted.large)?;
    let record = root.join("target/bench/scanner.json");
    let json = json!({"images": figures, "advisories": databases, "large": large});
    fs::write(&record, format!("{json:#}\n")).map_err(|error| format!("{}: {error}", record.display()))?;
    println!("\n{}", record.display());
    Ok(())
}

/// The other scanner; none where Go is not there.
fn syft(root: &Path, wanted: &Wanted) -> Result<Option<PathBuf>, String> {
    if let Some(named) = &wanted.syft {
        return Ok(Some(named.clone()));
    }
    let folder = root.join("target/bench/go");
    let program = folder.join("syft");
    if !program.is_file() {
        let mut go = Command::new("go");
        let built = go.args(["install", SYFT]).env("GOBIN", &folder).env("CGO_ENABLED", "0").status();
        match built {
            Err(_) => {
                eprintln!("Go is not there: nothing is compared with {SYFT}");
                return Ok(None);
            }
            Ok(status) if !status.success() => return Err(format!("{SYFT} cannot be built")),
            Ok(_) => {}
        }
    }
    Ok(Some(program))
}

impl Bench {
    fn image(&self, image: &Image) -> Result<Value, String> {
        let name = format!("oci:{}:latest", image.layout.display());
        let (ours, theirs) = (self.scratch.join("ours.json"), self.scratch.join("theirs.json"));
        let inventory = best(|| {
            self.forget()?;
            measure(self.command().args(["inventory", &name, "--format", "cyclonedx"]), &ours)
        })?;
        // The advisories are compiled once, before.
        self.scan(&name)?;
        let scan = best(|| {
            self.forget()?;
            self.scan(&name)
        })?;
        let again = best(|| self.scan(&name))?;
        let mut figures = json!({
            "image": image.name,
            "inventory": inventory.json(), "scan": scan.json(), "scan_again": again.json(),
            "layers": self.layers(image)?,
        });
        if let Some(syft) = &self.syft {
            let source = format!("oci-dir:{}", image.layout.display());
            let arguments = ["scan", &source, "--quiet", "--output", "cyclonedx-json"];
            let run = || measure(Command::new(syft).args(arguments).envs(OFFLINE), &theirs);
            figures["syft"] = best(run)?.json();
            figures["compared"] = Compared::of(&ours, &theirs)?.json();
        }
        Ok(figures)
    }

    /// A layer that is made while it is read: time, and what the process holds.
    fn large(&self, program: &Path, gib: u64) -> Result<Value, String> {
        if gib == 0 {
            return Ok(Value::Null);
        }
        let printed = self.scratch.join("large.json");
        let cost = measure(Command::new(program).arg(gib.to_string()), &printed)?.json();
        let number = |name: &str| cost[name].as_f64().unwrap_or_default();
        println!(
            "\na layer of {gib} GiB: {:.0} s of CPU, {:.0} MiB at most",
            number("cpu_s"),
            number("peak_mib")
        );
        let text = fs::read_to_string(&printed).map_err(|error| format!("{}: {error}", printed.display()))?;
        let read: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", printed.display()))?;
        Ok(json!({"gib": gib, "process": cost, "layer": read}))
    }

    fn scan(&self, image: &str) -> Result<Cost, String> {
        let advisories = self.advisories.display().to_string();
        let arguments = ["scan", image, "--offline", "--format", "json", "--advisories", &advisories];
        measure(self.command().args(arguments), &self.scratch.join("report.json"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.ours);
        command.env("XDG_CACHE_HOME", self.scratch.join("cache")).current_dir(&self.scratch);
        command
    }

    /// What is kept of layers goes; the advisories stay.
    fn forget(&self) -> Result<(), String> {
        let folder = self.scratch.join("cache/cve-monitor");
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(KEPT_LAYERS) {
                fs::remove_file(entry.path()).map_err(|error| format!("{}: {error}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// All layers of an image, in one thread: as a scan reads them, and inflated and hashed alone.
    fn layers(&self, image: &Image) -> Result<Value, String> {
        let printed = self.scratch.join("layers.json");
        measure(Command::new(&self.layer_speed).args(&image.layers), &printed)?;
        let text = fs::read_to_string(&printed).map_err(|error| format!("{}: {error}", printed.display()))?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let lines = lines.map_err(|error| format!("{}: {error}", printed.display()))?;
        let sum = |member: &str| lines.iter().filter_map(|line| line[member].as_f64()).sum::<f64>();
        let (read, alone) = (sum("read_layer_s"), sum("inflate_and_hash_s"));
        Ok(json!({
            "tar_mb": sum("tar_bytes") / 1e6, "members": sum("members"),
            "read_s": read, "inflate_and_hash_s": alone, "ratio": read / alone,
        }))
    }
}

/// The other scanner asks for newer versions of itself, unless told not to.
const OFFLINE: [(&str, &str); 1] = [("SYFT_CHECK_FOR_APP_UPDATE", "false")];

fn best(mut run: impl FnMut() -> Result<Cost, String>) -> Result<Cost, String> {
    let first = run()?;
    (1..ROUNDS).try_fold(first, |best, _| Ok(best.best(run()?)))
}

fn databases(bench: &Bench, program: &Path, wanted: &Wanted, images: &[Image]) -> Result<Value, String> {
    let largest = images.iter().max_by_key(|image| image.layers.len());
    let largest = largest.ok_or("there is no image to match advisories with")?;
    let measured = advisories::Bench { program, scratch: &bench.scratch };
    let mut sources = vec![bench.advisories.clone()];
    sources.extend(wanted.advisories.iter().cloned());
    if wanted.records > 0 {
        sources.push(measured.made_up(wanted.records)?);
    }
    let header = ["records", "rules", "file MiB", "compile s", "peak MiB", "open ms", "match ms", "peak MiB"];
    println!("\n{:<34}{}", "advisories", header.map(|name| format!("{name:>11}")).concat());
    let mut figures = vec![];
    for source in &sources {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut of_source = measured.figures(source, &largest.layers)?;
        of_source["source"] = name.clone().into();
        of_source["image"] = largest.name.clone().into();
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let (own, matched) = (&of_source, &of_source["matched"]);
        let columns = [
            number(&own["records"]),
            number(&own["rules"]),
            number(&own["database_bytes"]) / 1_048_576.0,
            number(&own["compile_s"]),
            number(&own["peak_mib"]),
            number(&matched["open_ms"]),
            number(&matched["first_match_ms"]),
            number(&matched["peak_mib"]),
        ];
        println!("{name:<34}{}", columns.map(|value| format!("{value:>11.1}")).concat());
        figures.push(of_source);
    }
    Ok(json!(figures))
}

fn heading() -> String {
    let names = [
        "tar MB",
        "inventory s",
        "peak MiB",
        "scan s",
        "again s",
        "read/inflate",
        "syft s",
        "CPU s",
        "peak MiB",
    ];
    let packages = ["same", "ours", "syft's"];
    let columns = names.iter().chain(&packages).map(|name| format!("{name:>13}"));
    format!("{:<26}{}", "image", columns.collect::<String>())
}

fn row(figures: &Value) -> String {
    let (inventory, layers, syft) = (&figures["inventory"], &figures["layers"], &figures["syft"]);
    let compared = &figures["compared"];
    let number = |value: &Value| value.as_f64().map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let count = |value: &Value| match value {
        Value::Array(list) => list.len().to_string(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let columns = [
        number(&layers["tar_mb"]),
        number(&inventory["wall_s"]),
        number(&inventory["peak_mib"]),
        number(&figures["scan"]["wall_s"]),
        number(&figures["scan_again"]["wall_s"]),
        number(&layers["ratio"]),
        number(&syft["wall_s"]),
        number(&syft["cpu_s"]),
        number(&syft["peak_mib"]),
        count(&compared["shared"]),
        count(&compared["only_ours"]),
        count(&compared["only_theirs"]),
    ];
    let columns = columns.map(|text| format!("{text:>13}")).concat();
    format!("{:<26}{columns}", figures["image"].as_str().unwrap_or_default())
}
