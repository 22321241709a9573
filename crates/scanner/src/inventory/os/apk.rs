//! apk's database: one file of stanzas, fields named by one letter (apk-tools, `doc/apk-package` and
//! `src/database.c`).

use crate::inventory::extractor::{Candidate, Extracted, Extractor, File, MAX_PATH_BYTES, Places, Reads};
use crate::inventory::kind::PackageKind;
use crate::inventory::record::InstalledPackage;

/// Reads both places.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Apk],
    places: Places::Fixed(&[INSTALLED, INSTALLED_MERGED]),
    claims_path,
    claims_content,
    reads: Reads::Whole,
    max_bytes: MAX_INSTALLED_BYTES,
    extract,
};

/// Where the database lies.
const INSTALLED: &str = "lib/apk/db/installed";
/// Where it lies on systems with a merged `/usr`.
const INSTALLED_MERGED: &str = "usr/lib/apk/db/installed";
/// Bytes of the longest database that is read: it lists every file of every package.
pub(crate) const MAX_INSTALLED_BYTES: usize = 128 << 20;

fn claims_path(path: &str) -> bool {
    path.strip_suffix(INSTALLED).is_some_and(|front| front.is_empty() || front.ends_with('/'))
}

/// Every stanza begins with the checksum of its package, wherever the file lies: links may point at it.
fn claims_content(candidate: &Candidate<'_>) -> bool {
    candidate.head.starts_with(b"C:Q")
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    let mut stanza = Stanza::default();
    for line in file.content.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            std::mem::take(&mut stanza).end(found);
        } else {
            stanza.line(line, found);
        }
    }
    stanza.end(found);
}

#[derive(Debug, Default)]
struct Stanza {
    any: bool,
    broken: bool,
    name: String,
    version: String,
    architecture: String,
    origin: String,
    /// The folder of the files that follow.
    folder: String,
}

impl Stanza {
    fn line(&mut self, line: &[u8], found: &mut Extracted) {
        self.any = true;
        let [key, b':', value @ ..] = line else {
            self.broken = true;
            return;
        };
        let value = String::from_utf8_lossy(value);
        let slot = match key {
            b'P' => &mut self.name,
            b'V' => &mut self.version,
            b'A' => &mut self.architecture,
            b'o' => &mut self.origin,
            b'F' => &mut self.folder,
            // What is owned only tells whose a file is: where some is passed over, more is reported, and never less.
            b'R' => {
                let bytes = self.folder.len() + "/".len() + value.len();
                if bytes <= MAX_PATH_BYTES && !found.owned.is_full() {
                    found.owns(&self.name, &format!("{}/{value}", self.folder));
                }
                return;
            }
            _ => return,
        };
        *slot = value.into_owned();
    }

    fn end(self, found: &mut Extracted) {
        if !self.any {
            return;
        }
        if self.broken {
            found.malformed();
        }
        let mut package =
            InstalledPackage::new(PackageKind::Apk, &self.name, &self.version, &self.architecture);
        if !self.origin.is_empty() {
            package.source = self.origin;
        }
        found.package(package);
    }
}

#[cfg(test)]
mod tests;
