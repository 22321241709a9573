//! Every event has golden files: what was once stored is read for ever.

use super::Violation;
use crate::tree::Tree;

const EVENTS: &str = "crates/core/src/scan/event.rs";
const GOLDEN: &str = "crates/core/tests/golden";
/// The enums of events, and the folders of their golden files.
const STREAMS: [(&str, &str); 3] =
    [("ImageEvent", "image"), ("FeedEvent", "feed"), ("ReconcileEvent", "reconcile")];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(events) = tree.source(EVENTS) else { return vec![] };
    let mut found = Vec::new();
    for (type_name, folder) in STREAMS {
        let variants = events.declaration(type_name).map(|declaration| declaration.variants.as_slice());
        for variant in variants.unwrap_or_default() {
            for file in ["v1.json", "v1.expected.json"] {
                let path = format!("{GOLDEN}/{folder}/{variant}/{file}");
                if !tree.has(&path) {
                    let message = format!("`{variant}` has no golden file {path}");
                    found.push(Violation::new("golden", EVENTS, message).subject(variant));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_golden_files_is_found() {
        let tree = Tree::of(&[
            (EVENTS, "//! E.\nenum FeedEvent { A, B { x: u8 } }"),
            ("crates/core/tests/golden/feed/A/v1.json", ""),
            ("crates/core/tests/golden/feed/A/v1.expected.json", ""),
            ("crates/core/tests/golden/feed/B/v1.json", ""),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|violation| violation.message.ends_with("feed/B/v1.expected.json")));
    }
}
