//! Evidence of kinds that are not read yet: a look at an image that has such files is partial.

use super::kind::PackageKind;
use super::record::UnreadEvidence;
use crate::layer::path::{file_name, parent};

/// Paths of one kind that a layer's record lists; the others are counted.
pub(crate) const MAX_EVIDENCE_PATHS: usize = 256;

/// The kind that a file's path is evidence of.
pub(crate) fn kind_of_path(path: &str) -> Option<PackageKind> {
    let name = file_name(path);
    if path == "var/lib/chisel/manifest.wall" {
        return Some(PackageKind::Chisel);
    }
    if name == "desc" && path.starts_with("var/lib/pacman/local/") {
        return Some(PackageKind::Alpm);
    }
    // Packages of conda, Python's and what they need, and of yarn where it keeps them packed.
    if name.ends_with(".json") && file_name(parent(path)) == "conda-meta" {
        return Some(PackageKind::Pypi);
    }
    if name == ".pnp.cjs" || (name.ends_with(".zip") && parent(path).ends_with(".yarn/cache")) {
        return Some(PackageKind::Npm);
    }
    None
}

/// Brings a path to the spelling of merged-`/usr` systems, since dpkg's lists keep the old one.
pub(crate) fn merge_usr(path: &str) -> String {
    match path.split('/').next() {
        Some("bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32") if path.contains('/') => {
            format!("usr/{path}")
        }
        _ => path.to_owned(),
    }
}

/// Groups evidence by kind; beyond the limit, files are counted under the directory that they share.
pub(crate) fn group(mut found: Vec<(PackageKind, String)>) -> Vec<UnreadEvidence> {
    found.sort();
    found.dedup();
    let mut groups: Vec<UnreadEvidence> = Vec::new();
    for (kind, path) in found {
        match groups.last_mut() {
            Some(group) if group.kind == kind => {
                if group.paths.len() < MAX_EVIDENCE_PATHS {
                    group.paths.push(path);
                    continue;
                }
                group.more_under = match group.more {
                    0 => parent(&path).to_owned(),
                    _ => shared_directory(&group.more_under, parent(&path)).to_owned(),
                };
                group.more += 1;
            }
            _ => groups.push(UnreadEvidence { kind, paths: vec![path], more: 0, more_under: String::new() }),
        }
    }
    groups
}

fn shared_directory<'a>(left: &'a str, right: &str) -> &'a str {
    let mut end = 0;
    let mut length = 0;
    for (ours, theirs) in left.split('/').zip(right.split('/')) {
        if ours != theirs {
            break;
        }
        length += ours.len();
        end = length;
        length += 1;
    }
    &left[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_speak_for_their_kind() {
        for (path, kind) in [
            ("opt/Packages", None),
            ("var/lib/chisel/manifest.wall", Some(PackageKind::Chisel)),
            ("var/lib/pacman/local/bash-5/desc", Some(PackageKind::Alpm)),
            ("opt/conda/conda-meta/openssl-3.0.13-h1.json", Some(PackageKind::Pypi)),
            ("opt/conda/conda-meta/history", None),
            ("opt/my-conda-meta/x.json", None),
            ("app/.pnp.cjs", Some(PackageKind::Npm)),
            ("app/.yarn/cache/lodash-npm-4.17.20-0-8.zip", Some(PackageKind::Npm)),
            ("app/cache/x.zip", None),
        ] {
            assert_eq!(kind_of_path(path), kind, "{path}");
        }
    }

    #[test]
    fn paths_are_capped_at_the_limit_and_the_rest_counted_where_it_lies() {
        let of = |count: usize| {
            group(
                (0..count)
                    .map(|n| (PackageKind::Npm, format!("app/node_modules/{n:05}/package.json")))
                    .collect(),
            )
        };
        let at = of(MAX_EVIDENCE_PATHS);
        assert_eq!((at[0].paths.len(), at[0].more), (MAX_EVIDENCE_PATHS, 0));
        let past = of(MAX_EVIDENCE_PATHS + 2);
        assert_eq!((past[0].paths.len(), past[0].more), (MAX_EVIDENCE_PATHS, 2));
        assert_eq!(past[0].more_under, "app/node_modules");
    }

    #[test]
    fn owned_paths_and_tar_paths_meet_in_one_spelling() {
        assert_eq!(merge_usr("lib/x/y.jar"), "usr/lib/x/y.jar");
        assert_eq!(merge_usr("usr/lib/x"), "usr/lib/x");
        assert_eq!(merge_usr("library/x"), "library/x");
    }
}
