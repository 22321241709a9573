//! THIRD-PARTY.md: what the shipped programs are linked with, and under which licences.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use crate::metadata::{Metadata, Package};
use crate::tree::Tree;

/// Where the notices stand.
pub(crate) const FILE: &str = "THIRD-PARTY.md";

/// Writes the notices.
pub(crate) fn write(root: &Path) -> Result<bool, String> {
    let metadata = Metadata::read(root)?;
    let shipped = metadata.shipped();
    std::fs::write(root.join(FILE), page(&shipped))
        .map_err(|error| format!("{FILE} cannot be written: {error}"))?;
    println!("{FILE}: {} packages", shipped.len());
    Ok(true)
}

/// What is wrong with the committed notices. Versions may lag behind: names and licences may not.
pub(crate) fn stale(tree: &Tree, metadata: &Metadata) -> Option<String> {
    let listed: BTreeSet<String> = rows(tree.text(FILE).unwrap_or_default());
    let due: BTreeSet<String> = rows(&page(&metadata.shipped()));
    let differing: Vec<&str> = listed.symmetric_difference(&due).map(String::as_str).take(5).collect();
    let message = "is out of date: run `cargo xtask notices`; differs in";
    (listed != due).then(|| format!("{message} {}", differing.join(", ")))
}

fn page(packages: &[&Package]) -> String {
    let mut page = String::from(
        "# Third-party packages\n\nWhat the shipped programs are linked with, and the licence that each package states. \
         Written by `cargo xtask notices`.\n\n| package | version | licence |\n|---|---|---|\n",
    );
    for Package { name, version, license, .. } in packages {
        let licence = license.as_deref().unwrap_or("not stated");
        // Writing to a string does not fail.
        let _ = writeln!(page, "| {name} | {version} | {licence} |");
    }
    page
}

/// Name and licence of every row.
fn rows(page: &str) -> BTreeSet<String> {
    let cells = page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| match cells.as_slice() {
        ["", name, _, licence, ""] if !matches!(*name, "package" | "---") => {
            Some(format!("{name} ({licence})"))
        }
        _ => None,
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_package_with_its_licence() {
        let package = Package::named("serde", Some("MIT OR Apache-2.0"));
        assert!(rows(&page(&[&package])).contains("serde (MIT OR Apache-2.0)"));
    }

    #[test]
    fn notices_that_miss_a_package_are_stale() {
        let tree = Tree::of(&[(FILE, &page(&[&Package::named("serde", Some("MIT"))]))]);
        let problem = stale(&tree, &Metadata::default()).unwrap_or_default();
        assert!(problem.contains("serde (MIT)"), "{problem}");
    }
}
