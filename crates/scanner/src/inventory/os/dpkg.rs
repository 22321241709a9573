//! dpkg's database: `var/lib/dpkg/status`, and the `status.d` folder of distroless images.

use std::collections::HashMap;

use crate::inventory::extractor::{Candidate, Extracted, Extractor, File, Places, Reads};
use crate::inventory::kind::PackageKind;
use crate::inventory::record::InstalledPackage;
use crate::layer::path::{file_name, parent};

/// Reads both forms.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Deb],
    places: Places::Fixed(&[STATUS, "var/lib/dpkg/status.d/"]),
    claims_path,
    claims_content,
    reads: Reads::Whole,
    max_bytes: MAX_STATUS_BYTES,
    extract,
};

/// Bytes of the longest database that is read: a hundred times those of a desktop.
pub(crate) const MAX_STATUS_BYTES: usize = 64 << 20;

/// The database of a Debian or Ubuntu system.
pub(crate) const STATUS: &str = "var/lib/dpkg/status";
/// The folder that distroless images have in its place: a file a package, without a `Status` field.
pub(crate) const STATUS_FOLDER: &str = "var/lib/dpkg/status.d";
/// Where dpkg lists the files of each package.
pub(crate) const INFO_FOLDER: &str = "var/lib/dpkg/info";

/// The same of a system inside the image.
const INNER_STATUS: &str = "/lib/dpkg/status";

fn claims_path(path: &str) -> bool {
    path.ends_with(INNER_STATUS) || (parent(path) == STATUS_FOLDER && !path.ends_with(".md5sums"))
}

/// Content that begins like a database, wherever it lies: links may point at it.
fn claims_content(candidate: &Candidate<'_>) -> bool {
    candidate.head.starts_with(b"Package:") && !is_known_copy(candidate.path)
}

/// The package whose files a list names, by the list's file name: `libc6:amd64.list` is that of `libc6`.
pub(crate) fn owner_of_list(name: &str) -> &str {
    let name = name.strip_suffix(".list").or_else(|| name.strip_suffix(".md5sums")).unwrap_or(name);
    name.split_once(':').map_or(name, |(package, _)| package)
}

/// Copies of a database, or of an archive's index, that nothing reads as the database.
fn is_known_copy(path: &str) -> bool {
    let name = file_name(path);
    path.starts_with("var/lib/apt/lists/")
        || name == "Packages"
        || name.ends_with("_Packages")
        || path == "var/lib/dpkg/status-old"
        || path == "var/lib/dpkg/available"
        || path == "var/lib/dpkg/available-old"
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    let mut reader = Reader { stanza: Stanza::default(), positions: HashMap::new(), found };
    for line in file.content.split(|&byte| byte == b'\n') {
        reader.line(line);
    }
    reader.end_stanza();
}

struct Reader<'a> {
    stanza: Stanza,
    /// Where a (name, architecture) stands, so that the last stanza of one wins.
    positions: HashMap<(String, String), usize>,
    found: &'a mut Extracted,
}

#[derive(Debug, Default)]
struct Stanza {
    any: bool,
    broken: bool,
    package: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    source: Option<String>,
    status: Option<String>,
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8]) {
        match line.first() {
            _ if line.iter().all(u8::is_ascii_whitespace) => self.end_stanza(),
            // A continuation: none of the fields of interest has one.
            Some(b' ' | b'\t' | b'#') | None => {}
            Some(_) => self.stanza.field(line),
        }
    }

    fn end_stanza(&mut self) {
        let stanza = std::mem::take(&mut self.stanza);
        if !stanza.any {
            return;
        }
        match stanza.into_package() {
            Ok(Some(package)) => self.keep(package),
            Ok(None) => {}
            Err(()) => self.found.malformed(),
        }
    }

    fn keep(&mut self, package: InstalledPackage) {
        let key = (package.name.clone(), package.arch.clone());
        match self.positions.get(&key) {
            Some(&at) => self.found.replace(at, package),
            None => {
                if let Some(at) = self.found.package(package) {
                    self.positions.insert(key, at);
                }
            }
        }
    }
}

impl Stanza {
    fn field(&mut self, line: &[u8]) {
        self.any = true;
        let Some(colon) = memchr::memchr(b':', line) else {
            self.broken = true;
            return;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let slot = match name.to_ascii_lowercase().as_slice() {
            b"package" => &mut self.package,
            b"version" => &mut self.version,
            b"architecture" => &mut self.architecture,
            b"source" => &mut self.source,
            b"status" => &mut self.status,
            _ => return,
        };
        *slot = Some(String::from_utf8_lossy(value).trim().to_owned());
    }

    /// `Ok(None)` for a package that is not on disk.
    fn into_package(self) -> Result<Option<InstalledPackage>, ()> {
        // "want flag state": all other states mean that files of it are there.
        let state = self.status.as_deref().and_then(|status| status.split_ascii_whitespace().nth(2));
        if matches!(state, Some("not-installed" | "config-files")) {
            return Ok(None);
        }
        let filled = |field: Option<String>| field.filter(|value| !value.is_empty()).ok_or(());
        let (name, version) = (filled(self.package)?, filled(self.version)?);
        if self.broken {
            return Err(());
        }
        let arch = self.architecture.unwrap_or_default();
        let mut package = InstalledPackage::new(PackageKind::Deb, &name, &version, &arch);
        if let Some(field) = &self.source {
            (package.source, package.source_version) = split_source(field, &version);
        }
        Ok(Some(package))
    }
}

/// `name` or `name (version)`; without one, the source has the binary's version.
fn split_source(field: &str, version: &str) -> (String, String) {
    match field.split_once('(') {
        Some((name, rest)) => {
            let own = rest.trim_end().trim_end_matches(')').trim();
            (name.trim().to_owned(), own.to_owned())
        }
        None => (field.to_owned(), version.to_owned()),
    }
}

#[cfg(test)]
mod tests;
