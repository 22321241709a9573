//! Go's `go.mod`: the versions that a module asks for. Since Go 1.17 they are all that it is built with.

use std::collections::BTreeMap;

use super::{MAX_LOCK_BYTES, Parsed, add, is_named, text_of};
use crate::inventory::extractor::{Extracted, Extractor, File, Places, Reads, no_content};
use crate::inventory::kind::PackageKind;

/// Reads what a module requires, with its replacements.
pub(crate) const EXTRACTOR: Extractor = Extractor {
    kinds: &[PackageKind::Golang],
    places: Places::Anywhere,
    claims_path: is_lock,
    claims_content: no_content,
    reads: Reads::Whole,
    max_bytes: MAX_LOCK_BYTES,
    extract,
};

fn is_lock(path: &str) -> bool {
    is_named(path, &["go.mod"])
}

fn extract(file: &File<'_>, found: &mut Extracted) {
    read(file.content).report(PackageKind::Golang, MAX_LOCK_BYTES, found);
}

fn read(bytes: &[u8]) -> Parsed {
    let text = text_of(bytes);
    let mut parsed = Parsed::default();
    let (mut required, mut replaced, mut block) = (Vec::new(), BTreeMap::new(), None);
    let mut is_module = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let mut words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches('"')).collect();
        match (words.as_slice(), block) {
            ([")"], _) => block = None,
            ([verb, "("], None) => block = Some(*verb),
            ([], _) => {}
            (_, None) => {
                let verb = words.remove(0);
                is_module |= verb == "module";
                directive(verb, &words, &mut required, &mut replaced, &mut parsed);
            }
            (_, Some(verb)) => directive(verb, &words, &mut required, &mut replaced, &mut parsed),
        }
    }
    for (path, version) in required {
        let with = replaced.get(&(path, Some(version))).or_else(|| replaced.get(&(path, None)));
        // What a folder replaces has no version.
        if let (path, Some(version)) = with.copied().unwrap_or((path, Some(version))) {
            add(&mut parsed, path, version);
        }
    }
    if is_module { parsed } else { Parsed::malformed() }
}

/// A module and a version of it, or any.
type Module<'a> = (&'a str, Option<&'a str>);

fn directive<'a>(
    verb: &str,
    words: &[&'a str],
    required: &mut Vec<(&'a str, &'a str)>,
    replaced: &mut BTreeMap<Module<'a>, Module<'a>>,
    parsed: &mut Parsed,
) {
    match (verb, words) {
        ("require", [path, version]) => required.push((path, version)),
        ("replace", [old, "=>", new @ ..]) if !new.is_empty() => {
            replaced.insert((old, None), (new[0], new.get(1).copied()));
        }
        ("replace", [old, version, "=>", new @ ..]) if !new.is_empty() => {
            replaced.insert((old, Some(version)), (new[0], new.get(1).copied()));
        }
        ("require" | "replace", _) => parsed.malformed_parts += 1,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::pairs;
    use super::*;

    #[test]
    fn requirements_count_with_their_replacements() {
        let lock = b"module example.com/app // comment\n\ngo 1.22\n\nrequire golang.org/x/net v0.17.0\n\
            require (\n\tgolang.org/x/text v0.3.7 // indirect\n\texample.com/a v1.0.0\n\texample.com/b v1.0.0\n\
            \texample.com/c v1.0.0\n)\n\nexclude example.com/z v9.9.9\n\n\
            replace example.com/a => example.com/fork v1.0.1\nreplace (\n\texample.com/b v1.0.0 => ../b\n\
            \texample.com/c v2.0.0 => example.com/never v2.0.1\n)\n";
        let expected = [
            ("golang.org/x/net", "v0.17.0"),
            ("golang.org/x/text", "v0.3.7"),
            ("example.com/fork", "v1.0.1"),
            ("example.com/c", "v1.0.0"),
        ];
        assert_eq!(pairs(&read(lock)), expected);
    }

    #[test]
    fn what_is_no_module_is_malformed() {
        assert_eq!(read(b"go 1.22\n"), Parsed::malformed());
        assert_eq!(read(b"module a\nrequire b\n").malformed_parts, 1);
    }
}
