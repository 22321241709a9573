//! Which files belong to packages of a distribution, as its databases say.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::is_claimed_anywhere;
use crate::inventory::record::{OwnedFiles, PATH_OVERHEAD_BYTES};
use crate::inventory::unread::{kind_of_path, merge_usr};

/// Owned paths of one layer that are remembered, as hashes: 16 bytes each. What lies at one beyond is judged as if nobody
/// owned it, by the advisories of its language: rather twice than not at all.
const MAX_OWNED_PATHS: usize = 2_000_000;

/// The owned files of one database.
#[derive(Debug, Default)]
pub(crate) struct OwnedPaths {
    /// A list for each package: those of its files that may hold packages themselves.
    pub(crate) of_interest: Vec<OwnedFiles>,
    /// All files, each with the number of its package in that list.
    hashes: Vec<(u64, u32)>,
}

impl OwnedPaths {
    /// Whether no more files are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.hashes.len() >= MAX_OWNED_PATHS
    }

    /// Adds a file of a package; the answer is how many bytes of it are kept.
    pub(super) fn add(&mut self, package: &str, path: &str) -> usize {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        if path.is_empty() || self.is_full() {
            return 0;
        }
        let mut bytes = 0;
        if self.of_interest.last().is_none_or(|last| last.package != package) {
            bytes += package.len() + PATH_OVERHEAD_BYTES;
            self.of_interest.push(OwnedFiles { package: package.to_owned(), paths: Vec::new() });
        }
        let owner = u32::try_from(self.of_interest.len() - 1).unwrap_or(u32::MAX);
        self.hashes.push((hash(path), owner));
        if let Some(last) = self.of_interest.last_mut()
            && (is_claimed_anywhere(path) || kind_of_path(path).is_some())
        {
            bytes += path.len() + PATH_OVERHEAD_BYTES;
            last.paths.push(merge_usr(path));
        }
        bytes
    }
}

/// The owned files of one layer.
#[derive(Debug, Default)]
pub(crate) struct LayerOwners {
    /// By the hash of a path: the number of the node that says so, and of the package in its list.
    owners: HashMap<u64, (u32, u32)>,
}

impl LayerOwners {
    /// Adds what a node of the layer's record says; the answer is what the node is to keep.
    pub(crate) fn add(&mut self, node: usize, owned: OwnedPaths) -> Vec<OwnedFiles> {
        let node = u32::try_from(node).unwrap_or(u32::MAX);
        let room = MAX_OWNED_PATHS.saturating_sub(self.owners.len());
        let entries = owned.hashes.into_iter().take(room).map(|(path, package)| (path, (node, package)));
        self.owners.extend(entries);
        owned.of_interest
    }

    /// The node of this layer that says who owns a path, and the number of the package in its list.
    pub(crate) fn owner_of(&self, path: &str) -> Option<(usize, usize)> {
        if self.owners.is_empty() {
            return None;
        }
        let (node, package) = *self.owners.get(&hash(path))?;
        Some((usize::try_from(node).ok()?, usize::try_from(package).ok()?))
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    merge_usr(path).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_paths_are_remembered_and_no_more() {
        let mut owned = OwnedPaths { hashes: vec![(0, 0); MAX_OWNED_PATHS - 1], ..OwnedPaths::default() };
        assert!(!owned.is_full());
        owned.add("base", "bin/last");
        assert!(owned.is_full());
        assert_eq!(owned.add("base", "bin/one-more"), 0);
        assert_eq!(owned.hashes.len(), MAX_OWNED_PATHS);
        // Of a second database in the layer nothing has room: all but one of these are alike.
        let mut layer = LayerOwners::default();
        layer.add(0, owned);
        assert_eq!(layer.owner_of("bin/last"), Some((0, 0)));
        assert_eq!(layer.owner_of("bin/one-more"), None);
    }

    #[test]
    fn a_file_belongs_to_its_package_in_either_spelling_of_usr() {
        let mut owned = OwnedPaths::default();
        owned.add("base", "/bin/sh");
        owned.add("tool", "./usr/lib/x/a.jar");
        owned.add("tool", "usr/bin/tool");
        owned.add("tool", "/");
        let mut layer = LayerOwners::default();
        let kept = layer.add(7, owned);
        assert_eq!(layer.owner_of("usr/bin/sh"), Some((7, 0)));
        assert_eq!(layer.owner_of("lib/x/a.jar"), Some((7, 1)));
        assert_eq!(layer.owner_of("bin/tool"), Some((7, 1)));
        assert_eq!(layer.owner_of("opt/tool"), None);
        // Only what may hold packages is kept for the layers above.
        let kept: Vec<_> = kept.iter().map(|files| (files.package.as_str(), files.paths.join(","))).collect();
        assert_eq!(kept, [("base", String::new()), ("tool", "usr/lib/x/a.jar".into())]);
    }
}
