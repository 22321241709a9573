//! The record of one layer: everything that an image's inventory needs of it, so that it is read once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::kind::{PackageKey, PackageKind};
use crate::advisory::advisory_names;
use crate::layer::{Extraction, LayerProblem};

/// Changes whenever what is extracted from a layer changes: records of another version are read again.
pub const EXTRACTOR_VERSION: &str = "4";
/// The same with lock files read as well.
pub const EXTRACTOR_VERSION_WITH_LOCK_FILES: &str = "4+lock-files";
/// The version of the record's own form.
pub const RECORD_FORMAT: u32 = 2;

/// What each retained path costs beside its bytes.
pub(crate) const PATH_OVERHEAD_BYTES: usize = 64;

/// What one layer contributes to the images that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// [`RECORD_FORMAT`] when it was written.
    pub format: u32,
    /// [`Extraction::version`] when it was written.
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
    /// A file that names packages: a database, or one that reads like it and may be linked to; a package's own
    /// metadata; a program that lists what it is made of.
    Packages {
        /// The kinds that were looked for in it.
        #[serde(default = "only_deb", skip_serializing_if = "is_only_deb")]
        kinds: Vec<PackageKind>,
        /// Its packages.
        packages: Vec<InstalledPackage>,
        /// The files of those packages that may be evidence of other packages, where the database lists them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owned: Vec<OwnedFiles>,
        /// What could not be read of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<LayerProblem>,
    },
    /// An os-release file.
    OsRelease {
        /// Its text.
        text: String,
    },
    /// dpkg's list of the files that a package owns, filtered to those that may be evidence of other packages.
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

/// What format 1 looked for.
fn only_deb() -> Vec<PackageKind> {
    vec![PackageKind::Deb]
}

fn is_only_deb(kinds: &[PackageKind]) -> bool {
    kinds == [PackageKind::Deb]
}

/// Files of a package that may be evidence of other packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedFiles {
    /// The package's name.
    pub package: String,
    /// The paths, without a leading slash, below `usr` where systems with a merged `/usr` have them.
    pub paths: Vec<String>,
}

/// A package as its database names it. Stored as a list of 4, 6, 7 or 8 strings, the kind first; format 1, which
/// knew one kind, had 3 or 5.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct InstalledPackage {
    /// The kind.
    pub kind: PackageKind,
    /// The binary package's name.
    pub name: String,
    /// The binary package's version.
    pub version: String,
    /// Its architecture; empty for packages of languages.
    pub arch: String,
    /// The source package's name.
    pub source: String,
    /// The source package's version.
    pub source_version: String,
    /// The module and its stream, such as `nodejs:18`, that an RPM package was built in.
    pub module: Option<String>,
    /// Where in the file it lies, such as `!BOOT-INF/lib/a.jar` in an archive; empty for the file itself.
    pub inside: String,
}

impl InstalledPackage {
    /// A package that is its own source.
    pub(crate) fn new(kind: PackageKind, name: &str, version: &str, arch: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            arch: arch.to_owned(),
            source: name.to_owned(),
            source_version: version.to_owned(),
            module: None,
            inside: String::new(),
        }
    }

    /// What keeping it costs, its key included.
    pub(crate) fn retained_bytes(&self) -> usize {
        self.name.len() * 2
            + self.version.len()
            + self.arch.len() * 2
            + self.source.len()
            + self.source_version.len()
            + self.module.as_deref().map_or(0, str::len)
            + self.inside.len()
            + size_of::<Self>() * 2
    }
}

impl From<InstalledPackage> for Vec<String> {
    fn from(package: InstalledPackage) -> Self {
        let InstalledPackage { kind, name, version, arch, source, source_version, module, inside } = package;
        let is_own_source = source == name && source_version == version;
        let mut fields = vec![kind.as_str().to_owned(), name, version, arch];
        if !is_own_source || module.is_some() || !inside.is_empty() {
            fields.extend([source, source_version]);
        }
        if module.is_some() || !inside.is_empty() {
            fields.push(module.unwrap_or_default());
        }
        if !inside.is_empty() {
            fields.push(inside);
        }
        fields
    }
}

impl TryFrom<Vec<String>> for InstalledPackage {
    type Error = String;

    fn try_from(mut fields: Vec<String>) -> Result<Self, Self::Error> {
        let kind = match fields.len() {
            3 | 5 => PackageKind::Deb,
            4 | 6..=8 => {
                let name = fields.remove(0);
                PackageKind::from_name(&name)
                    .ok_or_else(|| format!("no kind of package is named {name:?}"))?
            }
            length => return Err(format!("a package has 4, 6, 7 or 8 fields, not {length}")),
        };
        let mut fields = fields.into_iter();
        let mut next = || fields.next().unwrap_or_default();
        let mut package = Self::new(kind, &next(), &next(), &next());
        if let Some(source) = fields.next() {
            package.source = source;
            package.source_version = fields.next().unwrap_or_default();
            package.module = fields.next().filter(|module| !module.is_empty());
            package.inside = fields.next().unwrap_or_default();
        }
        Ok(package)
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
    /// Whether this version of the extractor wrote the record, and read the same kinds of files; if not, the layer has
    /// to be read again.
    pub fn is_current(&self, extraction: &Extraction) -> bool {
        self.format == RECORD_FORMAT && self.extractor == extraction.version()
    }

    /// Whether lock files were read.
    pub(crate) fn has_lock_files(&self) -> bool {
        self.extractor == EXTRACTOR_VERSION_WITH_LOCK_FILES
    }

    /// The keys under which an index from packages to layers lists this layer, sorted.
    pub fn posting_keys(&self) -> Vec<PackageKey> {
        let packages = self.nodes.iter().filter_map(|node| match &node.content {
            NodeContent::Packages { packages, .. } => Some(packages),
            _ => None,
        });
        posting_keys(packages.flatten().map(|package| (package.kind, &*package.name, &*package.source)))
    }
}

/// The keys of packages, each of which has a kind, a name and a source's name.
pub(super) fn posting_keys<'a>(
    packages: impl Iterator<Item = (PackageKind, &'a str, &'a str)>,
) -> Vec<PackageKey> {
    let keys: BTreeSet<PackageKey> = packages
        .flat_map(|(kind, name, source)| {
            advisory_names(kind, name, source).into_iter().map(move |name| PackageKey { kind, name })
        })
        .collect();
    keys.into_iter().collect()
}
