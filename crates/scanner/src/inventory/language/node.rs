//! Node packages: the `package.json` of each folder below a `node_modules`.
//!
//! Lock files say what should be installed, not what is: they are not read.

use super::fields::{self, Pick};
use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::{file_name, parent};

/// Reads what is installed.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Npm],
    places: Places::Anywhere,
    claims_path: is_package_json,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_PACKAGE_JSON_BYTES,
    extract,
};

/// Bytes of a `package.json` that is read.
pub(crate) const MAX_PACKAGE_JSON_BYTES: usize = 4 << 20;

/// Whether a path is the `package.json` of something in a `node_modules` folder.
pub(crate) fn is_package_json(path: &str) -> bool {
    path.strip_suffix("/package.json")
        .is_some_and(|folder| folder.split('/').rev().skip(1).any(|part| part == "node_modules"))
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.path, file.content).report(PackageKind::Npm, MAX_PACKAGE_JSON_BYTES, found);
}

/// Reads a `package.json`.
///
/// A file without a name names no package: `{"type":"module"}` only tells how to read the files beside it. One that is
/// no JSON, or has no version beside its name, hides a package only where packages stand; deeper it is a package's own
/// test data.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Parsed {
    let Some([name, version]) = fields::read(bytes, Pick(["name", "version"])) else {
        return if is_installed(path) { Parsed::malformed() } else { Parsed::default() };
    };
    if name.is_some() && version.is_none() && is_installed(path) {
        return Parsed::malformed();
    }
    let package = name.zip(version).and_then(|(name, version)| LanguagePackage::new(&name, &version));
    Parsed { packages: package.into_iter().collect(), ..Parsed::default() }
}

/// Whether a folder is `node_modules/<name>` or `node_modules/@<scope>/<name>`.
fn is_installed(path: &str) -> bool {
    let above = parent(parent(path));
    let above = if file_name(above).starts_with('@') { parent(above) } else { above };
    file_name(above) == "node_modules"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "app/node_modules/left-pad/package.json";

    fn names(path: &str, json: &str) -> Vec<(String, String)> {
        let parsed = read(path, json.as_bytes());
        assert_eq!((parsed.malformed_parts, parsed.over_limit), (0, false), "{json}");
        parsed.packages.into_iter().map(|package| (package.name, package.version)).collect()
    }

    #[test]
    fn packages_lie_below_node_modules() {
        assert!(is_package_json(PATH));
        assert!(is_package_json("node_modules/@hapi/hoek/package.json"));
        assert!(is_package_json("a/node_modules/b/node_modules/c/package.json"));
        assert!(is_package_json("a/node_modules/.pnpm/b@1.0.0/node_modules/b/package.json"));
        for other in ["app/package.json", "node_modules/package.json", "a/node_modules/b/x.package.json"] {
            assert!(!is_package_json(other), "{other}");
        }
    }

    #[test]
    fn a_name_and_a_version_make_a_package() {
        let json = r#"{"name":"@hapi/hoek","version":"8.5.0","dependencies":{"name":"no","version":"0"}}"#;
        assert_eq!(names(PATH, json), [("@hapi/hoek".to_owned(), "8.5.0".to_owned())]);
        // An alias has the name of what it stands for.
        assert_eq!(names(PATH, r#"{"version":"1","name":"other"}"#), [("other".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn files_that_only_describe_modules_name_nothing() {
        for json in [r#"{"type":"module"}"#, r#"{"version":"1"}"#, "{}"] {
            assert_eq!(names(PATH, json), [], "{json}");
        }
        let below = "app/node_modules/a/esm/package.json";
        assert_eq!(names(below, r#"{"name":"a/esm"}"#), []);
    }

    #[test]
    fn an_installed_package_whose_version_is_no_text_cannot_be_judged() {
        for json in [r#"{"name":"a"}"#, r#"{"name":"a","version":1}"#] {
            assert_eq!(read(PATH, json.as_bytes()), Parsed::malformed(), "{json}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_do_not_hide_a_package() {
        let parsed = read(PATH, b"{\"name\":\"a\",\"author\":\"\xff\",\"version\":\"1\"}");
        assert_eq!(parsed.packages, [LanguagePackage::new("a", "1").unwrap()]);
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_test_data() {
        for broken in ["{", "", "[]", "not json"] {
            assert_eq!(read(PATH, broken.as_bytes()), Parsed::malformed());
            assert_eq!(read("node_modules/@a/b/package.json", broken.as_bytes()), Parsed::malformed());
            let fixture = "app/node_modules/resolve/test/malformed/package.json";
            assert_eq!(read(fixture, broken.as_bytes()), Parsed::default());
        }
    }
}
