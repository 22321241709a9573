//! Which files belong to dpkg's packages, as its lists say.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Content;
use crate::inventory::dpkg::lines::LineSplitter;
use crate::inventory::dpkg::{INFO_FOLDER, STATUS_FOLDER};
use crate::inventory::unread::{kind_of_path, merge_usr};
use crate::layer::TarError;
use crate::layer::path::parent;

/// Owned paths of one layer that are remembered, as hashes of 8 bytes each.
const MAX_OWNED_PATHS: usize = 2_000_000;

/// What each retained path costs beside its bytes.
pub(crate) const PATH_OVERHEAD_BYTES: usize = 64;

/// The two forms of a list of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// `info/<package>.list`: a path a line.
    Paths,
    /// `status.d/<package>.md5sums`: a checksum, two spaces, a path.
    Checksums,
}

impl List {
    /// The form of the list at a path, if it is one.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match parent(path) {
            INFO_FOLDER if path.ends_with(".list") => Some(Self::Paths),
            STATUS_FOLDER if path.ends_with(".md5sums") => Some(Self::Checksums),
            _ => None,
        }
    }

    fn path(self, line: &[u8]) -> Option<&str> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        let path = match self {
            Self::Paths => line,
            Self::Checksums => line.split_once("  ")?.1,
        };
        Some(path.trim_start_matches("./").trim_start_matches('/'))
    }
}

/// The owned paths of one layer.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    hashes: HashSet<u64>,
}

impl Owners {
    /// Reads a list; returns the paths in it that could be evidence in another layer, until they cost more than
    /// there is room for.
    pub(crate) fn read(
        &mut self,
        list: List,
        content: &mut impl Content,
        room_bytes: usize,
    ) -> Result<Vec<String>, TarError> {
        let mut lines = LineSplitter::default();
        let mut of_interest = Vec::new();
        let mut cost = 0;
        let mut take = |line: &[u8], cut: bool| {
            if let Some(path) = list.path(line).filter(|path| !cut && !path.is_empty()) {
                if self.hashes.len() < MAX_OWNED_PATHS {
                    self.hashes.insert(hash(path));
                }
                if cost <= room_bytes && kind_of_path(path).is_some() {
                    cost += path.len() + PATH_OVERHEAD_BYTES;
                    of_interest.push(merge_usr(path));
                }
            }
        };
        while let Some(piece) = content.chunk()? {
            lines.push(piece, &mut take);
        }
        lines.finish(&mut take);
        Ok(of_interest)
    }

    /// Whether a list of this layer names the path.
    pub(crate) fn owns(&self, path: &str) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&hash(path))
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
    fn both_forms_of_a_list_give_paths() {
        assert_eq!(List::of("var/lib/dpkg/info/apt.list"), Some(List::Paths));
        assert_eq!(List::of("var/lib/dpkg/status.d/apt.md5sums"), Some(List::Checksums));
        assert_eq!(List::of("opt/apt.list"), None);
        assert_eq!(List::Paths.path(b"/usr/bin/apt"), Some("usr/bin/apt"));
        assert_eq!(List::Checksums.path(b"0123  usr/bin/apt"), Some("usr/bin/apt"));
        assert_eq!(List::Checksums.path(b"junk"), None);
    }
}
