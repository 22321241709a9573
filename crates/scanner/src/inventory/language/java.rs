//! Java archives, and the archives inside them.

pub(crate) mod directory;
mod evidence;
mod groups;

use std::borrow::Cow;
use std::collections::HashSet;

use self::directory::{Archive, ContentError, Member};
use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::file_name;

/// Reads archives, and those inside them.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Maven],
    places: Places::Anywhere,
    claims_path: is_archive,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_ARCHIVE_BYTES,
    extract,
};

/// Bytes of an archive that is read.
pub(crate) const MAX_ARCHIVE_BYTES: usize = 256 << 20;
/// Archives inside archives: a `war` in an `ear` holds jars at the second level.
pub(crate) const MAX_DEPTH: usize = 8;
/// Bytes of inflated archives that are held at a time.
pub(crate) const MAX_NESTED_BYTES: usize = 128 << 20;
/// Bytes that are walked or inflated for one file of an image, all that is inside it included: this many, and
/// [`MAX_WORK_RATIO`] times its own, since archives inside archives hardly shrink.
pub(crate) const MAX_WORK_BYTES: u64 = 8 << 20;
/// See [`MAX_WORK_BYTES`].
pub(crate) const MAX_WORK_RATIO: u64 = 64;
/// Bytes of a `pom.properties` or a manifest that are read: what names the archive stands in front of what lists
/// its content.
pub(crate) const MAX_METADATA_BYTES: usize = 64 << 10;
/// What it costs to begin to inflate, in bytes of work.
const MEMBER_WORK_BYTES: u64 = 16 << 10;

const SUFFIXES: [&str; 9] = [".jar", ".war", ".ear", ".par", ".sar", ".hpi", ".jpi", ".kar", ".rar"];

/// Whether a path is that of a Java archive, by its suffix.
pub(crate) fn is_archive(path: &str) -> bool {
    SUFFIXES.iter().any(|suffix| ends_with_ignoring_case(path, suffix))
}

fn ends_with_ignoring_case(path: &str, suffix: &str) -> bool {
    let start = path.len().checked_sub(suffix.len());
    start.and_then(|start| path.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    let bounds = Bounds::of(file.content.len() as u64, found.room_bytes);
    read(file.path, file.content, bounds).report(PackageKind::Maven, MAX_NESTED_BYTES, found);
}

/// What one file may cost.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    nested_bytes: usize,
    work_bytes: u64,
    /// Text of the packages that are returned.
    retained_bytes: usize,
}

impl Bounds {
    fn of(bytes: u64, retained_bytes: usize) -> Self {
        let work_bytes = MAX_WORK_BYTES + MAX_WORK_RATIO * bytes;
        Self { nested_bytes: MAX_NESTED_BYTES, work_bytes, retained_bytes }
    }
}

/// Reads an archive. A file of such a name that is no archive names nothing.
fn read(path: &str, bytes: &[u8], bounds: Bounds) -> Parsed {
    let Bounds { nested_bytes, work_bytes, retained_bytes } = bounds;
    let mut walk = Walk { parsed: Parsed::default(), seen: HashSet::new(), work_bytes, retained_bytes };
    walk.archive(&Place { inside: "", file_name: file_name(path), depth: 0 }, bytes, nested_bytes);
    walk.parsed
}

/// Where an archive lies.
struct Place<'a> {
    inside: &'a str,
    file_name: &'a str,
    depth: usize,
}

struct Walk {
    parsed: Parsed,
    seen: HashSet<LanguagePackage>,
    work_bytes: u64,
    retained_bytes: usize,
}

impl Walk {
    fn archive(&mut self, place: &Place<'_>, bytes: &[u8], room_bytes: usize) {
        if !self.work(bytes.len() as u64) {
            return;
        }
        let Some(archive) = Archive::open(bytes) else {
            // The beginning of an archive without its end: what was in it cannot be told.
            self.parsed.malformed_parts += u64::from(bytes.starts_with(b"PK\x03\x04"));
            return;
        };
        let (mut named, mut named_as_file) = (false, false);
        let (mut has_code, mut has_archives) = (false, false);
        let mut manifest = None;
        for member in archive.members() {
            let Ok(member) = member else {
                self.parsed.malformed_parts += 1;
                break;
            };
            if file_name(&member.name) == evidence::PROPERTIES {
                let content = self.metadata(&archive, &member);
                if let Some(package) = content.and_then(|content| evidence::of_properties(&content)) {
                    named = true;
                    named_as_file |= evidence::is_named_after(place.file_name, &package.name);
                    self.keep(place, package);
                }
            } else if member.name.eq_ignore_ascii_case(evidence::MANIFEST) {
                manifest = self.metadata(&archive, &member);
            } else if is_archive(&member.name) {
                has_archives = true;
                self.nested(place, &archive, &member, room_bytes);
            } else {
                has_code |= ends_with_ignoring_case(&member.name, ".class");
            }
        }
        // The properties of a shaded archive may be those of others, while its file's name is its own.
        if named && (named_as_file || !evidence::has_version(place.file_name)) {
            return;
        }
        match evidence::of_manifest_and_name(manifest.as_deref(), place.file_name) {
            Some(package) => self.keep(place, package),
            // What is but a frame around other archives has no name of its own to miss.
            None => self.parsed.unnamed |= has_code && !named && !has_archives,
        }
    }

    fn nested(&mut self, place: &Place<'_>, archive: &Archive<'_>, member: &Member<'_>, room_bytes: usize) {
        if place.depth == MAX_DEPTH {
            self.parsed.over_limit = true;
            return;
        }
        if !self.work(MEMBER_WORK_BYTES) {
            return;
        }
        let content = archive.content(member, room_bytes);
        let Some(content) = self.taken(content, room_bytes) else { return };
        let held_bytes = match &content {
            Cow::Borrowed(_) => 0,
            Cow::Owned(held) => held.len(),
        };
        let inside = format!("{}!{}", place.inside, member.name);
        let place = Place { inside: &inside, file_name: file_name(&member.name), depth: place.depth + 1 };
        self.archive(&place, &content, room_bytes - held_bytes);
    }

    fn metadata<'a>(&mut self, archive: &Archive<'a>, member: &Member<'a>) -> Option<Cow<'a, [u8]>> {
        if !self.work(MEMBER_WORK_BYTES) {
            return None;
        }
        let content = archive.beginning(member, MAX_METADATA_BYTES);
        self.taken(content, MAX_METADATA_BYTES)
    }

    fn taken<'a>(
        &mut self,
        content: Result<Cow<'a, [u8]>, ContentError>,
        max_bytes: usize,
    ) -> Option<Cow<'a, [u8]>> {
        match content {
            Ok(content) => self.work(content.len() as u64).then_some(content),
            Err(ContentError::TooLarge) => {
                self.work(max_bytes as u64);
                self.parsed.over_limit = true;
                None
            }
            Err(ContentError::Malformed) => {
                self.parsed.malformed_parts += 1;
                None
            }
        }
    }

    fn keep(&mut self, place: &Place<'_>, package: LanguagePackage) {
        let package = LanguagePackage { inside: place.inside.to_owned(), ..package };
        if self.seen.contains(&package) {
            return;
        }
        let bytes = package.inside.len() + package.name.len() + package.version.len();
        let cost = bytes + size_of::<LanguagePackage>();
        match self.retained_bytes.checked_sub(cost) {
            Some(left) => {
                self.retained_bytes = left;
                self.seen.insert(package.clone());
                self.parsed.packages.push(package);
            }
            None => self.parsed.over_limit = true,
        }
    }

    /// Takes from the work that one file may cost; false, and the limit is noted, when there is none left.
    fn work(&mut self, bytes: u64) -> bool {
        let left = self.work_bytes.checked_sub(bytes);
        self.work_bytes = left.unwrap_or(0);
        self.parsed.over_limit |= left.is_none();
        left.is_some()
    }
}

#[cfg(test)]
mod tests;
