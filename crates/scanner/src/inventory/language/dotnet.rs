//! .NET packages: the `deps.json` beside each application, and beside each shared framework.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::fields::{self, Member, Pick};
use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;

/// Reads lists of dependencies.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Nuget],
    places: Places::Anywhere,
    claims_path: is_deps_json,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_DEPS_JSON_BYTES,
    extract,
};

/// Bytes of a `deps.json` that is read.
pub(crate) const MAX_DEPS_JSON_BYTES: usize = 32 << 20;

/// In front of the name of a runtime that an application brings along; the package is what follows.
const RUNTIME_PACK: &str = "runtimepack.";

/// Whether a path is that of a list of dependencies.
pub(crate) fn is_deps_json(path: &str) -> bool {
    path.ends_with(".deps.json")
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Nuget, MAX_DEPS_JSON_BYTES, found);
}

/// Reads the libraries of a `deps.json`: packages and runtimes, but not the application's own projects.
pub(crate) fn read(bytes: &[u8]) -> Parsed {
    let Some(libraries) = fields::read(bytes, Member("libraries", LibraryTypes)) else {
        // Other tools have files of such names, too; what is no JSON was cut off or overwritten.
        let is_json = serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
        return if is_json { Parsed::default() } else { Parsed::malformed() };
    };
    let mut parsed = Parsed::default();
    for (key, kind) in libraries {
        let key = match kind.as_deref() {
            Some("package") => key.as_str(),
            Some("runtimepack") => key.strip_prefix(RUNTIME_PACK).unwrap_or(&key),
            _ => continue,
        };
        let package = key.rsplit_once('/');
        parsed.add(package.and_then(|(name, version)| LanguagePackage::new(name, version)));
    }
    parsed
}

/// Each library's key, `name/version`, and its type.
type Libraries = Vec<(String, Option<String>)>;

#[derive(Debug, Clone, Copy)]
struct LibraryTypes;

impl<'de> DeserializeSeed<'de> for LibraryTypes {
    type Value = Libraries;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Libraries, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LibraryTypes {
    type Value = Libraries;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of libraries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Libraries, A::Error> {
        let mut libraries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let [kind] = map.next_value_seed(Pick(["type"]))?;
            libraries.push((key, kind));
        }
        Ok(libraries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_runtimes_are_libraries_of_interest() {
        let json = br#"{"targets":{"x":{"no/1":{"type":"package"}}},"libraries":{
            "app/1.0.0":{"type":"project","serviceable":false},
            "Newtonsoft.Json/12.0.3":{"serviceable":true,"type":"package","sha512":"x"},
            "System.Private/4":{"type":"reference"},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1":{"type":"runtimepack"}}}"#;
        let expected = [("Newtonsoft.Json", "12.0.3"), ("Microsoft.NETCore.App.Runtime.linux-x64", "6.0.1")];
        let expected = expected.map(|(name, version)| LanguagePackage::new(name, version).unwrap());
        assert_eq!(read(json), Parsed { packages: expected.into(), ..Parsed::default() });
        assert!(is_deps_json("opt/app.deps.json") && !is_deps_json("opt/deps.json"));
    }

    #[test]
    fn an_application_without_libraries_names_nothing() {
        assert_eq!(read(br#"{"libraries":{}}"#), Parsed::default());
    }

    #[test]
    fn lists_of_other_tools_name_nothing() {
        for other in [r#"["wp-api","lodash"]"#, "{}", r#"{"libraries":["a"]}"#] {
            assert_eq!(read(other.as_bytes()), Parsed::default(), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        for broken in ["", "{", r#"{"libraries":{"a/1":{"type":"package"}}"#] {
            assert_eq!(read(broken.as_bytes()), Parsed::malformed(), "{broken}");
        }
        assert_eq!(read(br#"{"libraries":{"a":{"type":"package"}}}"#), Parsed::malformed());
    }
}
