//! pnpm's `pnpm-lock.yaml`: the keys of its `packages`, in the spellings of versions 5, 6 and 9.

use super::{MAX_LOCK_BYTES, Parsed, add, divided, is_named, text_of};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;

/// Reads what pnpm would install, but for development alone where the file says so.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Npm],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

fn is_lock(path: &str) -> bool {
    is_named(path, &["pnpm-lock.yaml"])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Npm, MAX_LOCK_BYTES, found);
}

/// pnpm writes one form of YAML: a section at the margin, its keys two spaces in, their fields four.
fn read(bytes: &[u8]) -> Parsed {
    let text = text_of(bytes);
    if !text.lines().any(|line| line.starts_with("lockfileVersion:")) {
        return Parsed::malformed();
    }
    let mut parsed = Parsed::default();
    let mut in_packages = false;
    let mut current: Option<&str> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            end(current.take(), &mut parsed);
            in_packages = line.trim_end() == "packages:";
        } else if let Some(key) = line.strip_prefix("  ").filter(|rest| in_packages && !rest.starts_with(' '))
        {
            end(current.take(), &mut parsed);
            current = key
                .trim_end()
                .split_once(": ")
                .map_or(key.trim_end().strip_suffix(':'), |(key, _)| Some(key));
            parsed.malformed_parts += u64::from(current.is_none());
        } else if line.trim_end() == "    dev: true" {
            current = None;
        }
    }
    end(current, &mut parsed);
    parsed
}

/// `/@a/b/1.0.0_peer@2` (5), `/@a/b@1.0.0(peer@2)` (6), `@a/b@1.0.0` (9); addresses and folders name no version.
fn end(key: Option<&str>, parsed: &mut Parsed) {
    let Some(key) = key.map(|key| key.trim_matches(['\'', '"'])) else { return };
    let key = key.split('(').next().unwrap_or_default();
    let plain = key.strip_prefix('/').unwrap_or(key);
    let by_slash = || {
        let (name, version) = plain.rsplit_once('/')?;
        Some((name, version.split('_').next().unwrap_or(version)))
    };
    // Only version 5 has a slash in front of the version, and there an `@` follows it in the peers alone.
    let is_divided_by_slash =
        key.starts_with('/') && divided(plain).is_none_or(|(name, _)| name.contains('_'));
    let package = if is_divided_by_slash { by_slash() } else { divided(plain) };
    match package {
        Some((_, version)) if version.contains([':', '/']) => {}
        Some((name, version)) => add(parsed, name, version),
        // As in `github.com/a/b/0123abc` and `file:../own`.
        None if !key.starts_with('/') => {}
        None => parsed.malformed_parts += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    fn lock(version: &str, packages: &str) -> Parsed {
        let text = format!(
            "lockfileVersion: {version}\n\ndependencies:\n  no: 9.9.9\n\npackages:\n\n{packages}\nsnapshots:\n\n  \
             no@9.9.9:\n    dev: false\n"
        );
        read(text.as_bytes())
    }

    #[test]
    fn the_spellings_of_three_versions() {
        let five = "  /lodash/4.17.20:\n    resolution: {integrity: x}\n    dev: false\n\n  \
                    /@babel/core/7.1.0_a@1.0.0+b@2:\n    dev: false\n\n  /jest/29.0.0:\n    dev: true\n\n  \
                    github.com/a/b/0123:\n    name: b\n";
        assert_eq!(pairs(&lock("5.4", five)), [("lodash", "4.17.20"), ("@babel/core", "7.1.0")]);
        let six = "  /lodash@4.17.20:\n    resolution: {integrity: x}\n  /@babel/core@7.1.0(a@1.0.0)(b@2):\n    \
                   dev: false\n  file:../own:\n    name: own\n";
        assert_eq!(pairs(&lock("'6.0'", six)), [("lodash", "4.17.20"), ("@babel/core", "7.1.0")]);
        let nine = "  lodash@4.17.20:\n    resolution: {integrity: x}\n  '@babel/core@7.1.0':\n    engines: {}\n  \
                    b@https://codeload.example/b/tar.gz/0123:\n    version: 1.0.0\n";
        assert_eq!(pairs(&lock("'9.0'", nine)), [("lodash", "4.17.20"), ("@babel/core", "7.1.0")]);
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        assert_eq!(read(b"packages:\n  a@1:\n"), Parsed::malformed());
        assert_eq!(lock("5.4", "  /lodash:\n").malformed_parts, 1);
        assert_eq!(lock("'9.0'", "  lodash\n").malformed_parts, 1);
        assert_eq!(read(b"lockfileVersion: '9.0'\n"), Parsed::default());
    }
}
