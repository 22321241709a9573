//! The independent program's answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cve_monitor_scanner::{PackageInstance, READ_KINDS};
use serde::Deserialize;

/// (kind, name, version, architecture, source, source version, location, layer, owner, module)
pub(crate) type PackageRow =
    (String, String, String, String, String, String, String, usize, Option<String>, Option<String>);
/// (record, package, version, architecture, database)
pub(crate) type FindingKey = (String, String, String, String, String);
/// A finding's record, package, version, architecture, database, layer, fixes and ecosystem.
type RawFinding = (String, String, String, String, String, usize, Vec<String>, String);
/// The same up to the layer, and why it is suppressed.
type RawSuppressed = (String, String, String, String, String, usize, String);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FindingRow {
    pub(crate) record: String,
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) arch: String,
    pub(crate) location: String,
    pub(crate) layer: usize,
}

impl FindingRow {
    pub(crate) fn key(&self) -> FindingKey {
        let Self { record, package, version, arch, location, .. } = self.clone();
        (record, package, version, arch, location)
    }
}

#[derive(Deserialize)]
struct Raw {
    manifest: String,
    distribution: String,
    packages: BTreeSet<PackageRow>,
    base: Vec<RawFinding>,
    updated: Vec<RawFinding>,
    suppressed: Vec<RawSuppressed>,
    new: BTreeSet<FindingKey>,
    resolved: BTreeSet<FindingKey>,
}

pub(crate) struct Expected {
    pub(crate) manifest: String,
    pub(crate) distribution: String,
    pub(crate) packages: BTreeSet<PackageRow>,
    pub(crate) unread: BTreeSet<String>,
    pub(crate) base: BTreeSet<FindingRow>,
    pub(crate) updated: BTreeSet<FindingRow>,
    /// What is suppressed after the update, with the reason.
    pub(crate) suppressed: BTreeSet<(FindingRow, String)>,
    pub(crate) new: BTreeSet<FindingKey>,
    pub(crate) resolved: BTreeSet<FindingKey>,
    /// The fixes of a (record, package, architecture), after the update.
    pub(crate) fixes: BTreeMap<(String, String, String), Vec<String>>,
}

impl Expected {
    /// By reference.
    pub(crate) fn load(fixtures: &Path) -> BTreeMap<String, Self> {
        let json = std::fs::read_to_string(fixtures.join("expected.json")).unwrap();
        let raw: BTreeMap<String, Raw> = serde_json::from_str(&json).unwrap();
        assert!(!raw.is_empty());
        raw.into_iter().map(|(name, raw)| (name, Self::of(raw))).collect()
    }

    fn of(raw: Raw) -> Self {
        let fixes = raw.updated.iter().map(|row| {
            let key = (row.0.clone(), row.1.clone(), row.3.clone());
            (key, row.6.clone())
        });
        let is_read = |kind: &str| READ_KINDS.iter().any(|read| read.as_str() == kind);
        let (packages, unread): (BTreeSet<_>, BTreeSet<_>) =
            raw.packages.into_iter().partition(|package| is_read(&package.0));
        Self {
            fixes: fixes.collect(),
            manifest: raw.manifest,
            distribution: raw.distribution,
            packages,
            unread: unread.into_iter().map(|package| package.0).collect(),
            base: raw.base.into_iter().map(finding_row).collect(),
            updated: raw.updated.into_iter().map(finding_row).collect(),
            suppressed: raw.suppressed.into_iter().map(suppressed_row).collect(),
            new: raw.new,
            resolved: raw.resolved,
        }
    }
}

fn finding_row(raw: RawFinding) -> FindingRow {
    let (record, package, version, arch, location, layer, _, _) = raw;
    FindingRow { record, package, version, arch, location, layer }
}

fn suppressed_row(raw: RawSuppressed) -> (FindingRow, String) {
    let (record, package, version, arch, location, layer, reason) = raw;
    (FindingRow { record, package, version, arch, location, layer }, reason)
}

pub(crate) fn package_row(package: &PackageInstance) -> PackageRow {
    let kind = package.kind.as_str().to_owned();
    let PackageInstance { name, version, arch, source, source_version, location, layer, .. } =
        package.clone();
    let (owner, module) = (package.owned_by.clone(), package.module.clone());
    (kind, name, version, arch, source, source_version, location, layer, owner, module)
}
