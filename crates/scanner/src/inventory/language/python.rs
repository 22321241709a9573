//! Python distributions: the metadata that wheels, eggs and `setup.py` leave beside the modules.
//!
//! The format is that of mail headers (Core metadata specification); the description that follows the first
//! empty line may look the same and is not read.

use super::java::directory::Archive;
use super::{LanguagePackage, Parsed};
use crate::advisory::normalized_name;
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::{file_name, parent};

/// Reads metadata beside the modules.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Pypi],
    places: Places::Anywhere,
    claims_path: is_metadata,
    claims_content: no_content,
    reads: Reads::Beginning,
    max_bytes: MAX_METADATA_BYTES,
    extract,
};

/// Reads eggs in one file.
pub(crate) const EGG_EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Pypi],
    places: Places::Anywhere,
    claims_path: is_egg,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_EGG_BYTES,
    extract: extract_egg,
};

/// Bytes of metadata that are read: the headers are in front of any description.
pub(crate) const MAX_METADATA_BYTES: usize = 1 << 20;
/// Bytes of an egg, an archive, that is read.
pub(crate) const MAX_EGG_BYTES: usize = 64 << 20;

/// Whether a path is a distribution's metadata.
pub(crate) fn is_metadata(path: &str) -> bool {
    let folder = file_name(parent(path));
    match file_name(path) {
        "METADATA" => folder.ends_with(".dist-info") || folder.ends_with(".egg-info"),
        "PKG-INFO" => folder.ends_with(".egg-info") || folder == "EGG-INFO",
        name => name.ends_with(".egg-info"),
    }
}

/// Whether a path is that of an egg in one file.
pub(crate) fn is_egg(path: &str) -> bool {
    path.ends_with(".egg")
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read_metadata(file.path, file.content).report(PackageKind::Pypi, MAX_METADATA_BYTES, found);
}

fn extract_egg(file: &File<'_>, found: &mut Extracted) {
    read_egg(file.path, file.content).report(PackageKind::Pypi, MAX_EGG_BYTES, found);
}

/// Reads metadata, or its first [`MAX_METADATA_BYTES`]. What the headers do not say, the name of the file or
/// folder may.
pub(crate) fn read_metadata(path: &str, bytes: &[u8]) -> Parsed {
    let headers = Headers::read(bytes);
    let from_path = named_by_path(path);
    let name = headers.name.or_else(|| from_path.as_ref().map(|(name, _)| name.clone()));
    let version = headers.version.or_else(|| from_path.map(|(_, version)| version));
    let package = name.zip(version);
    Parsed::one(package.and_then(|(name, version)| {
        LanguagePackage::new(&normalized_name(PackageKind::Pypi, &name), &version)
    }))
}

/// Reads an egg. A file of that name that is no archive names nothing.
pub(crate) fn read_egg(path: &str, bytes: &[u8]) -> Parsed {
    let Some(archive) = Archive::open(bytes) else { return Parsed::default() };
    let metadata = archive.members().flatten().find(|member| member.name == "EGG-INFO/PKG-INFO");
    let content = metadata.and_then(|member| archive.beginning(&member, MAX_METADATA_BYTES).ok());
    match content {
        Some(content) => read_metadata(path, &content),
        None => Parsed::malformed(),
    }
}

#[derive(Debug, Default)]
struct Headers {
    name: Option<String>,
    version: Option<String>,
}

impl Headers {
    fn read(bytes: &[u8]) -> Self {
        let mut headers = Self::default();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            // A line that begins with white space goes on with the field above.
            if line[0].is_ascii_whitespace() {
                continue;
            }
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let slot = match line[..colon].to_ascii_lowercase().as_slice() {
                b"name" => &mut headers.name,
                b"version" => &mut headers.version,
                _ => continue,
            };
            let value = String::from_utf8_lossy(&line[colon + 1..]).trim().to_owned();
            if slot.is_none() && !value.is_empty() {
                *slot = Some(value);
            }
        }
        headers
    }
}

/// `Name-1.0.dist-info`, `Name-1.0-py3.11.egg-info` and `Name-1.0-py3.11.egg`: neither part has a `-` of its own.
fn named_by_path(path: &str) -> Option<(String, String)> {
    let stem = path.rsplit('/').take(3).find_map(|part| {
        [".dist-info", ".egg-info", ".egg"].iter().find_map(|suffix| part.strip_suffix(suffix))
    })?;
    let mut parts = stem.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| (name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "usr/lib/python3/dist-packages/x.egg-info/PKG-INFO";

    fn one(path: &str, text: &[u8]) -> (String, String) {
        let parsed = read_metadata(path, text);
        let [package] = &parsed.packages[..] else { panic!("{parsed:?}") };
        (package.name.clone(), package.version.clone())
    }

    fn pair(name: &str, version: &str) -> (String, String) {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn metadata_lies_where_installers_put_it() {
        for path in [
            "a/PyYAML-6.0.dist-info/METADATA",
            "a/six.egg-info/PKG-INFO",
            "a/six.egg-info/METADATA",
            "a/PyYAML-5.3.1.egg-info",
            "a/six-1.16-py3.9.egg/EGG-INFO/PKG-INFO",
        ] {
            assert!(is_metadata(path), "{path}");
        }
        for path in ["a/METADATA", "a/PKG-INFO", "a/x.dist-info/RECORD", "a/x.egg"] {
            assert!(!is_metadata(path), "{path}");
        }
        assert!(is_egg("a/x.egg") && !is_egg("a/x.egg/EGG-INFO"));
    }

    #[test]
    fn the_headers_name_the_distribution() {
        let text = b"Metadata-Version: 2.1\r\nname: Jinja2\r\nVERSION:3.1.2\r\nSummary: x\r\n\r\nbody";
        assert_eq!(one(PATH, text), pair("jinja2", "3.1.2"));
        assert_eq!(one(PATH, b"\xef\xbb\xbfName: a\nVersion: 1"), pair("a", "1"));
    }

    #[test]
    fn a_description_is_not_read() {
        let text =
            b"Name: a\nDescription: of\n\tName: c\n        Version: 9\nVersion: 1\n\nName: b\nVersion: 2\n";
        assert_eq!(one(PATH, text), pair("a", "1"));
        assert_eq!(read_metadata(PATH, b"Name: a\n\nVersion: 2\n"), Parsed::malformed());
    }

    #[test]
    fn the_first_of_a_field_counts() {
        assert_eq!(one(PATH, b"Name: a\nVersion: 1\nName: b\nVersion: 2\n"), pair("a", "1"));
    }

    #[test]
    fn bytes_that_are_no_utf_8_do_not_hide_a_distribution() {
        assert_eq!(one(PATH, b"Author: \xff\xfe\nName: a\nVersion: 1\n"), pair("a", "1"));
    }

    #[test]
    fn the_folder_says_what_the_headers_do_not() {
        assert_eq!(one("a/Django-2.2.10.dist-info/METADATA", b""), pair("django", "2.2.10"));
        assert_eq!(one("a/six-1.16.0-py3.9.egg-info", b"\n"), pair("six", "1.16.0"));
        assert_eq!(one("a/six-1.16.0-py3.9.egg/EGG-INFO/PKG-INFO", b"Name: six\n"), pair("six", "1.16.0"));
        assert_eq!(read_metadata("a/cryptography.egg-info/PKG-INFO", b""), Parsed::malformed());
        assert_eq!(read_metadata("a/my-tool.egg-info/PKG-INFO", b""), Parsed::malformed());
    }

    #[test]
    fn an_egg_holds_its_metadata() {
        let egg = include_bytes!("python/example-1.0-py3.11.egg");
        let parsed = read_egg("a/example-1.0-py3.11.egg", egg);
        assert_eq!(parsed.packages, [LanguagePackage::new("example", "1.0").unwrap()]);
        assert_eq!(read_egg("a/example.egg", b"no archive"), Parsed::default());
    }
}
