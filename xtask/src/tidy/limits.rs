//! `docs/limits.md` lists every bound in the code: its name, its value, what it bounds, and whether a test names it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Violation;
use crate::tree::Tree;

const PAGE: &str = "docs/limits.md";
const HEAD: &str = "# Bounds

Everything that comes from outside ends somewhere: bodies, pages, entries, names, what unpacks, how deep it nests, how often something is
tried. Each bound is a constant in the code; what is beyond one is an error or a reason in the report, never silence. *Tested* says
that a test names the constant; others are held by tests that set a smaller bound, or by what calls them.

This page is written by `cargo xtask limits`.
";

/// A bound.
#[derive(Debug, PartialEq, Eq)]
struct Bound {
    name: String,
    value: String,
    what: String,
}

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let message = "is not what the code says: run `cargo xtask limits`";
    let differs = tree.text(PAGE) != Some(page(tree).as_str());
    differs.then(|| Violation::new("limits", PAGE, message)).into_iter().collect()
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
    let sources = tree.texts().filter(|(path, _)| path.starts_with("crates/") && path.ends_with(".rs"));
    let (tests, code): (Vec<_>, Vec<_>) = sources.partition(|(path, _)| is_test(path));
    let named: Vec<&str> =
        tests.iter().map(|(_, text)| *text).chain(code.iter().map(|(_, text)| split(text).1)).collect();
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, text) in code.iter().filter(|(path, _)| !path.contains("/testkit/")) {
        for Bound { name, value, what } in bounds(split(text).0) {
            let tested = if named.iter().any(|test| names(test, &name)) { "yes" } else { "" };
            let file = path.trim_start_matches("crates/").replacen("/src/", "/", 1);
            let row = format!("| `{name}` | {value} | {what} | `{file}` | {tested} |");
            folders.entry(path.split('/').nth(1).unwrap_or_default()).or_default().push(row);
        }
    }
    for (folder, rows) in folders {
        // Writing to a text cannot fail.
        let _ = write!(
            page,
            "\n## {folder}\n\n| bound | value | what | where | tested |\n|---|---|---|---|---|\n{}\n",
            rows.join("\n")
        );
    }
    page
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
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
        let mut declared = line.split_once("const ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let name = declared.split(':').next().unwrap_or_default().to_owned();
        if is_bound(&name) {
            while !declared.ends_with(';') {
                let Some(more) = lines.next() else { break };
                declared = format!("{declared} {}", more.trim());
            }
            let what = std::mem::take(&mut what).join(" ");
            let value = declared.split_once("= ").map_or("", |(_, value)| value.trim_end_matches(';'));
            found.push(Bound { value: readable(value, &what), name, what: what.replace('|', "\\|") });
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
        let bound = |name: &str, value: &str, what: &str| Bound {
            name: name.to_owned(),
            value: value.to_owned(),
            what: what.to_owned(),
        };
        let expected =
            [bound("MAX_THING", "4 MiB", "Bytes of a thing, or \\| two."), bound("TRIES_MAX", "`1..=2`", "")];
        assert_eq!(bounds(code), expected);
        assert_eq!(readable("64 << 10", "bytes"), "64 KiB");
        assert_eq!(readable("65_536", "members"), "65536");
    }

    #[test]
    fn a_test_names_a_bound_by_the_whole_word() {
        assert!(names("x(MAX_A + 1)", "MAX_A"));
        assert!(names("MAX_A", "MAX_A"));
        assert!(!names("MAX_AB DEFAULT_MAX_A", "MAX_A"));
    }
}
