//! npm's `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{MAX_LOCK_BYTES, Parsed, add, divided, is_named, text_of};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;

/// Reads what npm would install, but for development alone.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Npm],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

/// In front of a package's name in the path at which it would be installed.
const FOLDER: &str = "node_modules/";

fn is_lock(path: &str) -> bool {
    is_named(path, &["package-lock.json", "npm-shrinkwrap.json"])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Npm, MAX_LOCK_BYTES, found);
}

/// Version 2 has both forms, for old and new programs.
#[derive(Deserialize)]
struct Lock {
    packages: Option<BTreeMap<String, Package>>,
    dependencies: Option<BTreeMap<String, Dependency>>,
}

/// Versions 2 and 3: by the path at which it would be installed.
#[derive(Deserialize)]
struct Package {
    /// Where it is not the path's: an alias.
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    link: bool,
}

/// Version 1: by name, those of its own inside.
#[derive(Deserialize)]
struct Dependency {
    version: Option<String>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

fn read(bytes: &[u8]) -> Parsed {
    let Ok(lock) = serde_json::from_str::<Lock>(&text_of(bytes)) else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    match (lock.packages, lock.dependencies) {
        (Some(packages), _) => {
            for (path, package) in packages.iter().filter(|(_, package)| !package.dev && !package.link) {
                // What lies elsewhere is the project itself, and its parts.
                if let (Some((_, name)), Some(version)) = (path.rsplit_once(FOLDER), &package.version) {
                    add(&mut parsed, package.name.as_deref().unwrap_or(name), version);
                }
            }
        }
        (None, Some(dependencies)) => flatten(&dependencies, &mut parsed),
        (None, None) => {}
    }
    parsed
}

/// The parser bounds how deep they lie in one another.
fn flatten(dependencies: &BTreeMap<String, Dependency>, parsed: &mut Parsed) {
    for (name, dependency) in dependencies.iter().filter(|(_, dependency)| !dependency.dev) {
        match dependency.version.as_deref() {
            Some(version) => match version.strip_prefix("npm:").and_then(divided) {
                Some((name, version)) => add(parsed, name, version),
                // An address: what it leads to has no version that an advisory names.
                None if version.contains([':', '/']) => {}
                None => add(parsed, name, version),
            },
            None => parsed.malformed_parts += 1,
        }
        flatten(&dependency.dependencies, parsed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    #[test]
    fn packages_are_named_by_where_they_would_lie() {
        let lock = br#"{"name":"app","lockfileVersion":3,"packages":{
            "":{"name":"app","version":"1.0.0","dependencies":{"lodash":"^4"}},
            "node_modules/lodash":{"version":"4.17.20","resolved":"https://x","license":"MIT"},
            "node_modules/a/node_modules/@hapi/hoek":{"version":"8.5.0"},
            "node_modules/alias":{"name":"minimist","version":"1.2.5"},
            "node_modules/jest":{"version":"29.0.0","dev":true},
            "node_modules/own":{"resolved":"packages/own","link":true},
            "packages/own":{"name":"own","version":"0.1.0"}}}"#;
        let expected = [("@hapi/hoek", "8.5.0"), ("minimist", "1.2.5"), ("lodash", "4.17.20")];
        assert_eq!(pairs(&read(lock)), expected);
    }

    #[test]
    fn version_1_has_them_in_one_another() {
        let lock = br#"{"lockfileVersion":1,"dependencies":{
            "a":{"version":"1.0.0","requires":{"b":"^2"},"dependencies":{"b":{"version":"2.0.0"}}},
            "c":{"version":"npm:@s/d@3.0.0"},"e":{"version":"git+https://x/e.git#1"},
            "f":{"version":"file:../f"},"g":{"version":"1.0.0","dev":true}}}"#;
        assert_eq!(pairs(&read(lock)), [("a", "1.0.0"), ("b", "2.0.0"), ("@s/d", "3.0.0")]);
    }

    #[test]
    fn version_2_has_both_forms_and_one_counts() {
        let lock = br#"{"lockfileVersion":2,"packages":{"node_modules/a":{"version":"1.0.0"}},
            "dependencies":{"a":{"version":"1.0.0"}}}"#;
        assert_eq!(pairs(&read(lock)), [("a", "1.0.0")]);
        assert_eq!(read(br#"{"lockfileVersion":3}"#), Parsed::default());
    }

    #[test]
    fn what_is_no_lock_file_is_malformed() {
        let deep = format!("{}{}", r#"{"dependencies":{"a":"#.repeat(10_000), "}}".repeat(10_000));
        for broken in ["", "[]", r#"{"packages":{"node_modules/a":1}}"#, r#"{"dependencies":{}"#, &deep] {
            assert_eq!(read(broken.as_bytes()), Parsed::malformed(), "{}", &broken[..broken.len().min(40)]);
        }
        assert_eq!(read(br#"{"dependencies":{"a":{}}}"#), Parsed::malformed());
    }

    #[test]
    fn lock_files_of_npm_have_two_names() {
        assert!(is_lock("app/package-lock.json") && is_lock("app/npm-shrinkwrap.json"));
        assert!(!is_lock("app/node_modules/.package-lock.json"));
    }
}
