//! Bundler's `Gemfile.lock`.

use super::{MAX_LOCK_BYTES, Parsed, add, is_named, text_of};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;

/// Reads the gems of servers; the file does not tell what is for development alone.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Gem],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

fn is_lock(path: &str) -> bool {
    is_named(path, &["Gemfile.lock", "gems.locked"])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Gem, MAX_LOCK_BYTES, found);
}

/// In the section `GEM`, below `specs:`, a gem stands four spaces in, and what it needs six.
fn read(bytes: &[u8]) -> Parsed {
    let text = text_of(bytes);
    let mut parsed = Parsed::default();
    let (mut in_gems, mut has_section) = (false, false);
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if !line.starts_with(' ') {
            in_gems = line == "GEM";
            has_section = true;
        } else if let Some(gem) = line.strip_prefix("    ").filter(|rest| in_gems && !rest.starts_with(' ')) {
            let version = gem.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
            // A platform follows the version: `1.15.0-x86_64-linux`.
            let (name, version) = version.unwrap_or_default();
            add(&mut parsed, name, version.split('-').next().unwrap_or_default());
        }
    }
    if has_section { parsed } else { Parsed::malformed() }
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    #[test]
    fn gems_of_servers_count() {
        let lock = b"PATH\n  remote: .\n  specs:\n    own (0.1.0)\n      rake\n\n\
            GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n    \
            rack (2.2.3)\r\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack (>= 2)\n";
        assert_eq!(pairs(&read(lock)), [("nokogiri", "1.15.0"), ("rack", "2.2.3")]);
    }

    #[test]
    fn what_is_no_gem_is_counted() {
        assert_eq!(read(b"GEM\n  specs:\n    rack\n").malformed_parts, 1);
        assert_eq!(read(b""), Parsed::malformed());
    }
}
