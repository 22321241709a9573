//! Every package says its licence, all licences are ones that we accept, and no banned package comes in by a side door.

mod spdx;

use serde::Deserialize;

use super::Violation;
use crate::metadata::Metadata;
use crate::tree::Tree;

const POLICY: &str = "deny.toml";
const LOCK: &str = "Cargo.lock";
/// Where packages come from that are not of this workspace.
const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Packages outside of the workspace, with lints of their own.
const OUTSIDE: [&str; 2] = ["tests/fuzz/guided/", "tests/outside/"];

/// The parts of `deny.toml` that are checked here; cargo-deny reads the same file.
#[derive(Debug, Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    /// `name`, or `name@<1.2`.
    #[serde(rename = "crate")]
    package: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

pub(super) fn check(tree: &Tree, metadata: &Metadata) -> Vec<Violation> {
    let mut found = lints(tree);
    let policy = match tree.text(POLICY).map(toml::from_str::<Policy>) {
        Some(Ok(policy)) => policy,
        Some(Err(error)) => return vec![Violation::new("licences", POLICY, error.to_string())],
        None => return vec![Violation::new("licences", POLICY, "is missing")],
    };
    found.extend(licences(&policy.licenses, metadata));
    found.extend(bans(tree, &policy.bans));
    found
}

fn licences(policy: &Licences, metadata: &Metadata) -> Vec<Violation> {
    let wrong = metadata.packages.iter().filter_map(|package| {
        let named = format!("{} {}", package.name, package.version);
        let problem = match package.license.as_deref() {
            None => format!("{named} does not say its licence"),
            Some(licence) => match spdx::accepted(licence, &policy.allow) {
                Ok(true) => return None,
                Ok(false) => {
                    format!("{named} is under `{licence}`, which is not on the list of `licenses.allow`")
                }
                Err(problem) => format!("{named}: {problem}"),
            },
        };
        Some(Violation::new("licences", POLICY, problem).subject(&package.name))
    });
    wrong.collect()
}

fn bans(tree: &Tree, policy: &Bans) -> Vec<Violation> {
    let lock: Lock = match tree.text(LOCK).map(toml::from_str) {
        Some(Ok(lock)) => lock,
        Some(Err(error)) => return vec![Violation::new("bans", LOCK, error.to_string())],
        None => return vec![Violation::new("bans", LOCK, "is missing: commit it")],
    };
    let foreign = |package: &&Locked| package.source.as_deref().is_some_and(|from| from != PUBLIC_REGISTRY);
    let mut found: Vec<Violation> = lock
        .package
        .iter()
        .filter(foreign)
        .map(|package| {
            let message = format!("{} {} does not come from crates.io", package.name, package.version);
            Violation::new("bans", LOCK, message).subject(&package.name)
        })
        .collect();
    for ban in &policy.deny {
        let (name, below) =
            ban.package.split_once("@<").map_or((ban.package.as_str(), None), |(n, v)| (n, Some(v)));
        let banned = lock.package.iter().filter(|package| {
            package.name == name && below.is_none_or(|below| numbers(&package.version) < numbers(below))
        });
        found.extend(banned.map(|package| {
            let message = format!("{name} {} is banned: {}", package.version, ban.reason);
            Violation::new("bans", LOCK, message).subject(name)
        }));
    }
    found
}

/// `1.2.3-rc.1` is 1, 2, 3.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    release.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Every package takes the lints of the workspace, and those forbid unsafe code.
fn lints(tree: &Tree) -> Vec<Violation> {
    let table =
        |path: &str| tree.text(path).and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
    let value = |table: &toml::Table, path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key)).cloned()
    };
    let mut found = Vec::new();
    let unsafe_code = value(&table("Cargo.toml"), &["workspace", "lints", "rust", "unsafe_code"]);
    if unsafe_code.as_ref().and_then(|level| level.as_str()) != Some("forbid") {
        found.push(Violation::new(
            "lints",
            "Cargo.toml",
            "`workspace.lints.rust.unsafe_code` must be `forbid`",
        ));
    }
    let manifests =
        tree.texts().filter(|(path, _)| path.ends_with("/Cargo.toml") && !path.contains("/fixtures/"));
    for (path, _) in manifests.filter(|(path, _)| !OUTSIDE.iter().any(|folder| path.starts_with(folder))) {
        let manifest = table(path);
        if value(&manifest, &["lints", "workspace"]).and_then(|set| set.as_bool()) != Some(true) {
            found.push(Violation::new("lints", path, "`[lints] workspace = true` is missing"));
        }
        if value(&manifest, &["package", "license", "workspace"]).and_then(|set| set.as_bool()) != Some(true)
        {
            found.push(Violation::new("licences", path, "`license.workspace = true` is missing"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;

    const POLICY_TEXT: &str = "[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [{ crate = \"hyper@<1\", reason = \"r\" }, { crate = \"openssl-sys\", reason = \"r\" }]";
    const WORKSPACE: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\"";

    fn subjects(lock: &str, packages: &[(&str, Option<&str>)]) -> Vec<String> {
        let tree = Tree::of(&[("Cargo.toml", WORKSPACE), (POLICY, POLICY_TEXT), (LOCK, lock)]);
        let packages = packages.iter().map(|(name, licence)| Package::named(name, *licence)).collect();
        let metadata = Metadata::of(packages);
        check(&tree, &metadata).into_iter().map(|violation| violation.subject).collect()
    }

    #[test]
    fn licences_off_the_list_and_missing_ones_are_found() {
        let packages = [("a", Some("MIT OR GPL-3.0")), ("b", Some("GPL-3.0")), ("c", None)];
        assert_eq!(subjects("", &packages), ["b", "c"]);
    }

    #[test]
    fn banned_packages_are_found_below_their_version_only() {
        let lock = |version: &str| format!("[[package]]\nname = \"hyper\"\nversion = \"{version}\"");
        assert_eq!(subjects(&lock("0.14.30"), &[]), ["hyper"]);
        assert!(subjects(&lock("1.0.0"), &[]).is_empty());
        assert_eq!(
            subjects("[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.1\"", &[]),
            ["openssl-sys"]
        );
    }

    #[test]
    fn packages_from_elsewhere_are_found() {
        let lock =
            |source: &str| format!("[[package]]\nname = \"p\"\nversion = \"1.0.0\"\nsource = \"{source}\"");
        assert_eq!(subjects(&lock("git+https://a.example/p"), &[]), ["p"]);
        assert_eq!(subjects(&lock("registry+https://b.example/index"), &[]), ["p"]);
        assert!(subjects(&lock(PUBLIC_REGISTRY), &[]).is_empty());
    }

    #[test]
    fn a_package_without_the_lints_of_the_workspace_is_found() {
        let tree =
            Tree::of(&[("Cargo.toml", ""), ("crates/a/Cargo.toml", "[package]\nlicense.workspace = true")]);
        let found = lints(&tree);
        assert_eq!(
            found.iter().map(|v| v.path.as_str()).collect::<Vec<_>>(),
            ["Cargo.toml", "crates/a/Cargo.toml"]
        );
    }
}
