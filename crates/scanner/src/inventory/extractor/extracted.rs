//! What is found in one file, within bounds.

use super::owned::OwnedPaths;
use crate::inventory::kind::PackageKind;
use crate::inventory::record::InstalledPackage;

/// Bytes of a package's name, of a version, or of what else tells it: what is longer is not one.
pub(crate) const MAX_TEXT_BYTES: usize = 4096;

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
    /// The file holds packages of this kind that nothing names.
    pub(crate) unnamed: Option<PackageKind>,
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
            unnamed: None,
            room_bytes,
        }
    }

    /// Keeps a package; the answer is where, unless it is left out. One without a name or a version is none, and
    /// counts as a part that cannot be read, as does one with texts beyond [`MAX_TEXT_BYTES`].
    pub(crate) fn package(&mut self, package: InstalledPackage) -> Option<usize> {
        if !is_package(&package) {
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
        if !is_package(&package) {
            self.malformed();
        } else if let Some(place) = self.packages.get_mut(at) {
            *place = package;
        }
    }

    /// Notes that a package owns a file. All files of a package are noted in a row.
    pub(crate) fn owns(&mut self, package: &str, path: &str) {
        if !self.over_limit && package.len() <= MAX_TEXT_BYTES {
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

fn is_package(package: &InstalledPackage) -> bool {
    let InstalledPackage { name, version, arch, source, source_version, module, .. } = package;
    let module = module.as_deref().unwrap_or_default();
    let texts = [name.as_str(), version, arch, source, source_version, module];
    !name.is_empty() && !version.is_empty() && texts.iter().all(|text| text.len() <= MAX_TEXT_BYTES)
}

/// What an extractor finds in a file of this content, for its tests.
#[cfg(test)]
pub(crate) fn extract_from(extractor: &super::Extractor, path: &str, content: &[u8]) -> Extracted {
    let mut found = Extracted::within(crate::DEFAULT_MAX_RECORD_BYTES);
    (extractor.extract)(&super::File { path, content, beside: None }, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_up_to_the_limit() {
        let of = |bytes: usize| {
            let longest = "x".repeat(bytes);
            let mut found = Extracted::within(1 << 20);
            found.package(InstalledPackage::new(PackageKind::Apk, &longest, "1", ""));
            found.package(InstalledPackage::new(PackageKind::Apk, "a", &longest, ""));
            found.owns(&longest, "usr/lib/a.jar");
            (found.packages.len(), found.malformed_parts, found.owned.of_interest.len())
        };
        assert_eq!(of(MAX_TEXT_BYTES), (2, 0, 1));
        assert_eq!(of(MAX_TEXT_BYTES + 1), (0, 2, 0));
    }

    #[test]
    fn a_package_is_not_replaced_by_one_that_is_none() {
        let mut found = Extracted::within(1 << 20);
        let at = found.package(InstalledPackage::new(PackageKind::Deb, "a", "1", "")).unwrap();
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        found.replace(at, InstalledPackage::new(PackageKind::Deb, "a", &long, ""));
        assert_eq!((found.packages[0].version.as_str(), found.malformed_parts), ("1", 1));
    }
}
