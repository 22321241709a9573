//! Files, functions, folders and `main`s are small.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::source::Source;
use crate::tree::Tree;

/// Lines of a port: trait, value types, error.
const MAX_PORT_LINES: usize = 150;
/// Lines of any other file.
const MAX_FILE_LINES: usize = 300;
/// Lines of a file of tests.
const MAX_TEST_FILE_LINES: usize = 500;
/// Lines of a function, signature included.
const MAX_FUNCTION_LINES: usize = 70;
/// Lines of the `main` of a program that we ship.
const MAX_MAIN_LINES: usize = 25;
/// Modules in a folder of sources: `a.rs` and `a/` are one.
const MAX_FOLDER_ENTRIES: usize = 10;

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, source) in tree.sources() {
        found.extend(file(path, tree.text(path).unwrap_or_default()));
        found.extend(functions(path, source));
    }
    found.extend(folders(tree));
    found
}

fn file(path: &str, text: &str) -> Option<Violation> {
    let lines = text.lines().count();
    let (kind, most) = if path.starts_with("crates/core/src/ports/") {
        ("a port", MAX_PORT_LINES)
    } else if is_test(path) {
        ("a file of tests", MAX_TEST_FILE_LINES)
    } else {
        ("a file", MAX_FILE_LINES)
    };
    let message = format!("{lines} lines; {kind} has at most {most}: split it");
    (lines > most).then(|| Violation::new("file-lines", path, message).measure(lines))
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.starts_with("tests/") || path.contains("/tests/")
}

fn functions(path: &str, source: &Source) -> Vec<Violation> {
    let program = path.starts_with("crates/bins/src/bin/") || path == "crates/bins/src/main.rs";
    let long = source.functions.iter().filter_map(|function| {
        let name = &function.name;
        let (rule, most) = if program && name == "main" {
            ("main-lines", MAX_MAIN_LINES)
        } else {
            ("function-lines", MAX_FUNCTION_LINES)
        };
        let message = format!("`{name}` has {} lines, at most {most} are allowed", function.lines);
        let violation = Violation::new(rule, path, message).line(function.line);
        (function.lines > most).then(|| violation.subject(name).measure(function.lines))
    });
    long.collect()
}

fn folders(tree: &Tree) -> Vec<Violation> {
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, _) in tree.sources() {
        let mut rest = path;
        while let Some((folder, entry)) = rest.rsplit_once('/') {
            if folder.ends_with("/src") || folder.contains("/src/") {
                entries.entry(folder).or_default().insert(entry.trim_end_matches(".rs"));
            }
            rest = folder;
        }
    }
    let crowded = entries.into_iter().filter(|(_, entries)| entries.len() > MAX_FOLDER_ENTRIES);
    let crowded = crowded.map(|(folder, entries)| {
        let message =
            format!("{} entries, at most {MAX_FOLDER_ENTRIES} are allowed: group them", entries.len());
        Violation::new("folder-entries", folder, message).measure(entries.len())
    });
    crowded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Tree::of(&[(path, text)])).iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn each_kind_of_file_has_its_bound() {
        for (path, most) in [
            ("crates/core/src/ports/queue.rs", MAX_PORT_LINES),
            ("crates/core/src/scan/decide.rs", MAX_FILE_LINES),
            ("crates/scanner/src/layer/tests.rs", MAX_TEST_FILE_LINES),
            ("tests/scenarios/push.rs", MAX_TEST_FILE_LINES),
        ] {
            assert!(rules(path, &"//\n".repeat(most)).is_empty(), "{path}");
            assert_eq!(rules(path, &"//\n".repeat(most + 1)), ["file-lines"], "{path}");
        }
    }

    #[test]
    fn a_function_has_at_most_seventy_lines() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "//\n".repeat(lines - 2));
        assert!(rules("xtask/src/a.rs", &function(MAX_FUNCTION_LINES)).is_empty());
        assert_eq!(rules("xtask/src/a.rs", &function(MAX_FUNCTION_LINES + 1)), ["function-lines"]);
    }

    #[test]
    fn the_main_of_a_program_is_shorter() {
        let main = format!("fn main() {{\n{}}}\n", "//\n".repeat(MAX_MAIN_LINES - 1));
        assert_eq!(rules("crates/bins/src/bin/ingest.rs", &main), ["main-lines"]);
        assert!(rules("xtask/src/main.rs", &main).is_empty());
    }

    #[test]
    fn a_module_and_its_folder_are_one_entry() {
        let mut files: Vec<String> =
            (0..MAX_FOLDER_ENTRIES).map(|n| format!("crates/a/src/b/m{n}.rs")).collect();
        files.push("crates/a/src/b/m0/inner.rs".to_owned());
        let tree =
            |files: &[String]| Tree::of(&files.iter().map(|path| (path.as_str(), "")).collect::<Vec<_>>());
        assert!(check(&tree(&files)).is_empty());
        files.push("crates/a/src/b/one_more.rs".to_owned());
        let found = check(&tree(&files));
        assert_eq!(
            found.iter().map(|v| (v.rule, v.path.as_str())).collect::<Vec<_>>(),
            [("folder-entries", "crates/a/src/b")]
        );
    }
}
