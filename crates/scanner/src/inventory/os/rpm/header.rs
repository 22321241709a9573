//! A package's header, as databases keep it (rpm, `docs/manual/format_header.md`, `include/rpm/rpmtag.h`): numbers of
//! entries and of bytes, the entries, the bytes.

use super::bytes::{Order, piece};
use crate::inventory::extractor::{Extracted, MAX_PATH_BYTES};
use crate::inventory::kind::PackageKind;
use crate::inventory::record::InstalledPackage;

/// Bytes of an entry: tag, type, offset, count.
const ENTRY_BYTES: usize = 16;
/// Bytes in front of the entries.
const FRONT_BYTES: usize = 8;

mod tag {
    pub(super) const NAME: usize = 1000;
    pub(super) const VERSION: usize = 1001;
    pub(super) const RELEASE: usize = 1002;
    pub(super) const EPOCH: usize = 1003;
    pub(super) const ARCH: usize = 1022;
    /// Paths, as rpm before version 4 kept them.
    pub(super) const OLD_FILE_NAMES: usize = 1027;
    pub(super) const SOURCE_RPM: usize = 1044;
    pub(super) const DIR_INDEXES: usize = 1116;
    pub(super) const BASE_NAMES: usize = 1117;
    pub(super) const DIR_NAMES: usize = 1118;
    pub(super) const MODULARITY_LABEL: usize = 5096;
}

const INT32: usize = 4;
const STRING: usize = 6;
const STRING_ARRAY: usize = 8;
const I18N_STRING: usize = 9;

/// What stands in front of everything else: a header's entries and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

/// One entry.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    kind: usize,
    count: usize,
    /// From where its value begins.
    data: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Option<Self> {
        let entries = Order::Big.u32_at(blob, 0)?.checked_mul(ENTRY_BYTES)?;
        let data = Order::Big.u32_at(blob, 4)?;
        let header = Self {
            entries: piece(blob, FRONT_BYTES, entries)?,
            data: piece(blob, FRONT_BYTES.checked_add(entries)?, data)?,
        };
        // Every header has a name: without one, this is something else.
        header.text(tag::NAME).is_some().then_some(header)
    }

    /// The package of the header, and the files that it owns.
    pub(super) fn extract(&self, found: &mut Extracted) {
        let name = self.text(tag::NAME).unwrap_or_default();
        // Keys that were imported to verify packages are kept as if they were packages.
        if name == "gpg-pubkey" {
            return;
        }
        let (Some(version), Some(release)) = (self.text(tag::VERSION), self.text(tag::RELEASE)) else {
            found.malformed();
            return;
        };
        let version = format!("{version}-{release}");
        let with_epoch = format!("{}:{version}", self.number(tag::EPOCH).unwrap_or(0));
        let arch = self.text(tag::ARCH).unwrap_or_default();
        let mut package = InstalledPackage::new(PackageKind::Rpm, &name, &with_epoch, &arch);
        let source = self.text(tag::SOURCE_RPM);
        (package.source, package.source_version) =
            source.as_deref().and_then(split_source).unwrap_or_else(|| (name.clone(), version));
        package.module = self.text(tag::MODULARITY_LABEL).as_deref().and_then(module);
        found.package(package);
        // What is owned only tells whose a file is: where that cannot be read, more is reported, and never less.
        let _ = self.own(&name, found);
    }

    fn own(&self, name: &str, found: &mut Extracted) -> Option<()> {
        if let Some(files) = self.entry(tag::OLD_FILE_NAMES) {
            for file in files.strings()? {
                found.owns(name, &String::from_utf8_lossy(file));
            }
            return Some(());
        }
        let Some(files) = self.entry(tag::BASE_NAMES) else { return Some(()) };
        let folders: Vec<&[u8]> = self.entry(tag::DIR_NAMES)?.strings()?.collect();
        let indexes = self.entry(tag::DIR_INDEXES).filter(|entry| entry.kind == INT32)?;
        let mut path = Vec::new();
        for (at, file) in files.strings()?.enumerate() {
            let folder = folders.get(Order::Big.u32_at(indexes.data, at.checked_mul(4)?)?)?;
            if folder.len() + file.len() > MAX_PATH_BYTES || found.owned.is_full() {
                return None;
            }
            path.clear();
            path.extend_from_slice(folder);
            path.extend_from_slice(file);
            found.owns(name, &String::from_utf8_lossy(&path));
        }
        Some(())
    }

    /// The first entry of a tag: what was added to a header later stands behind.
    fn entry(&self, wanted: usize) -> Option<Entry<'a>> {
        let (entries, _) = self.entries.as_chunks::<ENTRY_BYTES>();
        let entry = entries.iter().find(|entry| Order::Big.u32_at(*entry, 0) == Some(wanted))?;
        let field = |at| Order::Big.u32_at(entry, at);
        Some(Entry { kind: field(4)?, count: field(12)?, data: self.data.get(field(8)?..)? })
    }

    /// The text of a tag; none where it is missing, empty, or no text.
    fn text(&self, tag: usize) -> Option<String> {
        let text = self.entry(tag)?.strings()?.next()?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }

    fn number(&self, tag: usize) -> Option<usize> {
        let entry = self.entry(tag).filter(|entry| entry.kind == INT32 && entry.count > 0)?;
        Order::Big.u32_at(entry.data, 0)
    }
}

impl<'a> Entry<'a> {
    /// The strings of the entry, as many as it counts and as there are.
    fn strings(self) -> Option<impl Iterator<Item = &'a [u8]>> {
        let count = match self.kind {
            STRING => 1,
            STRING_ARRAY | I18N_STRING => self.count,
            _ => return None,
        };
        let mut rest = self.data;
        let next = move || {
            let end = memchr::memchr(0, rest)?;
            let (string, behind) = rest.split_at(end);
            rest = &behind[1..];
            Some(string)
        };
        Some(std::iter::from_fn(next).take(count))
    }
}

/// `curl-7.61.1-22.el8.src.rpm` is `curl` and `7.61.1-22.el8`. A source's epoch is not in its file's name.
pub(crate) fn split_source(file: &str) -> Option<(String, String)> {
    let (stem, _) = file.strip_suffix(".rpm")?.rsplit_once('.')?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    (!name.is_empty()).then(|| (name.to_owned(), format!("{version}-{release}")))
}

/// `nodejs:18:8070020230308160252:bd1311ed` is `nodejs:18`: module and stream, without version and context.
pub(crate) fn module(label: &str) -> Option<String> {
    let mut parts = label.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_from_their_files() {
        let split = |file: &str| split_source(file).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(split("curl-7.61.1-22.el8.src.rpm").as_deref(), Some("curl 7.61.1-22.el8"));
        assert_eq!(split("java-1.8.0-openjdk-1.8-1.nosrc.rpm").as_deref(), Some("java-1.8.0-openjdk 1.8-1"));
        for none in ["(none)", "", "a-1.src.rpm", "-1-1.src.rpm"] {
            assert_eq!(split(none), None, "{none}");
        }
    }

    #[test]
    fn a_label_names_a_module_and_its_stream() {
        assert_eq!(module("nodejs:18:8070020230308160252:bd1311ed").as_deref(), Some("nodejs:18"));
        assert_eq!(module("nodejs:18").as_deref(), Some("nodejs:18"));
        assert_eq!(module("nodejs"), None);
        assert_eq!(module(":18:1:2"), None);
    }
}
