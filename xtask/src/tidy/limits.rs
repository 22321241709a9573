//! `docs/limits.md` lists every bound in the code: its name, its value, what it bounds. Each says so in words, and is named by a
//! test that may mean it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Violation;
use crate::tree::Tree;

const PAGE: &str = "docs/limits.md";
const HEAD: &str = "# Bounds

Everything that comes from outside ends somewhere: bodies, pages, entries, names, what unpacks, how deep it nests, how often something is
tried. Each bound is a constant in the code; what is beyond one is an error or a reason in the report, never silence. Each is named by a
test, most at its edge and one past it; where that would take gigabytes, the test sets a smaller one, and holds that the constant is
what is set otherwise.

This page is written by `cargo xtask limits`. `cargo xtask tidy` fails where a bound has no words or no test.
";

/// A bound.
#[derive(Debug, PartialEq, Eq)]
struct Bound {
    name: String,
    value: String,
    what: String,
    /// From where it can be named: everywhere, in its crate, or beside its file.
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Everywhere,
    Crate,
    Folder,
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let tests = tests(tree);
    let mut found: Vec<Violation> =
        code(tree).flat_map(|(path, bound)| lacks(path, &bound, &tests)).collect();
    if tree.text(PAGE) != Some(page(tree).as_str()) {
        found.push(Violation::new("limits", PAGE, "is not what the code says: run `cargo xtask limits`"));
    }
    found
}

/// What a bound has not that each has to have.
fn lacks(path: &str, bound: &Bound, tests: &[(&str, &str)]) -> Vec<Violation> {
    let of = |message: String| Violation::new("limits", path, message).subject(bound.name.as_str());
    let mut found = vec![];
    if bound.what.is_empty() {
        found.push(of(format!("`{}` has no words: say what it bounds, in which unit, and why", bound.name)));
    }
    let is_named = |(test, text): &(&str, &str)| bound.reach.has(path, test) && names(text, &bound.name);
    if !tests.iter().any(is_named) {
        found.push(of(format!("no test names `{}`: hold it at its edge and one past it", bound.name)));
    }
    found
}

impl Reach {
    /// By how a constant is declared.
    fn of(declared: &str) -> Self {
        match declared.trim() {
            "pub" => Self::Everywhere,
            "pub(super)" | "" => Self::Folder,
            _ => Self::Crate,
        }
    }

    /// Whether a test can name what is declared in a file. Many bounds have one name: a test elsewhere means another.
    fn has(self, path: &str, test: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Crate => path.split('/').take(2).eq(test.split('/').take(2)),
            Self::Folder => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let rest = test.strip_prefix(folder);
                rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
            }
        }
    }
}

/// Writes the page.
pub(crate) fn write(root: &Path) -> Result<bool, String> {
    let page = page(&Tree::read(root)?);
    std::fs::write(root.join(PAGE), page).map_err(|error| format!("{PAGE} cannot be written: {error}"))?;
    println!("{PAGE}");
    Ok(true)
}

fn page(tree: &Tree) -> String {
    let mut page = HEAD.to_owned();
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, Bound { name, value, what, .. }) in code(tree) {
        let file = path.trim_start_matches("crates/").replacen("/src/", "/", 1);
        let row = format!("| `{name}` | {value} | {what} | `{file}` |");
        folders.entry(path.split('/').nth(1).unwrap_or_default()).or_default().push(row);
    }
    for (folder, rows) in folders {
        // Writing to a text cannot fail.
        let _ = write!(
            page,
            "\n## {folder}\n\n| bound | value | what | where |\n|---|---|---|---|\n{}\n",
            rows.join("\n")
        );
    }
    page
}

/// Every bound, with the file that declares it.
fn code(tree: &Tree) -> impl Iterator<Item = (&str, Bound)> {
    let is_code = |path: &str| path.starts_with("crates/") && !is_test(path) && !path.contains("/testkit/");
    let files = tree.texts().filter(move |(path, _)| path.ends_with(".rs") && is_code(path));
    files.flat_map(|(path, text)| bounds(split(text).0).into_iter().map(move |bound| (path, bound)))
}

/// What is test in each file.
fn tests(tree: &Tree) -> Vec<(&str, &str)> {
    let files = tree.texts().filter(|(path, _)| path.ends_with(".rs"));
    let of_ours = files.filter(|(path, _)| path.starts_with("crates/") || path.starts_with("tests/"));
    of_ours.map(|(path, text)| (path, if is_test(path) { text } else { split(text).1 })).collect()
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The code of a file, and its tests.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()))
}

/// Whether a text has a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.match_indices(name).any(|(at, _)| {
        let (before, behind) =
            (text.as_bytes().get(at.wrapping_sub(1)), text.as_bytes().get(at + name.len()));
        !before.is_some_and(|byte| is_part(*byte)) && !behind.is_some_and(|byte| is_part(*byte))
    })
}

fn bounds(code: &str) -> Vec<Bound> {
    let (mut found, mut what) = (vec![], vec![]);
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("///") {
            what.push(text.trim());
            continue;
        }
        let (before, rest) = line.split_once("const ").unwrap_or_default();
        let mut declared = rest.to_owned();
        let name = declared.split(':').next().unwrap_or_default().to_owned();
        if is_bound(&name) {
            while !declared.ends_with(';') {
                let Some(more) = lines.next() else { break };
                declared = format!("{declared} {}", more.trim());
            }
            let what = std::mem::take(&mut what).join(" ");
            let value = declared.split_once("= ").map_or("", |(_, value)| value.trim_end_matches(';'));
            let (value, what) = (readable(value, &what), what.replace('|', "\\|"));
            found.push(Bound { name, value, what, reach: Reach::of(before) });
        }
        what.clear();
    }
    found
}

fn is_bound(name: &str) -> bool {
    let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_name && (name.starts_with("MAX_") || name.starts_with("DEFAULT_MAX_") || name.ends_with("_MAX"))
}

/// Bytes in the largest unit that fits; everything else as it is written.
fn readable(value: &str, what: &str) -> String {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let product = || value.split('*').try_fold(1_u64, |all, factor| all.checked_mul(number(factor)?));
    let shifted = || {
        let (left, right) = value.split_once("<<")?;
        number(left)?.checked_shl(u32::try_from(number(right)?).ok()?)
    };
    let Some(count) = shifted().or_else(product) else { return format!("`{value}`") };
    let unit = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")].into_iter().find(|(bytes, _)| {
        what.to_lowercase().contains("byte") && count >= *bytes && count.is_multiple_of(*bytes)
    });
    unit.map_or_else(|| count.to_string(), |(bytes, name)| format!("{} {name}", count / bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_with_their_words_and_units() {
        let code = "/// Bytes of a thing,\n/// or | two.\npub const MAX_THING: usize = 4 * 1024 * 1024;\n\nconst OTHER: u8 = 1;\n\
                    const TRIES_MAX: Range<u32> =\n    1..=2;\n";
        let bound = |name: &str, value: &str, what: &str, reach| Bound {
            name: name.to_owned(),
            value: value.to_owned(),
            what: what.to_owned(),
            reach,
        };
        let expected = [
            bound("MAX_THING", "4 MiB", "Bytes of a thing, or \\| two.", Reach::Everywhere),
            bound("TRIES_MAX", "`1..=2`", "", Reach::Folder),
        ];
        assert_eq!(bounds(code), expected);
        assert_eq!(readable("64 << 10", "bytes"), "64 KiB");
        assert_eq!(readable("65_536", "members"), "65536");
    }

    fn messages(file: &str, code: &str, test: (&str, &str)) -> Vec<String> {
        let tree = Tree::of(&[(file, code), test]);
        let found = check(&tree).into_iter().filter(|violation| violation.path != PAGE);
        found.map(|violation| violation.message).collect()
    }

    #[test]
    fn a_bound_has_words_and_a_test_that_may_mean_it() {
        let file = "crates/a/src/b/c.rs";
        let bound = |reach: &str| format!("/// Bytes.\n{reach}const MAX_X: usize = 1;\n");
        let names = "let it = f(MAX_X);";
        for (reach, test, is_told) in [
            ("", "crates/a/src/b/tests.rs", false),
            ("", "crates/a/src/b/c/d/tests.rs", false),
            ("", "crates/a/src/bb/tests.rs", true),
            ("pub(super) ", "crates/a/src/other/tests.rs", true),
            ("pub(crate) ", "crates/a/src/other/tests.rs", false),
            ("pub(crate) ", "crates/ab/src/other/tests.rs", true),
            ("pub ", "tests/wire/x.rs", false),
        ] {
            let found = messages(file, &bound(reach), (test, names));
            assert_eq!(!found.is_empty(), is_told, "{reach} {test}: {found:?}");
        }
        let found = messages(file, "const MAX_X: usize = 1;\n", ("tests/x.rs", names));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("has no words") && found[1].contains("no test names `MAX_X`"), "{found:?}");
    }

    #[test]
    fn a_test_names_a_bound_by_the_whole_word() {
        assert!(names("x(MAX_A + 1)", "MAX_A"));
        assert!(names("MAX_A", "MAX_A"));
        assert!(!names("MAX_AB DEFAULT_MAX_A", "MAX_A"));
    }
}
