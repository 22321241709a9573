//! An image's inventory: its layers' records, folded base first.

mod overlay;
mod ownership;
mod visible;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::overlay::{Overlay, Resolved};
use self::ownership::Ownership;
use self::visible::Visible;
use super::described::SbomSource;
use super::extractor::READ_KINDS;
use super::kind::{PackageKey, PackageKind};
use super::os_release::{self, Distribution};
use super::record::{InstalledPackage, LayerRecord, NodeContent, posting_keys};
use crate::layer::LayerProblem;

/// What an image holds, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInventory {
    /// The distribution; none where no layer says.
    pub distribution: Option<Distribution>,
    /// The packages, sorted by location, name and architecture.
    pub packages: Vec<PackageInstance>,
    /// Files of kinds that are not read and belong to no package that is.
    pub unread: BTreeMap<PackageKind, Unread>,
    /// What could not be read, with the layer, counted from the base.
    pub problems: Vec<(usize, LayerProblem)>,
    /// The kinds that were looked for.
    pub looked_at: Vec<PackageKind>,
    /// Whether any package database is there, even an empty one.
    pub has_package_database: bool,
    /// The SBOM that all of this was taken from; none where the layers were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<SbomSource>,
}

impl ImageInventory {
    /// The keys under which an index from packages lists it, sorted.
    pub fn posting_keys(&self) -> Vec<PackageKey> {
        posting_keys(self.packages.iter().map(|package| (package.kind, &*package.name, &*package.source)))
    }
}

/// A package in an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageInstance {
    /// The kind.
    pub kind: PackageKind,
    /// The binary package's name.
    pub name: String,
    /// The binary package's version.
    pub version: String,
    /// Its architecture.
    pub arch: String,
    /// The source package's name.
    pub source: String,
    /// The source package's version.
    pub source_version: String,
    /// The path of the file that names it, with the place inside that file where it has one.
    pub location: String,
    /// The layer, counted from the base, since which it has been there without a break.
    pub layer: usize,
    /// The module and its stream, such as `nodejs:18`, that an RPM package was built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The package of the distribution that brought its file, such as `deb:python3-yaml`: the distribution's
    /// advisories speak of it, not those of its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<String>,
}

/// Files of one kind that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// One of them, the first by name.
    pub example: String,
}

type Present<'a> = BTreeMap<(String, &'a InstalledPackage), usize>;

/// Folds the records of an image's layers, ordered base first. Reads nothing else.
pub fn fold(layers: &[&LayerRecord]) -> ImageInventory {
    let mut overlay = Overlay::default();
    let mut present = Present::new();
    let mut problems = Vec::new();
    for (layer, record) in layers.iter().enumerate() {
        problems.extend(record.problems.iter().map(|problem| (layer, problem.clone())));
        let untouched =
            record.nodes.is_empty() && record.whiteouts.is_empty() && record.opaque_directories.is_empty();
        overlay.apply(record, layer);
        if untouched {
            continue;
        }
        // A package that is still there keeps the layer that it came with; one that was away does not.
        present = Visible::of(&overlay, layer)
            .packages
            .into_iter()
            .map(|key| {
                let since = present.get(&key).copied().unwrap_or(layer);
                (key, since)
            })
            .collect();
    }
    let top = layers.len().saturating_sub(1);
    let found = Visible::of(&overlay, top);
    let ownership = Ownership::of(&overlay, &found, &present);
    let unread = unread(&overlay, &found, &ownership);
    problems.extend(found.problems);
    // What a package of the distribution brought is judged as that package, whether it can be read or not. Of its
    // databases that is not true, though packages say that they own them.
    problems.extend(
        found.file_problems.into_iter().filter(|(layer, problem)| {
            !problem.path().is_some_and(|path| ownership.has_brought(path, *layer))
        }),
    );
    ImageInventory {
        distribution: distribution(&overlay),
        packages: instances(&present, &ownership),
        unread,
        problems,
        looked_at: READ_KINDS.to_vec(),
        has_package_database: found.has_database,
        sbom: None,
    }
}

fn instances(present: &Present<'_>, ownership: &Ownership<'_>) -> Vec<PackageInstance> {
    present
        .iter()
        .map(|((location, package), layer)| PackageInstance {
            kind: package.kind,
            name: package.name.clone(),
            version: package.version.clone(),
            arch: package.arch.clone(),
            source: package.source.clone(),
            source_version: package.source_version.clone(),
            location: location.clone(),
            layer: *layer,
            module: package.module.clone(),
            owned_by: ownership.owner_of(package, location, *layer),
        })
        .collect()
}

fn distribution(overlay: &Overlay<'_>) -> Option<Distribution> {
    os_release::PATHS.iter().find_map(|path| match overlay.resolve(path) {
        Resolved::Found(NodeContent::OsRelease { text }, _) => Distribution::parse_file(path, text),
        _ => None,
    })
}

/// What is visible of the kinds that are not read, without the files that packages own.
fn unread(
    overlay: &Overlay<'_>,
    visible: &Visible<'_>,
    ownership: &Ownership<'_>,
) -> BTreeMap<PackageKind, Unread> {
    let mut unread = BTreeMap::new();
    for (kind, path) in overlay.evidence() {
        if !ownership.is_owned(path) {
            count(&mut unread, kind, 1, path);
        }
    }
    for (kind, path) in visible.inner_databases(overlay) {
        count(&mut unread, kind, 1, path);
    }
    for group in overlay.uncounted() {
        count(&mut unread, group.kind, group.count, group.under);
    }
    unread
}

fn count(unread: &mut BTreeMap<PackageKind, Unread>, kind: PackageKind, count: u64, example: &str) {
    let entry = unread.entry(kind).or_insert_with(|| Unread { count: 0, example: example.to_owned() });
    entry.count += count;
}

#[cfg(test)]
mod tests;
