//! Dependencies point inwards: programs → adapters → core, adapters → scanner; in core pipeline → ports → scan → vocabulary.

mod manifests;

use super::Violation;
use crate::source::{PathUse, Source};
use crate::tree::Tree;

const CORE: &str = "crates/core/src/";
const ADAPTERS: &str = "crates/adapters/src/";
const BINS: &str = "crates/bins/src/";

/// What adapters are for: none knows another.
const TECHNOLOGIES: [&str; 4] = ["aws", "clair", "embedded", "oci"];

/// The layers inside core, innermost first: a layer names itself and those before it. `testkit` stands outside of all.
const CORE_LAYERS: [&str; 4] = ["vocabulary", "scan", "ports", "pipeline"];

/// What core and the scanner do not reach for, by how the path begins.
const OUTSIDE_WORLD: [&[&str]; 6] =
    [&["std", "env"], &["std", "fs"], &["std", "net"], &["std", "process"], &["std", "thread"], &["tokio"]];

/// Calls that core does not make, by how the path ends: time comes in through a port.
const WALL_CLOCK: [&[&str]; 2] = [&["SystemTime", "now"], &["Instant", "now"]];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = manifests::check(tree);
    for (path, source) in tree.sources() {
        if let Some(inside) = path.strip_prefix(CORE) {
            found.extend(core_layers(path, inside, source));
            found.extend(outside_world(path, source));
        } else if let Some(inside) = path.strip_prefix(ADAPTERS) {
            found.extend(technologies(path, inside, source));
            found.extend(environment(path, source));
        } else if let Some(inside) = path.strip_prefix(BINS) {
            found.extend(programs(path, inside, source));
        } else if path.starts_with("crates/scanner/src/") {
            found.extend(scanner(path, source));
        }
    }
    found
}

/// One violation for each path that `wrong` says something about.
fn paths(
    rule: &'static str,
    path: &str,
    source: &Source,
    wrong: impl Fn(&PathUse) -> Option<String>,
) -> Vec<Violation> {
    let found = source.paths.iter().filter_map(|used| {
        Some(Violation::new(rule, path, wrong(used)?).line(used.line).subject(used.spelt()))
    });
    found.collect()
}

fn core_layers(path: &str, inside: &str, source: &Source) -> Vec<Violation> {
    let layer = |name: &str| CORE_LAYERS.iter().position(|layer| *layer == name);
    let own_name = inside.split(['/', '.']).next().unwrap_or_default();
    let Some(own) = layer(own_name) else { return vec![] };
    paths("core-layers", path, source, |used| {
        let named = used.segments.get(1).filter(|_| used.begins(&["crate"]))?;
        let further = *named == "testkit" || layer(named).is_some_and(|named| named > own);
        further.then(|| format!("`{own_name}` names `{}`, which is further out", used.spelt()))
    })
}

fn outside_world(path: &str, source: &Source) -> Vec<Violation> {
    paths("core-world", path, source, |used| {
        let reaches = OUTSIDE_WORLD.iter().any(|start| used.begins(start));
        let ticks = WALL_CLOCK.iter().any(|end| used.ends(end));
        (reaches || ticks).then(|| format!("core does not use `{}`: ask for it through a port", used.spelt()))
    })
}

fn scanner(path: &str, source: &Source) -> Vec<Violation> {
    paths("scanner-world", path, source, |used| {
        let reaches = used.begins(&["std", "net"]) || used.begins(&["std", "env"]) || used.begins(&["tokio"]);
        reaches.then(|| format!("the scanner is a library without `{}`", used.spelt()))
    })
}

fn technologies(path: &str, inside: &str, source: &Source) -> Vec<Violation> {
    let own = inside.split(['/', '.']).next().unwrap_or_default();
    if !TECHNOLOGIES.contains(&own) {
        return vec![];
    }
    paths("technologies", path, source, |used| {
        let other = used.segments.get(1).filter(|_| used.begins(&["crate"]))?;
        let foreign = other != own && TECHNOLOGIES.contains(&other.as_str());
        foreign.then(|| format!("`{own}` names `{}`: technologies never import each other", used.spelt()))
    })
}

fn environment(path: &str, source: &Source) -> Vec<Violation> {
    const MESSAGE: &str = "only the configuration reads the environment";
    let variables = ["var", "var_os", "vars", "vars_os"];
    let mut found = paths("environment", path, source, |used| {
        let read = variables.iter().any(|call| used.ends(&["env", call]));
        read.then(|| MESSAGE.to_owned())
    });
    let options = source.environment_options.iter();
    found.extend(options.map(|line| Violation::new("environment", path, MESSAGE).line(*line)));
    found
}

fn programs(path: &str, inside: &str, source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    if !inside.starts_with("config") {
        found.extend(environment(path, source));
    }
    let names = |start: &[&str]| source.paths.iter().find(|used| used.begins(start));
    let port = names(&["cve_monitor_core", "ports"]);
    let adapter = names(&["cve_monitor_adapters"]);
    if let (Some(_), Some(adapter), false) = (port, adapter, inside.starts_with("wiring")) {
        let message = format!("names a port and `{}`: only `wiring` names both", adapter.spelt());
        found.push(Violation::new("wiring", path, message).line(adapter.line));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Tree::of(&[(path, text)])).iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn core_points_inwards_only() {
        assert!(
            rules("crates/core/src/ports/queue.rs", "use crate::scan::Due; use crate::vocabulary::Tag;")
                .is_empty()
        );
        assert_eq!(rules("crates/core/src/scan/event.rs", "use crate::ports::Cursor;"), ["core-layers"]);
        assert_eq!(
            rules("crates/core/src/scan/event.rs", "use super::super::ports::Cursor;"),
            ["core-layers"]
        );
        assert_eq!(rules("crates/core/src/vocabulary.rs", "use crate::{testkit::Model};"), ["core-layers"]);
        assert!(rules("crates/core/src/testkit/clock.rs", "use crate::pipeline::Ingest;").is_empty());
    }

    #[test]
    fn core_reaches_the_world_through_ports() {
        for text in [
            "use std::env;",
            "fn f() { std::fs::read(p); }",
            "use std::{sync::Arc, thread::spawn};",
            "fn f() { tokio::spawn(g()); }",
        ] {
            assert_eq!(rules("crates/core/src/pipeline.rs", text), ["core-world"], "{text}");
        }
        assert_eq!(
            rules("crates/core/src/pipeline.rs", "use std::time::Instant; fn f() { Instant::now(); }"),
            ["core-world"]
        );
        assert!(
            rules("crates/core/src/pipeline.rs", "use std::time::Duration; /// std::env\nfn f() {}")
                .is_empty()
        );
    }

    #[test]
    fn the_scanner_has_no_network_and_no_environment() {
        assert_eq!(rules("crates/scanner/src/a.rs", "use std::net::TcpStream;"), ["scanner-world"]);
        assert!(rules("crates/scanner/src/a.rs", "use std::fs::File;").is_empty());
    }

    #[test]
    fn technologies_do_not_know_each_other() {
        assert_eq!(
            rules("crates/adapters/src/oci/http.rs", "use crate::embedded::Sqlite;"),
            ["technologies"]
        );
        assert_eq!(rules("crates/adapters/src/oci.rs", "fn f() { crate::clair::x(); }"), ["technologies"]);
        assert!(
            rules("crates/adapters/src/oci/http.rs", "use super::wire::Token; use crate::oci::X;").is_empty()
        );
    }

    #[test]
    fn only_the_configuration_reads_the_environment() {
        let text = "fn f() { std::env::var(\"A\"); }";
        assert_eq!(rules("crates/bins/src/runtime.rs", text), ["environment"]);
        assert_eq!(
            rules("crates/adapters/src/oci/auth.rs", "use std::env; fn f() { env::var_os(\"A\"); }"),
            ["environment"]
        );
        let option = "struct A { #[arg(long, env = \"A\")] a: String, #[arg(long)] env: String }";
        assert_eq!(rules("crates/bins/src/cli.rs", option), ["environment"]);
        assert!(rules("crates/bins/src/config.rs", text).is_empty());
        assert!(rules("crates/bins/src/config/file.rs", text).is_empty());
    }

    #[test]
    fn only_the_wiring_names_a_port_and_an_adapter() {
        let text = "use cve_monitor_core::ports::Queue; use cve_monitor_adapters::embedded::SqliteQueue;";
        assert_eq!(rules("crates/bins/src/runtime.rs", text), ["wiring"]);
        assert!(rules("crates/bins/src/wiring.rs", text).is_empty());
        assert!(rules("crates/bins/src/wiring/registries.rs", text).is_empty());
        assert!(rules("crates/bins/src/runtime.rs", "use cve_monitor_core::ports::Queue;").is_empty());
    }
}
