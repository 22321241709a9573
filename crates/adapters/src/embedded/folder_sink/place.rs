//! Putting one file in its place: whole, durable, and never over another.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use cve_monitor_core::ports::SinkError;
use tempfile::{Builder, NamedTempFile};

/// How much of an existing file is compared at a time, in bytes.
const COMPARED_AT_ONCE: usize = 64 << 10;

/// Puts these bytes under the key. Where the same bytes lie there already, that is as good.
pub(super) fn place(root: &Path, key: &str, id: &str, line: &[u8]) -> Result<(), SinkError> {
    let target = root.join(key);
    let failed = |error: io::Error| failure(&target, &error);
    let folder = folder_of(root, key).map_err(failed)?;
    if !target.try_exists().map_err(failed)? {
        let file = written(&folder, id, line).map_err(failed)?;
        match file.persist_noclobber(&target) {
            Ok(_) => return sync_folder(&folder).map_err(failed),
            // Somebody else delivers the same report: what lies there decides.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error.error)),
        }
    }
    if !holds(&target, line).map_err(failed)? {
        return Err(SinkError::Occupied(id.to_owned()));
    }
    // Whoever put it there may have died before it was durable.
    File::open(&target).and_then(|file| file.sync_all()).and_then(|()| sync_folder(&folder)).map_err(failed)
}

/// The folder of the key under the root, made where it is missing: each level durable in the one above.
fn folder_of(root: &Path, key: &str) -> io::Result<PathBuf> {
    let mut folder = root.to_owned();
    let levels = key.split('/').count().saturating_sub(1);
    for level in key.split('/').take(levels) {
        let inner = folder.join(level);
        match fs::create_dir(&inner) {
            Ok(()) => sync_folder(&folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        folder = inner;
    }
    Ok(folder)
}

fn written(folder: &Path, id: &str, line: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    let prefix = format!(".{id}.");
    builder.prefix(&prefix).suffix(".tmp");
    // As any new file of this user: other programs are to read the reports.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(line)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn holds(target: &Path, line: &[u8]) -> io::Result<bool> {
    let mut file = File::open(target)?;
    if file.metadata()?.len() != line.len() as u64 {
        return Ok(false);
    }
    let mut buffer = vec![0; COMPARED_AT_ONCE];
    for expected in line.chunks(COMPARED_AT_ONCE) {
        let Some(found) = buffer.get_mut(..expected.len()) else { return Ok(false) };
        file.read_exact(found)?;
        if *found != *expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What cannot be mended by trying again is a matter of rights; a full or missing disk may come back.
fn failure(target: &Path, error: &io::Error) -> SinkError {
    let problem = format!("{}: {error}", target.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename => SinkError::Permanent(problem),
        _ => SinkError::Transient(problem),
    }
}
