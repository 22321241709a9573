//! Made-up exports in the shapes and proportions of OSV's: the same records for the same number.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Failure;

/// Names that real images have, so that something matches.
const COMMON: [&str; 12] = [
    "openssl",
    "curl",
    "glibc",
    "zlib",
    "expat",
    "systemd",
    "perl",
    "libxml2",
    "python3.11",
    "lodash",
    "jinja2",
    "minimist",
];
/// Different packages beside them, in each ecosystem.
const PACKAGES: u64 = 40_000;
const SEED: u64 = 0x00c0_ffee;
const WORDS: [&str; 8] =
    ["overflow", "of", "the", "parser", "allows", "attackers", "with crafted input", "to read memory"];

/// An ecosystem's share in a thousand records, the releases that a record speaks of, packages of each, and whether
/// versions are listed as well.
struct Shape {
    ecosystem: &'static str,
    share: u64,
    releases: &'static [&'static str],
    packages: u64,
    versions: u64,
}

const SHAPES: [Shape; 12] = [
    shape("Debian", 120, &["Debian:11", "Debian:12", "Debian:13"], 1, 0),
    shape("Ubuntu", 100, &["Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS", "Ubuntu:25.10"], 1, 12),
    shape("SUSE", 50, &["SUSE:Linux Enterprise Server 15 SP6"], 12, 0),
    shape("Red Hat", 50, &["Red Hat:enterprise_linux:9::baseos"], 12, 0),
    shape("AlmaLinux", 20, &["AlmaLinux:9"], 10, 0),
    shape("Alpine", 20, &["Alpine:v3.20", "Alpine:v3.21"], 1, 10),
    shape("npm", 480, &["npm"], 1, 1),
    shape("PyPI", 50, &["PyPI"], 1, 20),
    shape("Maven", 40, &["Maven"], 1, 20),
    shape("Go", 30, &["Go"], 1, 0),
    shape("RubyGems", 20, &["RubyGems"], 1, 10),
    shape("Packagist", 20, &["Packagist"], 1, 10),
];

const fn shape(
    ecosystem: &'static str,
    share: u64,
    releases: &'static [&'static str],
    packages: u64,
    versions: u64,
) -> Shape {
    Shape { ecosystem, share, releases, packages, versions }
}

/// Writes an archive for each ecosystem.
pub(super) fn write(folder: &Path, records: u64) -> Result<Value, Failure> {
    fs::create_dir_all(folder)?;
    let (mut written, mut json_bytes) = (0, 0);
    for shape in &SHAPES {
        let file = BufWriter::new(File::create(folder.join(format!("{}.zip", shape.ecosystem)))?);
        let mut archive = ZipWriter::new(file);
        let count = records * shape.share / 1000;
        for number in 0..count {
            let record = serde_json::to_vec(&record(shape, number))?;
            archive.start_file(format!("{}-{number}.json", shape.ecosystem), SimpleFileOptions::default())?;
            archive.write_all(&record)?;
            json_bytes += record.len();
        }
        archive.finish()?.flush()?;
        written += count;
    }
    Ok(json!({"records": written, "json_bytes": json_bytes}))
}

fn record(shape: &Shape, number: u64) -> Value {
    let draw = |salt: u64| mixed(SEED ^ mixed(number ^ mixed(salt ^ shape.share)));
    let cve = format!("CVE-{}-{}", 2010 + draw(1) % 17, 1000 + number);
    let mut affected = Vec::new();
    for release in shape.releases {
        for each in 0..shape.packages {
            let drawn = draw(2 + each);
            let name = match COMMON.get((drawn % 400) as usize) {
                Some(common) => (*common).to_owned(),
                // A few packages have most of the records, as in reality.
                None => format!("package-{}", (drawn % PACKAGES) * (mixed(drawn) % PACKAGES) / PACKAGES),
            };
            affected.push(entry(shape, release, &name, draw(100 + each)));
        }
    }
    let details: Vec<&str> =
        (0..40 + draw(3) % 120).map(|n| WORDS[(draw(1000 + n) % WORDS.len() as u64) as usize]).collect();
    json!({
        "schema_version": "1.7.3",
        "id": format!("{}-{cve}", shape.ecosystem.to_uppercase().replace(' ', "")),
        "modified": format!("2026-{:02}-{:02}T00:00:00Z", 1 + draw(4) % 12, 1 + draw(5) % 28),
        "published": "2026-01-01T00:00:00Z",
        "upstream": [cve],
        "details": details.join(" "),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "affected": affected,
        "references": [{"type": "ADVISORY", "url": format!("https://advisories.example/{cve}")}],
    })
}

fn entry(shape: &Shape, release: &str, name: &str, drawn: u64) -> Value {
    let (major, minor) = (drawn % 12, mixed(drawn) % 40);
    let versions: Vec<String> = (0..shape.versions).map(|patch| format!("{major}.{minor}.{patch}")).collect();
    json!({
        "package": {"ecosystem": release, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": [
            {"introduced": "0"}, {"fixed": format!("{major}.{minor}.{}", shape.versions)},
        ]}],
        "versions": versions,
    })
}

/// The finaliser of SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
