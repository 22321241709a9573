//! What the packages say that they depend on.

use toml::Table;

use super::super::Violation;
use crate::tree::Tree;

/// All that core may depend on. A new one needs a reason in review, and stands here.
const CORE_ALLOWED: [&str; 12] = [
    "async-trait",
    "bytes",
    "futures",
    "memchr",
    "mockall",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "time",
    "tracing",
    "wildmatch",
];

/// What opens sockets, or brings a runtime that does.
const NETWORK: [&str; 12] = [
    "async-std",
    "axum",
    "curl",
    "hyper",
    "hyper-util",
    "isahc",
    "quinn",
    "reqwest",
    "rustls",
    "tokio",
    "tonic",
    "ureq",
];

/// Who may depend on whom inside the workspace, apart from tests.
const DIRECTIONS: [(&str, &[&str]); 4] = [
    ("core", &[]),
    ("scanner", &[]),
    ("adapters", &["cve-monitor-core", "cve-monitor-scanner"]),
    ("bins", &["cve-monitor-core", "cve-monitor-scanner", "cve-monitor-adapters"]),
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, inwards) in DIRECTIONS {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(manifest) = tree.text(&path).and_then(|text| text.parse::<Table>().ok()) else { continue };
        for dependency in dependencies(&manifest) {
            let wrong = match (name, dependency.as_str()) {
                (_, own) if own.starts_with("cve-monitor-") => {
                    (!inwards.contains(&own)).then_some("it stands further out")
                }
                ("core", other) if !CORE_ALLOWED.contains(&other) => {
                    Some("it is not on core's list of allowed dependencies")
                }
                ("scanner", other) if NETWORK.contains(&other) => Some("the scanner has no network"),
                _ => None,
            };
            found.extend(wrong.map(|wrong| {
                Violation::new("dependencies", &path, format!("`{dependency}`: {wrong}")).subject(&dependency)
            }));
        }
    }
    found
}

/// Normal and build dependencies, for every target, by the name of their package.
fn dependencies(manifest: &Table) -> Vec<String> {
    let sections = |table: &Table| -> Vec<Table> {
        let kinds = ["dependencies", "build-dependencies"];
        kinds.iter().filter_map(|kind| table.get(*kind)?.as_table().cloned()).collect()
    };
    let targets = manifest.get("target").and_then(|target| target.as_table());
    let by_target =
        targets.into_iter().flat_map(|targets| targets.values().filter_map(|target| target.as_table()));
    let all = sections(manifest).into_iter().chain(by_target.flat_map(sections));
    all.flat_map(|section| section.into_iter().map(|(key, value)| named(key, &value)).collect::<Vec<_>>())
        .collect()
}

fn named(key: String, value: &toml::Value) -> String {
    value.get("package").and_then(|package| package.as_str()).map_or(key, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|violation| violation.subject).collect()
    }

    #[test]
    fn core_depends_on_its_list_alone() {
        let text =
            "[dependencies]\nserde.workspace = true\nrand = \"1\"\n[dev-dependencies]\nproptest = \"1\"";
        assert_eq!(subjects("crates/core/Cargo.toml", text), ["rand"]);
    }

    #[test]
    fn a_renamed_package_and_a_target_of_its_own_hide_nothing() {
        let text = "[dependencies]\nserde = { package = \"rand\", version = \"1\" }\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"";
        assert_eq!(subjects("crates/core/Cargo.toml", text), ["rand", "libc"]);
    }

    #[test]
    fn the_scanner_depends_on_no_network() {
        let text = "[dependencies]\nrusqlite = \"0\"\nreqwest = \"0\"\ncve-monitor-core.workspace = true";
        assert_eq!(subjects("crates/scanner/Cargo.toml", text), ["cve-monitor-core", "reqwest"]);
    }

    #[test]
    fn adapters_do_not_depend_on_programs() {
        let text = "[dependencies]\ncve-monitor-core = \"0\"\ncve-monitor-bins = \"0\"";
        assert_eq!(subjects("crates/adapters/Cargo.toml", text), ["cve-monitor-bins"]);
    }
}
