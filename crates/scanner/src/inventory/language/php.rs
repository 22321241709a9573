//! PHP packages: the list that Composer keeps of what it installed.

use super::fields::{self, Member, Pick, PickEach};
use super::{LanguagePackage, Parsed};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::layer::path::{file_name, parent};

/// Reads both forms of the list.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Composer],
    places: Places::Anywhere,
    claims_path: is_installed_json,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_INSTALLED_BYTES,
    extract,
};

/// Bytes of a list that is read.
pub(crate) const MAX_INSTALLED_BYTES: usize = 32 << 20;

/// Whether a path is that of a list, `vendor/composer/installed.json`; the vendor folder may have another name.
pub(crate) fn is_installed_json(path: &str) -> bool {
    file_name(path) == "installed.json" && file_name(parent(path)) == "composer"
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Composer, MAX_INSTALLED_BYTES, found);
}

/// Reads a list: an array (Composer 1), or an object with `packages` (Composer 2).
pub(crate) fn read(bytes: &[u8]) -> Parsed {
    let list = PickEach(Pick(["name", "version"]));
    let entries = fields::read(bytes, Member("packages", list)).or_else(|| fields::read(bytes, list));
    let Some(entries) = entries else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    for [name, version] in entries {
        let package = name.zip(version);
        parsed.add(package.and_then(|(name, version)| LanguagePackage::new(&name, &version)));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_lie_in_composers_folder() {
        assert!(is_installed_json("opt/php/vendor/composer/installed.json"));
        assert!(!is_installed_json("opt/php/vendor/installed.json"));
    }

    #[test]
    fn both_forms_of_the_list_name_packages() {
        let packages = r#"[{"version":"v4.4.10","name":"symfony/http-kernel","require":{"name":"no"}},
            {"name":"Twig/Twig","version":"2.x-dev","version_normalized":"2.9999999"}]"#;
        let both = [("symfony/http-kernel", "v4.4.10"), ("Twig/Twig", "2.x-dev")];
        let both = both.map(|(name, version)| LanguagePackage::new(name, version).unwrap());
        assert_eq!(read(packages.as_bytes()).packages, both);
        let object = format!(r#"{{"dev":true,"packages":{packages},"dev-package-names":["a"]}}"#);
        assert_eq!(read(object.as_bytes()).packages, both);
        assert_eq!(read(b"[]"), Parsed::default());
    }

    #[test]
    fn a_package_without_a_version_is_counted() {
        let parsed = read(br#"[{"name":"a/b","version":1},{"name":"c/d","version":"1.0"}]"#);
        assert_eq!((parsed.packages.len(), parsed.malformed_parts), (1, 1));
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for broken in ["", "{}", "null", "[1]", r#"{"packages":{}}"#, r#"[{"name":"a/b""#] {
            assert_eq!(read(broken.as_bytes()), Parsed::malformed(), "{broken}");
        }
    }
}
