//! Composer's `composer.lock`.

use super::{MAX_LOCK_BYTES, Parsed, add, is_named};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;
use crate::inventory::language::fields::{self, Member, Pick, PickEach};

/// Reads what Composer would install, but for development alone.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Composer],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

fn is_lock(path: &str) -> bool {
    is_named(path, &["composer.lock"])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Composer, MAX_LOCK_BYTES, found);
}

fn read(bytes: &[u8]) -> Parsed {
    let packages = fields::read(bytes, Member("packages", PickEach(Pick(["name", "version"]))));
    let Some(packages) = packages else { return Parsed::malformed() };
    let mut parsed = Parsed::default();
    for [name, version] in packages {
        add(&mut parsed, &name.unwrap_or_default(), &version.unwrap_or_default());
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    #[test]
    fn what_is_for_development_stands_apart() {
        let lock = br#"{"_readme":["x"],"packages":[{"name":"twig/twig","version":"v2.4.4","source":{"type":"git"}}],
            "packages-dev":[{"name":"phpunit/phpunit","version":"9.0.0"}]}"#;
        assert_eq!(pairs(&read(lock)), [("twig/twig", "v2.4.4")]);
    }

    #[test]
    fn what_is_no_lock_file_is_malformed() {
        for broken in ["", "{}", r#"{"packages":{}}"#, r#"{"packages":[{"name":"a/b"}]}"#] {
            assert_eq!(read(broken.as_bytes()), Parsed::malformed(), "{broken}");
        }
    }
}
