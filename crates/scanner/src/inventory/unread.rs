//! Evidence of kinds that are not read yet: a look at an image that has such files is partial.

use memchr::memmem::Finder;

use super::kind::PackageKind;
use super::record::UnreadEvidence;
use crate::layer::path::{file_name, parent};

/// Paths of one kind that a layer's record lists; the others are counted.
pub(crate) const MAX_EVIDENCE_PATHS: usize = 256;
/// What Go's linker writes in front of a binary's list of modules.
const GO_MARKER: &[u8] = b"\xff Go buildinf:";
/// The section in which `cargo auditable` lists a binary's crates.
const AUDITABLE_MARKER: &[u8] = b".dep-v0\0";

const RPM_FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
const RPM_FILES: [&str; 3] = ["Packages", "Packages.db", "rpmdb.sqlite"];
const ARCHIVES: [&str; 8] = [".jar", ".war", ".ear", ".par", ".sar", ".hpi", ".jpi", ".kar"];

/// The kind that a file's path is evidence of.
pub(crate) fn kind_of_path(path: &str) -> Option<PackageKind> {
    let name = file_name(path);
    let in_folder = |folder: &str| path.split('/').rev().skip(1).any(|part| part == folder);
    if RPM_FILES.contains(&name) && RPM_FOLDERS.contains(&parent(path)) {
        return Some(PackageKind::Rpm);
    }
    if matches!(path, "lib/apk/db/installed" | "usr/lib/apk/db/installed") {
        return Some(PackageKind::Apk);
    }
    if path == "var/lib/chisel/manifest.wall" {
        return Some(PackageKind::Chisel);
    }
    if name == "desc" && path.starts_with("var/lib/pacman/local/") {
        return Some(PackageKind::Alpm);
    }
    if is_python_metadata(path, name) {
        return Some(PackageKind::Pypi);
    }
    if name == "package.json" && in_folder("node_modules") {
        return Some(PackageKind::Npm);
    }
    if name == "installed.json" && file_name(parent(path)) == "composer" {
        return Some(PackageKind::Composer);
    }
    if name.ends_with(".gemspec") && in_folder("specifications") {
        return Some(PackageKind::Gem);
    }
    if name.ends_with(".deps.json") {
        return Some(PackageKind::Nuget);
    }
    let lower = name.to_ascii_lowercase();
    ARCHIVES.iter().any(|suffix| lower.ends_with(suffix)).then_some(PackageKind::Maven)
}

fn is_python_metadata(path: &str, name: &str) -> bool {
    let folder = file_name(parent(path));
    match name {
        "METADATA" => folder.ends_with(".dist-info") || folder.ends_with(".egg-info"),
        "PKG-INFO" => folder.ends_with(".egg-info") || folder == "EGG-INFO",
        _ => name.ends_with(".egg-info") || name.ends_with(".egg"),
    }
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

/// Whether content begins like a program that may carry a list of modules.
pub(crate) fn is_program(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF")
}

/// Looks for markers in a program as it streams by.
#[derive(Debug)]
pub(crate) struct ProgramScan {
    go: Finder<'static>,
    auditable: Finder<'static>,
    /// The end of the last piece: a marker may lie across two.
    tail: Vec<u8>,
    found_go: bool,
    found_auditable: bool,
}

impl ProgramScan {
    pub(crate) fn new() -> Self {
        Self {
            go: Finder::new(GO_MARKER),
            auditable: Finder::new(AUDITABLE_MARKER),
            tail: Vec::new(),
            found_go: false,
            found_auditable: false,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        let overlap = GO_MARKER.len().max(AUDITABLE_MARKER.len()) - 1;
        self.tail.extend_from_slice(&piece[..piece.len().min(overlap)]);
        let seam = std::mem::take(&mut self.tail);
        self.look(&seam);
        self.look(piece);
        self.tail = if piece.len() >= overlap {
            piece[piece.len() - overlap..].to_vec()
        } else {
            seam[seam.len().saturating_sub(overlap)..].to_vec()
        };
    }

    fn look(&mut self, bytes: &[u8]) {
        self.found_go = self.found_go || self.go.find(bytes).is_some();
        self.found_auditable = self.found_auditable || self.auditable.find(bytes).is_some();
    }

    pub(crate) fn found(&self) -> impl Iterator<Item = PackageKind> {
        [(self.found_go, PackageKind::Golang), (self.found_auditable, PackageKind::Cargo)]
            .into_iter()
            .filter_map(|(found, kind)| found.then_some(kind))
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
            ("var/lib/rpm/Packages", Some(PackageKind::Rpm)),
            ("usr/lib/sysimage/rpm/rpmdb.sqlite", Some(PackageKind::Rpm)),
            ("opt/Packages", None),
            ("lib/apk/db/installed", Some(PackageKind::Apk)),
            ("usr/lib/python3/dist-packages/yaml-6.dist-info/METADATA", Some(PackageKind::Pypi)),
            ("usr/lib/python3/dist-packages/pytz.egg-info", Some(PackageKind::Pypi)),
            ("usr/lib/python3/dist-packages/pytz.egg-info/PKG-INFO", Some(PackageKind::Pypi)),
            ("usr/share/doc/METADATA", None),
            ("app/node_modules/a/package.json", Some(PackageKind::Npm)),
            ("app/package.json", None),
            ("app/lib/X.JAR", Some(PackageKind::Maven)),
            ("app/x.war", Some(PackageKind::Maven)),
            ("opt/php/vendor/composer/installed.json", Some(PackageKind::Composer)),
            ("var/lib/gems/specifications/default/json.gemspec", Some(PackageKind::Gem)),
            ("src/json.gemspec", None),
            ("app/App.deps.json", Some(PackageKind::Nuget)),
            ("var/lib/chisel/manifest.wall", Some(PackageKind::Chisel)),
            ("var/lib/pacman/local/bash-5/desc", Some(PackageKind::Alpm)),
        ] {
            assert_eq!(kind_of_path(path), kind, "{path}");
        }
    }

    #[test]
    fn markers_are_found_across_pieces_of_any_size() {
        let mut program = b"\x7fELF".to_vec();
        program.extend(vec![0xff; 100]);
        program.extend(b" Go buildinf:");
        program.extend(vec![0; 50]);
        program.extend(b".dep-v0\0");
        for size in 1..program.len() {
            let mut scan = ProgramScan::new();
            program.chunks(size).for_each(|piece| scan.push(piece));
            let found: Vec<_> = scan.found().collect();
            assert_eq!(found, [PackageKind::Golang, PackageKind::Cargo], "pieces of {size}");
        }
    }

    #[test]
    fn a_program_without_markers_is_no_evidence() {
        let mut scan = ProgramScan::new();
        scan.push(b"\x7fELF Go buildinf .dep-v1");
        assert_eq!(scan.found().count(), 0);
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
