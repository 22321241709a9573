//! What an advisory database costs: to compile, to open, to match an image with.
//!
//! `cargo run --release -p cve-monitor-scanner --example advisory_speed -- …`
//! * `write FOLDER RECORDS`: writes exports of that many made-up records, the same ones every time.
//! * `compile SOURCE OUT`: compiles a folder of exports, each archive a source of its own, or any other folder.
//! * `match DATABASE LAYER…`: opens the database, and judges the image of these layers, base first.
//!
//! Each prints one JSON object. They are processes of their own, so that each has a peak of memory of its own.

mod exports;

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use cve_monitor_scanner::advisory::{Database, ShrinkPolicy, Source, SourceLocation, compile};
use cve_monitor_scanner::{
    ExpectedBlob, Extraction, ImageInventory, LayerRecord, fold, matching, read_layer,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How often an image is judged; the first time and the best one count.
const ROUNDS: usize = 20;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["write", folder, records] => exports::write(Path::new(folder), records.parse()?)?,
        ["compile", source, out] => compiled(Path::new(source), Path::new(out))?,
        ["match", database, ref layers @ ..] if !layers.is_empty() => matched(Path::new(database), layers)?,
        _ => return Err("usage: write FOLDER RECORDS | compile SOURCE OUT | match DATABASE LAYER…".into()),
    };
    println!("{answer}");
    Ok(())
}

fn compiled(source: &Path, out: &Path) -> Result<Value, Failure> {
    let start = Instant::now();
    let compiled = compile(&sources(source)?, None, out, &ShrinkPolicy::default())?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({
        "compile_s": seconds,
        "records": compiled.stats.records,
        "rules": compiled.stats.rules,
        "database": compiled.path,
        "database_bytes": fs::metadata(&compiled.path)?.len(),
        "peak_mib": resident_peak_mib(),
    }))
}

/// A mirror's exports are a source each, as the programs have them; anything else is one source.
fn sources(folder: &Path) -> Result<Vec<Source>, Failure> {
    let mut exports = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "zip") {
            exports.push(Source { only: Some(name.clone()), name, location: SourceLocation::Zip(path) });
        }
    }
    if exports.is_empty() {
        let location = SourceLocation::Folder(folder.to_owned());
        exports.push(Source { name: "folder".to_owned(), location, only: None });
    }
    exports.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(exports)
}

fn matched(path: &Path, layers: &[&str]) -> Result<Value, Failure> {
    let inventory = inventory(layers)?;
    let start = Instant::now();
    let database = Database::open(path)?;
    let opened = start.elapsed().as_secs_f64();
    let (mut first, mut best, mut findings) = (None, f64::MAX, 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        findings = matching::assess(&inventory, &database)?.findings.len();
        let seconds = start.elapsed().as_secs_f64();
        first.get_or_insert(seconds);
        best = best.min(seconds);
    }
    Ok(json!({
        "open_ms": opened * 1000.0,
        "first_match_ms": first.map(|seconds| seconds * 1000.0),
        "best_match_ms": best * 1000.0,
        "packages": inventory.packages.len(),
        "findings": findings,
        "peak_mib": resident_peak_mib(),
    }))
}

fn inventory(layers: &[&str]) -> Result<ImageInventory, Failure> {
    let mut records: Vec<LayerRecord> = Vec::with_capacity(layers.len());
    for layer in layers {
        let digest =
            Sha256::digest(fs::read(layer)?).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let expected = ExpectedBlob {
            digest: format!("sha256:{digest}"),
            size: None,
            media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
        };
        records.push(read_layer(File::open(layer)?, &expected, &Extraction::default())?);
    }
    Ok(fold(&records.iter().collect::<Vec<_>>()))
}

/// The most memory that this process ever held, in MiB; none where the system does not tell.
fn resident_peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
