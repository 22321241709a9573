//! What is in an image.

use std::fmt::Write as _;

use cve_monitor_adapters::embedded::Seen;
use cve_monitor_scanner::PackageInstance;

use super::table::{Screen, or_dash, table};
use super::words::{safe, short_digest};

/// The packages of an image, and what of it could not be read.
#[must_use]
pub fn packages_text(image: &str, seen: &Seen, screen: Screen) -> String {
    let inventory = &seen.inventory;
    let row = |package: &PackageInstance| {
        let layer = seen.layers.get(package.layer).map(|layer| short_digest(layer.as_str()));
        [
            package.kind.as_str().to_owned(),
            package.name.clone(),
            package.version.clone(),
            or_dash(Some(&package.arch)),
            or_dash(Some(package.source.as_str()).filter(|source| *source != package.name)),
            package.location.clone(),
            or_dash(layer.as_deref()),
        ]
    };
    let header = ["kind", "package", "version", "architecture", "source", "found in", "layer"];
    let mut text = format!("{}\n", safe(image));
    text += &table(header, inventory.packages.iter().map(row).collect(), screen);
    let distribution = inventory.distribution.as_ref();
    let named = distribution.map_or_else(|| "no distribution".to_owned(), |found| found.namespace());
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{} packages, {}", inventory.packages.len(), safe(&named));
    if let Some(sbom) = &inventory.sbom {
        let digest = sbom.digest.as_deref().map_or_else(|| "no SBOM".to_owned(), |d| format!("SBOM {d}"));
        let _ = writeln!(text, "taken from {} ({})", safe(&digest), safe(&sbom.format));
        for problem in &sbom.problems {
            let _ = writeln!(text, "it does not tell all: {}", problem.code());
        }
    }
    for (kind, unread) in &inventory.unread {
        let _ = writeln!(
            text,
            "not read: {} files of kind {kind}, as in {}",
            unread.count,
            safe(&unread.example)
        );
    }
    for (layer, problem) in &inventory.problems {
        let layer = seen.layers.get(*layer).map(|layer| short_digest(layer.as_str())).unwrap_or_default();
        let _ = writeln!(text, "layer {layer} was not read to its end: {}", problem.code());
    }
    text
}
