//! Python's lock files: `poetry.lock`, `uv.lock` and `Pipfile.lock`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{MAX_LOCK_BYTES, Parsed, add, is_named, text_of};
use crate::advisory::normalized_name;
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::file_name;

/// Reads what would be installed, but for development alone where the file says so.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Pypi],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

const PIPFILE: &str = "Pipfile.lock";

fn is_lock(path: &str) -> bool {
    is_named(path, &["poetry.lock", "uv.lock", PIPFILE])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    let read = if file_name(file.path) == PIPFILE { pipfile } else { packages };
    read(file.content).report(PackageKind::Pypi, MAX_LOCK_BYTES, found);
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// uv leaves it out for projects whose version is computed.
    version: Option<String>,
    /// Poetry before 1.5: `main` or `dev`.
    category: Option<String>,
    /// Poetry since 2.0.
    groups: Option<Vec<String>>,
    #[serde(default)]
    source: BTreeMap<String, toml::Value>,
}

impl Package {
    fn is_for_development(&self) -> bool {
        let in_main = |groups: &Vec<String>| groups.iter().any(|group| group == "main");
        self.category.as_deref() == Some("dev") || self.groups.as_ref().is_some_and(|groups| !in_main(groups))
    }

    /// Whether it is the project's own, or lies in a folder beside it.
    fn is_own(&self) -> bool {
        let in_folder = self.source.get("type").and_then(toml::Value::as_str) == Some("directory");
        let kinds = ["editable", "virtual", "directory", "path"];
        in_folder || kinds.iter().any(|kind| self.source.contains_key(*kind))
    }
}

/// Poetry's and uv's.
fn packages(bytes: &[u8]) -> Parsed {
    let Ok(lock) = toml::from_str::<Lock>(&text_of(bytes)) else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    for package in lock.package.iter().filter(|package| !package.is_for_development() && !package.is_own()) {
        let name = normalized_name(PackageKind::Pypi, &package.name);
        add(&mut parsed, &name, package.version.as_deref().unwrap_or_default());
    }
    parsed
}

#[derive(Deserialize)]
struct Pipfile {
    default: BTreeMap<String, Pinned>,
}

#[derive(Deserialize)]
struct Pinned {
    /// `==1.2.3`; none for what comes from a repository or a folder.
    version: Option<String>,
}

fn pipfile(bytes: &[u8]) -> Parsed {
    let Ok(lock) = serde_json::from_str::<Pipfile>(&text_of(bytes)) else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    for (name, Pinned { version }) in &lock.default {
        if let Some(version) = version {
            let name = normalized_name(PackageKind::Pypi, name);
            add(&mut parsed, &name, version.trim_start_matches('='));
        }
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    #[test]
    fn poetry_tells_what_is_for_development() {
        let lock = b"[[package]]\nname = \"Jinja2\"\nversion = \"2.11.2\"\ncategory = \"main\"\noptional = false\n\
            [package.dependencies]\nMarkupSafe = \">=0.23\"\n\n\
            [[package]]\nname = \"pytest\"\nversion = \"7.0\"\ncategory = \"dev\"\n\n\
            [[package]]\nname = \"black\"\nversion = \"24.1\"\ngroups = [\"dev\"]\n\n\
            [[package]]\nname = \"idna\"\nversion = \"3.1\"\ngroups = [\"dev\", \"main\"]\n\n\
            [[package]]\nname = \"own\"\nversion = \"0.1\"\n[package.source]\ntype = \"directory\"\nurl = \"../own\"\n\n\
            [metadata]\nlock-version = \"2.0\"\n";
        assert_eq!(pairs(&packages(lock)), [("jinja2", "2.11.2"), ("idna", "3.1")]);
    }

    #[test]
    fn uv_tells_what_is_the_projects_own() {
        let lock = b"version = 1\nrequires-python = \">=3.12\"\n\n\
            [[package]]\nname = \"idna\"\nversion = \"3.1\"\nsource = { registry = \"https://pypi.org/simple\" }\n\
            sdist = { url = \"https://x\", hash = \"sha256:0\", size = 1 }\n\n\
            [[package]]\nname = \"app\"\nsource = { editable = \".\" }\n\n\
            [[package]]\nname = \"part\"\nversion = \"0.1\"\nsource = { virtual = \"part\" }\n";
        assert_eq!(pairs(&packages(lock)), [("idna", "3.1")]);
    }

    #[test]
    fn pipenv_pins_versions() {
        let lock = br#"{"_meta":{},"default":{"PyYAML":{"hashes":[],"version":"==5.3.1"},"own":{"path":"."}},
            "develop":{"pytest":{"version":"==7.0"}}}"#;
        assert_eq!(pairs(&pipfile(lock)), [("pyyaml", "5.3.1")]);
    }

    #[test]
    fn what_is_no_lock_file_is_malformed() {
        assert_eq!(packages(b"[[package]]\nversion = \"1\"\n"), Parsed::malformed());
        assert_eq!(packages(b"[[package]]\nname = \"a\"\n").malformed_parts, 1);
        assert_eq!(pipfile(b"{}"), Parsed::malformed());
    }
}
