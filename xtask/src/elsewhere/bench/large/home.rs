//! The folder of a made-up registry, filled once and kept for the next run, and the programs that work on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::super::child::{Cost, measure};
use super::write;

/// As the generator names it.
pub(super) const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A folder and the programs.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) root: PathBuf,
    pub(super) images: u64,
    folder: PathBuf,
    programs: PathBuf,
}

/// How many layers and images have a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) layers: u64,
    pub(super) images: u64,
}

impl Home {
    pub(super) fn of(root: &Path, images: u64, programs: PathBuf) -> Self {
        let folder = root.join("target/bench/large").join(images.to_string());
        Self { root: root.to_owned(), images, folder, programs }
    }

    /// Another one, without images.
    pub(super) fn empty(&self) -> Self {
        Self::of(&self.root, 0, self.programs.clone())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Fills the folder, where that has not been done yet: what filling it said.
    pub(super) fn filled(&self) -> Result<Value, String> {
        let done = self.path("filled.json");
        if !done.is_file() {
            eprintln!("filling {} …", self.folder.display());
            let _ = fs::remove_dir_all(&self.folder);
            fs::create_dir_all(&self.folder)
                .map_err(|error| format!("{}: {error}", self.folder.display()))?;
            let printed = self.path("filled.unfinished");
            let folder = self.folder.display().to_string();
            measure(self.million().args(["fill", &folder, &self.images.to_string()]), &printed)?;
            fs::rename(&printed, &done).map_err(|error| format!("{}: {error}", done.display()))?;
        }
        json_in(&done)
    }

    /// Writes the configuration: the folder's own, and this besides.
    pub(super) fn configure(&self, more: &str) -> Result<(), String> {
        // Advisories are named after their source, and the generator names it without links.
        let source = self.path("source");
        let source = source.canonicalize().map_err(|error| format!("{}: {error}", source.display()))?;
        let config = format!(
            "[store]\npath = \"state.db\"\n[advisories]\nsources = [{:?}]\nmax_shrink_percent = 100\n{more}",
            source.display().to_string()
        );
        write(&self.path("cve-monitor.toml"), &config)
    }

    /// One of the shipped programs, with that configuration and no other setting.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().env("HOME", &self.folder).env("PATH", "/usr/bin:/bin");
        command.arg("--config").arg(self.path("cve-monitor.toml")).current_dir(&self.folder);
        command
    }

    pub(super) fn million(&self) -> Command {
        Command::new(self.programs.join("examples/million"))
    }

    pub(super) fn built(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// What `million` says when it is asked this about the folder, and what that cost.
    pub(super) fn ask(&self, what: &str, more: &[&str]) -> Result<(Value, Cost), String> {
        let printed = self.path("asked.json");
        let mut command = self.million();
        command.arg(what).arg(&self.folder).args(more);
        let cost = measure(&mut command, &printed)?;
        Ok((json_in(&printed)?, cost))
    }

    /// A record about every version of a package: the advisories have changed.
    pub(super) fn advise(&self, id: &str, package: &str) -> Result<(), String> {
        let ecosystem = if package.contains("-deb-") { "Debian:12" } else { "PyPI" };
        let record = serde_json::json!({
            "id": id, "modified": "2026-02-01T00:00:00Z", "summary": "a flaw",
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0" }] }],
            }],
        });
        write(&self.path("source").join(format!("{id}.json")), &record.to_string())
    }

    /// The package of this kind that the share of all images nearest to this one has.
    pub(super) fn package(&self, kind: &str, share: f64) -> Result<Package, String> {
        let path = self.path("packages.csv");
        let csv = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let wanted = self.images as f64 * share;
        let packages = csv.lines().skip(1).filter_map(package).filter(|package| package.name.contains(kind));
        packages
            .min_by(|a, b| (a.images as f64 - wanted).abs().total_cmp(&(b.images as f64 - wanted).abs()))
            .ok_or_else(|| format!("{}: no package of {kind}", path.display()))
    }
}

fn package(line: &str) -> Option<Package> {
    let mut fields = line.split(',');
    let name = fields.next()?.to_owned();
    Some(Package { name, layers: fields.next()?.parse().ok()?, images: fields.next()?.parse().ok()? })
}

pub(super) fn json_in(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_a_package_is_read() {
        let read = package("made-up-py-7,12,10");
        assert_eq!(read, Some(Package { name: "made-up-py-7".to_owned(), layers: 12, images: 10 }));
        assert_eq!(package("package,layers,images"), None);
    }
}
