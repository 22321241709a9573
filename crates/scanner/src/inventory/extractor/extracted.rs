//! What is found in one file, within bounds.

use super::owned::OwnedPaths;
use crate::inventory::record::InstalledPackage;

/// What is found in one file. What it keeps is bounded, whatever an extractor puts in.
#[derive(Debug)]
pub(crate) struct Extracted {
    pub(crate) packages: Vec<InstalledPackage>,
    pub(crate) owned: OwnedPaths,
    pub(crate) malformed_parts: u64,
    /// Something was left out, because there was no room for it.
    pub(crate) over_limit: bool,
    /// Something in the file is larger than this bound, and was passed over.
    pub(crate) too_large: Option<u64>,
    pub(crate) room_bytes: usize,
}

impl Extracted {
    /// Room for this many bytes of packages and paths.
    pub(crate) fn within(room_bytes: usize) -> Self {
        Self {
            packages: Vec::new(),
            owned: OwnedPaths::default(),
            malformed_parts: 0,
            over_limit: false,
            too_large: None,
            room_bytes,
        }
    }

    /// Keeps a package; the answer is where, unless it is left out. One without a name or a version is none, and
    /// counts as a part that cannot be read.
    pub(crate) fn package(&mut self, package: InstalledPackage) -> Option<usize> {
        if package.name.is_empty() || package.version.is_empty() {
            self.malformed();
            return None;
        }
        self.spend(package.retained_bytes()).then(|| {
            self.packages.push(package);
            self.packages.len() - 1
        })
    }

    /// Puts a package in the place of an earlier one.
    pub(crate) fn replace(&mut self, at: usize, package: InstalledPackage) {
        if let Some(place) = self.packages.get_mut(at) {
            *place = package;
        }
    }

    /// Notes that a package owns a file. All files of a package are noted in a row.
    pub(crate) fn owns(&mut self, package: &str, path: &str) {
        if !self.over_limit {
            let bytes = self.owned.add(package, path);
            self.spend(bytes);
        }
    }

    /// Notes a part of the file that cannot be read: the look is not complete without it.
    pub(crate) fn malformed(&mut self) {
        self.malformed_parts += 1;
    }

    /// Notes that something in the file is larger than a bound: the look is not complete without it.
    pub(crate) fn too_large(&mut self, limit_bytes: u64) {
        self.too_large = Some(limit_bytes);
    }

    fn spend(&mut self, bytes: usize) -> bool {
        match self.room_bytes.checked_sub(bytes) {
            Some(left) => {
                self.room_bytes = left;
                true
            }
            None => {
                self.over_limit = true;
                false
            }
        }
    }
}

/// What an extractor finds in a file of this content, for its tests.
#[cfg(test)]
pub(crate) fn extract_from(extractor: &super::Extractor, path: &str, content: &[u8]) -> Extracted {
    let mut found = Extracted::within(crate::DEFAULT_MAX_RECORD_BYTES);
    (extractor.extract)(&super::File { path, content, beside: None }, &mut found);
    found
}
