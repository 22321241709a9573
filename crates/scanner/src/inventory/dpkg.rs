//! dpkg's database: `var/lib/dpkg/status`, and the `status.d` folder of distroless images.

pub(crate) mod lines;

use std::collections::HashMap;

use self::lines::LineSplitter;
use super::record::InstalledPackage;
use crate::layer::path::file_name;

/// The database of a Debian or Ubuntu system.
pub(crate) const STATUS: &str = "var/lib/dpkg/status";
/// The folder that distroless images have in its place: a file a package, without a `Status` field.
pub(crate) const STATUS_FOLDER: &str = "var/lib/dpkg/status.d";
/// Where dpkg lists the files of each package.
pub(crate) const INFO_FOLDER: &str = "var/lib/dpkg/info";

/// Whether a file of the `status.d` folder holds a package (and not the checksums of one).
pub(crate) fn is_status_file(name: &str) -> bool {
    !name.ends_with(".md5sums")
}

/// Whether content begins like a database, wherever its file lies: links may point at it.
pub(crate) fn looks_like_database(head: &[u8]) -> bool {
    head.starts_with(b"Package:")
}

/// Copies of a database, or of an archive's index, that nothing reads as the database.
pub(crate) fn is_known_copy(path: &str) -> bool {
    let name = file_name(path);
    path.starts_with("var/lib/apt/lists/")
        || name == "Packages"
        || name.ends_with("_Packages")
        || path == "var/lib/dpkg/status-old"
        || path == "var/lib/dpkg/available"
        || path == "var/lib/dpkg/available-old"
}

/// What keeping a package costs, its key included.
pub(crate) fn retained_bytes(package: &InstalledPackage) -> usize {
    package.name.len() * 2
        + package.version.len()
        + package.arch.len() * 2
        + package.source.len()
        + package.source_version.len()
        + size_of::<InstalledPackage>() * 2
}

/// The packages of one file.
#[derive(Debug, Default)]
pub(crate) struct ParsedStatus {
    pub(crate) packages: Vec<InstalledPackage>,
    pub(crate) malformed_parts: u64,
    /// Packages were left out because the limit was reached.
    pub(crate) over_limit: bool,
}

/// Reads a database piece by piece; memory grows with the packages, not with the text.
#[derive(Debug)]
pub(crate) struct StatusParser {
    lines: LineSplitter,
    stanza: Stanza,
    parsed: ParsedStatus,
    /// Where a (name, architecture) stands, so that the last stanza of one wins.
    positions: HashMap<(String, String), usize>,
    retained_bytes: usize,
    max_retained_bytes: usize,
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

impl StatusParser {
    pub(crate) fn new(max_retained_bytes: usize) -> Self {
        Self {
            lines: LineSplitter::default(),
            stanza: Stanza::default(),
            parsed: ParsedStatus::default(),
            positions: HashMap::new(),
            retained_bytes: 0,
            max_retained_bytes,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.push(piece, |line, cut| self.line(line, cut));
        self.lines = lines;
    }

    pub(crate) fn finish(mut self) -> ParsedStatus {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line, cut| self.line(line, cut));
        self.end_stanza();
        self.parsed
    }

    fn line(&mut self, line: &[u8], cut: bool) {
        match line.first() {
            _ if line.iter().all(u8::is_ascii_whitespace) => self.end_stanza(),
            // A continuation: none of the fields of interest has one.
            Some(b' ' | b'\t' | b'#') | None => {}
            Some(_) => self.stanza.field(line, cut),
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
            Err(()) => self.parsed.malformed_parts += 1,
        }
    }

    fn keep(&mut self, package: InstalledPackage) {
        let bytes = retained_bytes(&package);
        if self.retained_bytes + bytes > self.max_retained_bytes {
            self.parsed.over_limit = true;
            return;
        }
        let key = (package.name.clone(), package.arch.clone());
        match self.positions.get(&key) {
            Some(&at) => self.parsed.packages[at] = package,
            None => {
                self.retained_bytes += bytes;
                self.positions.insert(key, self.parsed.packages.len());
                self.parsed.packages.push(package);
            }
        }
    }
}

impl Stanza {
    fn field(&mut self, line: &[u8], cut: bool) {
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
        self.broken |= cut;
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
        let (source, source_version) = match &self.source {
            Some(field) => split_source(field, &version),
            None => (name.clone(), version.clone()),
        };
        let arch = self.architecture.unwrap_or_default();
        Ok(Some(InstalledPackage { name, version, arch, source, source_version }))
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
