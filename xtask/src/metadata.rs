//! What cargo knows of the packages that we are built from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// The platform that is looked at: the one that the programs are shipped for. Without one, cargo would have to
/// download packages of platforms that nobody here builds for.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The package whose programs are shipped.
const SHIPPED: &str = "cve-monitor-bins";

/// The packages, and who is linked with whom.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    /// Every package, our own too.
    pub(crate) packages: Vec<Package>,
    #[serde(default)]
    resolve: Resolve,
}

/// A package.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The licence expression that it states.
    pub(crate) license: Option<String>,
    /// None for a package of this workspace.
    source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    /// None for a normal dependency; else `build` or `dev`.
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, which changes nothing: the lock file has to be there and current.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", PLATFORM])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata answered something else: {error}"))
    }

    /// The foreign packages that the shipped programs are linked with, by name and version.
    pub(crate) fn shipped(&self) -> Vec<&Package> {
        let by_id: BTreeMap<&str, &Package> = self.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|n| (n.id.as_str(), n)).collect();
        let start = self.packages.iter().find(|package| package.name == SHIPPED && package.source.is_none());
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = start.iter().map(|package| package.id.as_str()).collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                let edges = nodes.get(id).into_iter().flat_map(|node| &node.deps);
                let normal = edges.filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
                open.extend(normal.map(|edge| edge.pkg.as_str()));
            }
        }
        let packages = reached.iter().filter_map(|id| by_id.get(id).copied());
        let mut foreign: Vec<&Package> = packages.filter(|package| package.source.is_some()).collect();
        foreign.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        foreign
    }
}

#[cfg(test)]
impl Metadata {
    /// Packages alone for a test of a rule.
    pub(crate) fn of(packages: Vec<Package>) -> Self {
        Self { packages, ..Self::default() }
    }
}

#[cfg(test)]
impl Package {
    /// A package for a test of a rule.
    pub(crate) fn named(name: &str, license: Option<&str>) -> Self {
        let (name, license) = (name.to_owned(), license.map(str::to_owned));
        Self { id: name.clone(), name, version: "1.0.0".to_owned(), license, source: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_built_or_tested_with_is_not_shipped() {
        let json = r#"{
            "packages": [
                {"id": "b", "name": "cve-monitor-bins", "version": "0.1.0", "license": "MIT", "source": null},
                {"id": "n", "name": "normal", "version": "1.0.0", "license": "MIT", "source": "r"},
                {"id": "t", "name": "through", "version": "1.0.0", "license": "MIT", "source": "r"},
                {"id": "d", "name": "dev", "version": "1.0.0", "license": "MIT", "source": "r"},
                {"id": "c", "name": "build", "version": "1.0.0", "license": "MIT", "source": "r"}
            ],
            "resolve": {"nodes": [
                {"id": "b", "deps": [
                    {"pkg": "n", "dep_kinds": [{"kind": null}]},
                    {"pkg": "d", "dep_kinds": [{"kind": "dev"}]},
                    {"pkg": "c", "dep_kinds": [{"kind": "build"}]}
                ]},
                {"id": "n", "deps": [{"pkg": "t", "dep_kinds": [{"kind": "build"}, {"kind": null}]}]}
            ]}
        }"#;
        let metadata: Metadata = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<&str> = metadata.shipped().iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["normal", "through"]);
    }
}
