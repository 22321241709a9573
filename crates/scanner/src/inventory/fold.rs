//! An image's inventory: its layers' records, folded base first.

mod overlay;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::overlay::{Overlay, Resolved};
use super::dpkg;
use super::kind::{PackageKind, READ_KINDS};
use super::os_release::{self, Distribution};
use super::record::{InstalledPackage, LayerRecord, NodeContent};
use super::unread::merge_usr;
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
    /// The path of the database that names it.
    pub location: String,
    /// The layer, counted from the base, since which it has been there without a break.
    pub layer: usize,
    /// RPM: `name:stream` of the module that the package was built for; none outside modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// A language package: the system's package that brought it, such as `deb:python3-yaml`; none where it came
    /// by itself.
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
        present = databases(&overlay, layer)
            .packages
            .into_iter()
            .map(|key| {
                let since = present.get(&key).copied().unwrap_or(layer);
                (key, since)
            })
            .collect();
    }
    let top = layers.len().saturating_sub(1);
    let found = databases(&overlay, top);
    problems.extend(found.problems);
    ImageInventory {
        distribution: distribution(&overlay),
        packages: instances(present),
        unread: unread(&overlay),
        problems,
        looked_at: READ_KINDS.to_vec(),
        has_package_database: found.any,
    }
}

/// The package databases that are visible.
#[derive(Default)]
struct Databases<'a> {
    any: bool,
    packages: Vec<(String, &'a InstalledPackage)>,
    problems: Vec<(usize, LayerProblem)>,
}

impl<'a> Databases<'a> {
    fn add(&mut self, location: &str, content: &'a NodeContent, layer: usize) {
        match content {
            NodeContent::Packages { packages, problem } => {
                self.any = true;
                self.packages.extend(packages.iter().map(|package| (location.to_owned(), package)));
                self.problems.extend(problem.iter().map(|problem| (layer, problem.clone())));
            }
            _ => self.unreachable(location, layer),
        }
    }

    fn unreachable(&mut self, location: &str, layer: usize) {
        self.problems.push((layer, LayerProblem::DatabaseUnreachable { path: location.to_owned() }));
    }
}

fn databases<'a>(overlay: &Overlay<'a>, top: usize) -> Databases<'a> {
    let mut found = Databases::default();
    match overlay.resolve(dpkg::STATUS) {
        Resolved::Found(content, layer) => found.add(dpkg::STATUS, content, layer),
        Resolved::Unreachable => found.unreachable(dpkg::STATUS, top),
        Resolved::Absent => {}
    }
    let files = overlay.children(dpkg::STATUS_FOLDER);
    if files.is_empty() && overlay.is_link(dpkg::STATUS_FOLDER) {
        found.unreachable(dpkg::STATUS_FOLDER, top);
    }
    for (name, content, layer) in files {
        if !dpkg::is_status_file(name) {
            continue;
        }
        let location = format!("{}/{name}", dpkg::STATUS_FOLDER);
        match content {
            NodeContent::Directory => {}
            NodeContent::Symlink { .. } | NodeContent::HardLink { .. } => match overlay.resolve(&location) {
                Resolved::Found(content, layer) => found.add(&location, content, layer),
                Resolved::Absent | Resolved::Unreachable => found.unreachable(&location, layer),
            },
            content => found.add(&location, content, layer),
        }
    }
    found
}

fn instances(present: Present<'_>) -> Vec<PackageInstance> {
    present
        .into_iter()
        .map(|((location, package), layer)| PackageInstance {
            kind: PackageKind::Deb,
            name: package.name.clone(),
            version: package.version.clone(),
            arch: package.arch.clone(),
            source: package.source.clone(),
            source_version: package.source_version.clone(),
            location,
            layer,
            module: None,
            owned_by: None,
        })
        .collect()
}

fn distribution(overlay: &Overlay<'_>) -> Option<Distribution> {
    os_release::PATHS.iter().find_map(|path| match overlay.resolve(path) {
        Resolved::Found(NodeContent::OsRelease { text }, _) => Distribution::parse(text),
        _ => None,
    })
}

/// What is visible of the kinds that are not read, without the files that packages own.
fn unread(overlay: &Overlay<'_>) -> BTreeMap<PackageKind, Unread> {
    let owned: BTreeSet<&str> = [dpkg::INFO_FOLDER, dpkg::STATUS_FOLDER]
        .into_iter()
        .flat_map(|folder| overlay.children(folder))
        .filter_map(|(_, content, _)| match content {
            NodeContent::Owner { paths } => Some(paths.iter().map(String::as_str)),
            _ => None,
        })
        .flatten()
        .collect();
    let mut unread = BTreeMap::new();
    for (kind, path) in overlay.evidence() {
        if !owned.contains(merge_usr(path).as_str()) {
            count(&mut unread, kind, 1, path);
        }
    }
    for path in overlay.inner_databases() {
        count(&mut unread, PackageKind::Deb, 1, path);
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
