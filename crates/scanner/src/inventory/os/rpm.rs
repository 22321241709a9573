//! RPM's databases: Berkeley DB (`Packages`), its own ndb (`Packages.db`), and SQLite (`rpmdb.sqlite`).
//!
//! All three keep the same thing, a header for each package, in a file of pages. The readers work on the bytes of
//! the file; whatever it says about itself is checked, and nothing is looked at twice.

mod berkeley;
mod bytes;
mod header;
mod ndb;
mod sqlite;

use self::header::Header;
pub(crate) use self::header::{module as rpm_module, split_source};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads};
use crate::inventory::kind::PackageKind;
use crate::layer::path::file_name;

/// Reads Berkeley DB and ndb.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Rpm],
    places: Places::Fixed(&[
        "var/lib/rpm/Packages",
        "var/lib/rpm/Packages.db",
        "usr/lib/sysimage/rpm/Packages",
        "usr/lib/sysimage/rpm/Packages.db",
        "usr/share/rpm/Packages",
        "usr/share/rpm/Packages.db",
    ]),
    claims_path: |path| lies_in_folder(path, &["Packages", "Packages.db"]),
    claims_content: |candidate| berkeley::is_hash(candidate.head) || ndb::is_ndb(candidate.head),
    reads: Reads::Whole,
    max_bytes: MAX_DATABASE_BYTES,
    extract,
};

/// Reads SQLite, with the log of what was written last: without it, the file alone is of an earlier day.
pub(crate) const SQLITE: Extractor = Extractor {
    kinds: &[PackageKind::Rpm],
    places: Places::Fixed(&[
        "var/lib/rpm/rpmdb.sqlite",
        "usr/lib/sysimage/rpm/rpmdb.sqlite",
        "usr/share/rpm/rpmdb.sqlite",
    ]),
    claims_path: |path| lies_in_folder(path, &["rpmdb.sqlite", "rpmdb.sqlite-wal"]),
    claims_content: |candidate| matches!(file_name(candidate.path), "rpmdb.sqlite" | "rpmdb.sqlite-wal"),
    reads: Reads::Together(LOG_ENDING),
    max_bytes: MAX_DATABASE_BYTES,
    extract,
};

/// Bytes of the longest database that is read: that of a system of 3,000 packages has 200 MB.
pub(crate) const MAX_DATABASE_BYTES: usize = 256 << 20;
/// What the name of SQLite's log has more than that of its database.
const LOG_ENDING: &str = "-wal";
/// Where databases lie: of old; of SUSE, and Fedora since 36; of systems that are updated as a whole (OSTree).
const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];

/// Whether a path is that of a database, of the image or of a system inside it.
fn lies_in_folder(path: &str, names: &[&str]) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let is_folder = |known: &str| {
        folder.strip_suffix(known).is_some_and(|front| front.is_empty() || front.ends_with('/'))
    };
    names.contains(&name) && FOLDERS.iter().any(|known| is_folder(known))
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    if file.path.ends_with(LOG_ENDING) {
        // The database that it belongs to is one of a lower layer, and not complete without it.
        if sqlite::is_log(file.content) {
            found.malformed();
        }
        return;
    }
    let bytes = file.content.len() + file.beside.map_or(0, <[u8]>::len);
    let mut headers = Headers { found, bytes_left: bytes };
    let read = if file.beside.is_some() || sqlite::is_sqlite(file.content) {
        sqlite::read(file.content, file.beside, &mut headers)
    } else if ndb::is_ndb(file.content) {
        ndb::read(file.content, &mut headers)
    } else {
        berkeley::read(file.content, &mut headers)
    };
    if read.is_none() {
        headers.damaged();
    }
}

/// Takes the headers out of a database. Those that lie in it apart cannot be longer than it: a database that says
/// so was made to cost time.
struct Headers<'a> {
    found: &'a mut Extracted,
    bytes_left: usize,
}

impl Headers<'_> {
    /// Takes one; none where there is no end to them.
    fn take(&mut self, blob: &[u8]) -> Option<()> {
        self.bytes_left = self.bytes_left.checked_sub(blob.len().max(1))?;
        match Header::parse(blob) {
            Some(header) => header.extract(self.found),
            None => self.damaged(),
        }
        Some(())
    }

    /// Notes a part of the database that cannot be read.
    fn damaged(&mut self) {
        self.found.malformed();
    }
}

#[cfg(test)]
mod tests;
