//! A small disk of its own that can be filled.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Its size, in MiB.
const SIZE_MIB: usize = 512;
const FILLER: &str = "filler";

/// Ends with the test.
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// A disk in memory at this folder; or why there is none.
    pub(crate) fn mount(folder: &Path) -> Result<Self, String> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE_MIB}m"), "tmpfs"]).arg(folder);
        let output = mount.output().map_err(|error| format!("`mount` cannot be run: {error}"))?;
        match output.status.success() {
            true => Ok(Self { folder: folder.to_owned() }),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }

    /// Takes the last byte.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.folder.join(FILLER)).unwrap();
        let mut chunk = vec![0; 1 << 20];
        while !chunk.is_empty() {
            if filler.write_all(&chunk).is_err() {
                let half = chunk.len() / 2;
                chunk.truncate(half);
            }
        }
    }

    pub(crate) fn free(&self) {
        let _ = std::fs::remove_file(self.folder.join(FILLER));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
