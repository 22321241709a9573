//! Every law in a port's documentation has a check of its number in the port's conformance suite, and the reverse.

use std::collections::BTreeSet;

use super::Violation;
use crate::tree::Tree;

const PORTS: &str = "crates/core/src/ports/";
const SUITES: &str = "crates/core/src/testkit/laws/";

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in tree.under(PORTS).filter(|path| path.ends_with(".rs")) {
        let name = path[PORTS.len()..].trim_end_matches(".rs");
        let stated = stated(tree.text(path).unwrap_or_default());
        let (checked, suite) = checked(tree, name);
        for law in stated.difference(&checked) {
            let message = format!("law {law} has no check in {suite}");
            found.push(Violation::new("laws", path, message).subject(law));
        }
        for law in checked.difference(&stated) {
            let message = format!("checks {law}, which {path} does not state");
            found.push(Violation::new("laws", &suite, message).subject(law));
        }
        if stated.is_empty() {
            found.push(Violation::new("laws", path, "a port states its laws: `/// * **X1** …`"));
        }
    }
    found
}

/// Ids of the form `* **Q1**` in documentation.
fn stated(text: &str) -> BTreeSet<String> {
    let marked = text.lines().filter_map(|line| {
        let law = line.trim_start().strip_prefix("/// * **")?;
        Some(law.split_once("**")?.0.to_owned())
    });
    marked.filter(|id| is_id(id)).collect()
}

/// Ids in the string literals of a port's suite: its file, and the files of its folder.
fn checked(tree: &Tree, port: &str) -> (BTreeSet<String>, String) {
    let suite = format!("{SUITES}{port}.rs");
    let folder = format!("{SUITES}{port}/");
    let files = std::iter::once(suite.as_str()).chain(tree.under(&folder));
    let literals = files.filter_map(|path| tree.source(path)).flat_map(|source| &source.literals);
    let ids = literals.filter(|literal| is_id(&literal.text)).map(|literal| literal.text.clone()).collect();
    (ids, suite)
}

/// A capital and a number.
fn is_id(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c.is_ascii_uppercase())
        && text.len() > 1
        && characters.all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(suite: &str) -> Vec<String> {
        let port = "//! Q.\n/// # Laws\n/// * **Q1** One.\n/// * **Q2** Two.\n";
        let tree = Tree::of(&[
            ("crates/core/src/ports/queue.rs", port),
            ("crates/core/src/testkit/laws/queue.rs", suite),
        ]);
        check(&tree).into_iter().map(|violation| violation.subject).collect()
    }

    #[test]
    fn laws_and_checks_agree() {
        assert!(subjects("const A: [&str; 2] = [\"Q1\", \"Q2\"];").is_empty());
    }

    #[test]
    fn a_law_without_a_check_and_a_check_without_a_law_are_found() {
        assert_eq!(subjects("/// \"Q2\"\nconst A: [&str; 2] = [\"Q1\", \"Q3\"];"), ["Q2", "Q3"]);
    }

    #[test]
    fn a_port_without_laws_is_found() {
        let tree = Tree::of(&[("crates/core/src/ports/clock.rs", "//! Clock.")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
