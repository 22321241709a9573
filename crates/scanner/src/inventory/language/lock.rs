//! Lock files: what is meant to be installed, which need not be what is. They are read where somebody asks for it.

pub(crate) mod cargo;
pub(crate) mod composer;
pub(crate) mod gomod;
pub(crate) mod npm;
pub(crate) mod pnpm;
pub(crate) mod python;
pub(crate) mod ruby;
pub(crate) mod yarn;

use super::{LanguagePackage, Parsed};
use crate::layer::path::{file_name, parent};

/// Bytes of a lock file that is read.
pub(crate) const MAX_LOCK_BYTES: usize = 16 << 20;

/// Folders of packages that are installed, or kept to be: their own lock files do not speak for the image.
const OF_PACKAGES: [&str; 7] =
    ["node_modules", "vendor", "site-packages", "dist-packages", "gems", ".cargo", "mod"];

/// Whether a path is that of a project's file of one of these names.
fn is_named(path: &str, names: &[&str]) -> bool {
    names.contains(&file_name(path)) && !parent(path).split('/').any(|part| OF_PACKAGES.contains(&part))
}

/// The text of a lock file; bytes that are no UTF-8 are replaced, a byte order mark is passed over.
fn text_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// The name and what follows the `@` that ends it, which the `@` of a scope does not.
fn divided(specifier: &str) -> Option<(&str, &str)> {
    let at = specifier.get(1..)?.find('@')? + 1;
    Some((&specifier[..at], &specifier[at + 1..]))
}

/// A package, or a part that should name one.
fn add(parsed: &mut Parsed, name: &str, version: &str) {
    parsed.add(LanguagePackage::new(name, version));
}

/// The packages of a text, for the tests of each kind.
#[cfg(test)]
fn pairs(parsed: &Parsed) -> Vec<(&str, &str)> {
    assert_eq!((parsed.malformed_parts, parsed.over_limit), (0, false));
    parsed.packages.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_lock_file_counts_and_that_of_an_installed_package_does_not() {
        for path in ["yarn.lock", "app/yarn.lock", "srv/node/modules/yarn.lock"] {
            assert!(is_named(path, &["yarn.lock"]), "{path}");
        }
        for path in ["app/node_modules/a/yarn.lock", "vendor/a/yarn.lock", "app/my-yarn.lock", "yarn.lock/x"]
        {
            assert!(!is_named(path, &["yarn.lock"]), "{path}");
        }
        assert!(!is_named("root/go/pkg/mod/a@v1/go.mod", &["go.mod"]));
    }

    #[test]
    fn a_scope_does_not_end_a_name() {
        assert_eq!(divided("@babel/core@^7"), Some(("@babel/core", "^7")));
        assert_eq!(divided("a@npm:b@1"), Some(("a", "npm:b@1")));
        assert_eq!((divided("@babel/core"), divided("a"), divided("")), (None, None, None));
    }
}
