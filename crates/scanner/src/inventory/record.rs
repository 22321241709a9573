//! The record of one layer: everything that an image's inventory needs of it, so that it is read once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::kind::{PackageKey, PackageKind};
use crate::layer::LayerProblem;

/// Changes whenever what is extracted from a layer changes: records of another version are read again.
pub const EXTRACTOR_VERSION: &str = "1";
/// The version of the record's own form.
pub const RECORD_FORMAT: u32 = 1;

/// What one layer contributes to the images that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// [`RECORD_FORMAT`] when it was written.
    pub format: u32,
    /// [`EXTRACTOR_VERSION`] when it was written.
    pub extractor: String,
    /// The digest of the blob, verified.
    pub blob_digest: String,
    /// Compressed bytes.
    pub blob_bytes: u64,
    /// The digest of the decompressed content; none where it could not be decompressed to its end.
    pub diff_id: Option<String>,
    /// Decompressed bytes read.
    pub content_bytes: u64,
    /// Members of the archive.
    pub members: u64,
    /// Files, links and directories that matter, in the archive's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// Paths that this layer removes from the layers below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub whiteouts: Vec<String>,
    /// Directories whose content in the layers below this layer hides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque_directories: Vec<String>,
    /// Files of kinds that are not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadEvidence>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<LayerProblem>,
}

/// One path of interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The path, without a leading slash.
    pub path: String,
    /// What is there.
    #[serde(flatten)]
    pub content: NodeContent,
}

/// What stands at a path of interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NodeContent {
    /// A package database, or a file that reads like one and may be linked to.
    Packages {
        /// Its packages.
        packages: Vec<InstalledPackage>,
        /// What could not be read of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<LayerProblem>,
    },
    /// An os-release file.
    OsRelease {
        /// Its text.
        text: String,
    },
    /// A list of the files that a package owns, filtered to those that may be evidence of another kind.
    Owner {
        /// The owned paths.
        paths: Vec<String>,
    },
    /// A symbolic link.
    Symlink {
        /// As the archive has it.
        target: String,
    },
    /// A hard link to an earlier member or to a file of a lower layer.
    HardLink {
        /// The path of the file, without a leading slash.
        target: String,
    },
    /// A directory.
    Directory,
    /// Anything else; it hides what lower layers have there.
    Other,
}

/// A package as its database names it. Stored as a list of 3 or 5 strings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct InstalledPackage {
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
}

impl From<InstalledPackage> for Vec<String> {
    fn from(package: InstalledPackage) -> Self {
        let InstalledPackage { name, version, arch, source, source_version } = package;
        if source == name && source_version == version {
            vec![name, version, arch]
        } else {
            vec![name, version, arch, source, source_version]
        }
    }
}

impl TryFrom<Vec<String>> for InstalledPackage {
    type Error = String;

    fn try_from(fields: Vec<String>) -> Result<Self, Self::Error> {
        match <[String; 5]>::try_from(fields) {
            Ok([name, version, arch, source, source_version]) => {
                Ok(Self { name, version, arch, source, source_version })
            }
            Err(fields) => match <[String; 3]>::try_from(fields) {
                Ok([name, version, arch]) => {
                    Ok(Self { source: name.clone(), source_version: version.clone(), name, version, arch })
                }
                Err(fields) => Err(format!("a package has 3 or 5 fields, not {}", fields.len())),
            },
        }
    }
}

/// Files of one kind that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadEvidence {
    /// The kind.
    pub kind: PackageKind,
    /// The files, up to a limit.
    pub paths: Vec<String>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// The directory that all of those lie in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub more_under: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl LayerRecord {
    /// Whether this version of the extractor wrote the record; if not, the layer has to be read again.
    pub fn is_current(&self) -> bool {
        self.format == RECORD_FORMAT && self.extractor == EXTRACTOR_VERSION
    }

    /// The keys under which an index from packages to layers lists this layer, sorted.
    pub fn posting_keys(&self) -> Vec<PackageKey> {
        let sources: BTreeSet<&str> = self
            .nodes
            .iter()
            .filter_map(|node| match &node.content {
                NodeContent::Packages { packages, .. } => Some(packages),
                _ => None,
            })
            .flatten()
            .map(|package| package.source.as_str())
            .collect();
        sources.into_iter().map(|name| PackageKey { kind: PackageKind::Deb, name: name.to_owned() }).collect()
    }
}
