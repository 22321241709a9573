//! Clair's programs, built from the sources of a Go module at a pinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::process::run;

/// A Go module, and what is built from it.
pub(super) struct Source {
    /// The module's path.
    pub(super) module: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    /// Its checksum, as Go writes it.
    pub(super) sum: &'static str,
    /// The programs, each in `./cmd/NAME`.
    pub(super) programs: &'static [&'static str],
    /// `go.mod` and `go.sum`, for sources that are older than those.
    pub(super) requirements: Option<(&'static str, &'static str)>,
}

/// What `go mod download -json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    #[serde(default)]
    dir: PathBuf,
    #[serde(default)]
    sum: String,
    #[serde(default)]
    error: String,
}

impl Source {
    /// The folder with the programs; builds them where it is not there yet.
    pub(super) fn build(&self, root: &Path) -> Result<PathBuf, String> {
        let (_, name) = self.module.split_once('/').unwrap_or(("", self.module));
        let name = format!("{}-{}", name.replace('/', "-"), self.version);
        let base = root.join("target/dev/clair");
        let built = base.join(&name);
        if built.is_dir() {
            return Ok(built);
        }
        let sources = base.join(format!("{name}.{}.src", std::process::id()));
        let programs = base.join(format!("{name}.{}.bin", std::process::id()));
        let outcome = self.build_in(&sources, &programs);
        // The sources are of no further use: Go keeps its own copy, and what it compiled.
        let _ = std::fs::remove_dir_all(&sources);
        outcome?;
        // At once and complete, or not at all: another run may build the same.
        match std::fs::rename(&programs, &built) {
            Err(error) if !built.is_dir() => Err(format!("{} cannot be made: {error}", built.display())),
            _ => Ok(built),
        }
    }

    fn build_in(&self, sources: &Path, programs: &Path) -> Result<(), String> {
        let downloaded = self.download()?;
        let failed = |error| format!("{} cannot be written: {error}", sources.display());
        std::fs::create_dir_all(programs).map_err(failed)?;
        copy(&downloaded, sources).map_err(failed)?;
        if let Some((go_mod, go_sum)) = self.requirements {
            std::fs::write(sources.join("go.mod"), go_mod).map_err(failed)?;
            std::fs::write(sources.join("go.sum"), go_sum).map_err(failed)?;
        }
        let mut build = go();
        build.current_dir(sources).args(["build", "-o"]).arg(programs);
        run(build.args(self.programs.iter().map(|name| format!("./cmd/{name}")))).map(drop)
    }

    /// The folder of the module's sources, in Go's own cache.
    fn download(&self) -> Result<PathBuf, String> {
        let name = format!("{}@{}", self.module, self.version);
        // Not `go install`: that asks for the list of all versions, which not every proxy has.
        let printed = run(go().current_dir("/").args(["mod", "download", "-json", &name]))
            .map_err(|problem| format!("{name} cannot be downloaded: {problem}"))?;
        let downloaded: Downloaded =
            serde_json::from_str(&printed).map_err(|error| format!("`go mod download` printed: {error}"))?;
        if !downloaded.error.is_empty() {
            return Err(downloaded.error);
        }
        if downloaded.sum != self.sum {
            return Err(format!("{name} has the checksum {}, and should have {}", downloaded.sum, self.sum));
        }
        Ok(downloaded.dir)
    }
}

fn go() -> Command {
    let mut command = Command::new("go");
    command.env("GOFLAGS", "").env("GOWORK", "off");
    command
}

/// Copies a folder with rights of its own: in Go's cache nobody may write.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::write(&target, std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
