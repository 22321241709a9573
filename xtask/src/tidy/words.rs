//! Every Rust file says first what it is; no file has a name, a word or an attribute that the house does not use.

use super::Violation;
use crate::source::Source;
use crate::tree::Tree;

/// Names that say nothing.
const EMPTY_NAMES: [&str; 5] = ["util", "utils", "common", "helpers", "manager"];
/// Ends of type names that say nothing.
const EMPTY_ENDS: [&str; 4] = ["Manager", "Impl", "Util", "Utils"];

pub(super) fn check(tree: &Tree, forbidden: &[String]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, source) in tree.sources() {
        found.extend(header(path, tree.text(path).unwrap_or_default()));
        found.extend(file_name(path));
        found.extend(type_names(path, source));
        found.extend(attributes(path, source));
    }
    for (path, text) in tree.texts().filter(|(path, _)| is_ours(path)) {
        found.extend(words(path, text, forbidden));
    }
    found
}

/// Prose, code and settings; not data, and not the list of the words itself.
fn is_ours(path: &str) -> bool {
    let ends = [".rs", ".md", ".toml", ".yml", ".yaml", ".tf", ".sh", ".json"];
    let data =
        path.contains("/fixtures/") || path.contains("/blobs/") || path.starts_with("examples/images/");
    !data
        && path != super::exceptions::FILE
        && (path == ".ci/run" || ends.iter().any(|end| path.ends_with(end)))
}

fn header(path: &str, text: &str) -> Option<Violation> {
    (!text.starts_with("//!"))
        .then(|| Violation::new("header", path, "begin with a `//!` line that says what it is"))
}

fn file_name(path: &str) -> Option<Violation> {
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    if name == "mod" {
        return Some(Violation::new(
            "names",
            path,
            "name it after its folder, beside it: `foo.rs` and `foo/`",
        ));
    }
    let empty = name.split('_').find(|part| EMPTY_NAMES.contains(part) || *part == "impl");
    empty.map(|part| Violation::new("names", path, format!("`{part}` says nothing: name what is in it")))
}

fn type_names(path: &str, source: &Source) -> Vec<Violation> {
    let empty = source.declarations.iter().filter_map(|declaration| {
        let name = &declaration.name;
        let end = EMPTY_ENDS.iter().find(|end| name.ends_with(*end))?;
        let message = format!("`{end}` in `{name}` says nothing: name what it does");
        Some(Violation::new("names", path, message).line(declaration.line).subject(name))
    });
    empty.collect()
}

fn attributes(path: &str, source: &Source) -> Vec<Violation> {
    let message = "write `#[expect(…, reason = \"…\")]`: it fails when it is no longer needed";
    source.allows.iter().map(|line| Violation::new("allow", path, message).line(*line)).collect()
}

fn words(path: &str, text: &str, forbidden: &[String]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        for word in forbidden.iter().filter(|word| contains(content, word)) {
            let message = format!("`{word}` does not belong in a file");
            found.push(Violation::new("words", path, message).line(line + 1).subject(word));
        }
    }
    found
}

/// Whether the word stands by itself: no letter, digit, dot or dash touches it.
fn contains(line: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joined_before = before.is_some_and(inner);
        let joined_after = word.ends_with(char::is_alphanumeric) && after.is_some_and(inner);
        !joined_before && !joined_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let forbidden = ["XYZ".to_owned(), "/srv/".to_owned(), "gadget!".to_owned()];
        check(&Tree::of(&[(path, text)]), &forbidden).iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_file_says_first_what_it_is() {
        assert_eq!(rules("a.rs", "use a::b;"), ["header"]);
        assert!(rules("a.rs", "//! A.\nuse a::b;").is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        for path in ["a/mod.rs", "a/util.rs", "a/string_helpers.rs", "a/common.rs", "a/queue_impl.rs"] {
            assert_eq!(rules(path, "//! A."), ["names"], "{path}");
        }
        assert_eq!(rules("a.rs", "//! A.\nstruct QueueManager; trait Implied {} enum E { Impl }"), ["names"]);
    }

    #[test]
    fn lints_are_expected_and_not_allowed() {
        assert_eq!(rules("a.rs", "//! A.\n#[allow(unused)]\nfn f() {}"), ["allow"]);
    }

    #[test]
    fn forbidden_words_are_found_by_themselves_only() {
        assert_eq!(rules("a.md", "an XYZ here, a /srv/thing, gadget!()"), ["words", "words", "words"]);
        assert!(rules("a.md", "CVE-2024-XYZ, XYZW, and /var/srv/ or ${X}/srv/").is_empty());
        assert!(rules("tests/fixtures/a.md", "XYZ").is_empty());
    }
}
