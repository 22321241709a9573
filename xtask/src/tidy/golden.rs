//! Every event and every head has a golden file: what was once stored is read for ever.

use super::Violation;
use crate::tree::Tree;

const GOLDEN: &str = "crates/core/tests/golden/";
/// Where a stored enum is declared, and the folder with a folder of golden files for each version.
const STORED: [(&str, &str, &str); 4] = [
    ("crates/core/src/scan/event.rs", "ImageEvent", "events"),
    ("crates/core/src/scan/event.rs", "FeedEvent", "events"),
    ("crates/core/src/scan/event.rs", "ReconcileEvent", "events"),
    ("crates/core/src/scan/stream.rs", "HeadState", "heads"),
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, type_name, folder) in STORED {
        let Some(source) = tree.source(path) else { continue };
        let Some(declaration) = source.declaration(type_name) else {
            found.push(Violation::new("golden", path, format!("`{type_name}` is no longer declared here")));
            continue;
        };
        for variant in &declaration.variants {
            let wanted = format!("/{variant}.json");
            let versions = format!("{GOLDEN}{folder}/v");
            if !tree.under(&versions).any(|file| file.ends_with(&wanted)) {
                let message = format!("`{variant}` has no golden file {GOLDEN}{folder}/v*{wanted}");
                found.push(Violation::new("golden", path, message).line(declaration.line).subject(variant));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(golden: &[&str]) -> Vec<String> {
        let events =
            "//! E.\nenum ImageEvent { A } enum FeedEvent { B { x: u8 } } enum ReconcileEvent { C(u8) }";
        let mut files = vec![("crates/core/src/scan/event.rs", events)];
        files.extend(golden.iter().map(|path| (*path, "")));
        check(&Tree::of(&files)).into_iter().map(|violation| violation.subject).collect()
    }

    #[test]
    fn an_event_without_a_golden_file_is_found() {
        let a = "crates/core/tests/golden/events/v1/A.json";
        assert_eq!(subjects(&[a, "crates/core/tests/golden/events/v1/B.least.json"]), ["B", "C"]);
    }

    #[test]
    fn a_golden_file_of_any_version_will_do() {
        let golden = ["events/v1/A.json", "events/v2/B.json", "events/v1/C.json"];
        let golden = golden.map(|path| format!("crates/core/tests/golden/{path}"));
        assert!(subjects(&golden.each_ref().map(String::as_str)).is_empty());
    }

    #[test]
    fn an_enum_that_went_elsewhere_is_found() {
        let tree = Tree::of(&[("crates/core/src/scan/stream.rs", "//! S.")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
