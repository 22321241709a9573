//! `CURRENT`: the file that names the database to use. It is replaced whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::AdvisoryError;
use super::name::FileName;

const CURRENT: &str = "CURRENT";
/// Written only under the folder's lock, so that one name is enough.
const UNFINISHED: &str = ".CURRENT.unfinished";

/// What `CURRENT` says: a line with the file's name, a line with the generations before that file's line of parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) name: FileName,
    /// Where a line of databases had to begin anew, how many generations there were before: generations never
    /// go back, since requests wait for one that they know.
    pub(super) before: u64,
}

/// None where nothing was ever published.
pub(super) fn read(folder: &Path) -> Result<Option<Pointer>, AdvisoryError> {
    let path = folder.join(CURRENT);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AdvisoryError::io(&path, error)),
    };
    let parsed = || {
        let (name, before) = text.trim_end().split_once('\n')?;
        Some(Pointer { name: FileName::parse(name)?, before: before.parse().ok()? })
    };
    parsed().map(Some).ok_or_else(|| AdvisoryError::Pointer { path: path.display().to_string() })
}

/// Publishes: after a crash there is either the old text or the new one.
pub(super) fn write(folder: &Path, pointer: &Pointer) -> Result<(), AdvisoryError> {
    let unfinished = folder.join(UNFINISHED);
    let publish = || {
        let mut file = File::create(&unfinished)?;
        writeln!(file, "{}\n{}", pointer.name, pointer.before)?;
        file.sync_all()?;
        fs::rename(&unfinished, folder.join(CURRENT))?;
        File::open(folder)?.sync_all()
    };
    publish().map_err(|error| AdvisoryError::io(&unfinished, error))
}
