//! `COVERAGE`: which ecosystems the sources were asked for, and what the current generation was compiled from. It is
//! replaced whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::AdvisoryError;

const COVERAGE: &str = "COVERAGE";
/// Written only under the folder's lock, so that one name is enough.
const UNFINISHED: &str = ".COVERAGE.unfinished";

/// Which ecosystems the sources were asked for. An ecosystem goes by the name of its export, such as `Debian`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Ecosystems are asked for as images need them: what there is no answer for yet is waited for. Else what the
    /// sources hold is all that there is.
    pub as_needed: bool,
    /// What came of asking.
    pub ecosystems: BTreeMap<String, Answer>,
    /// What the current generation was compiled from: each source by name, with what its content is known by.
    pub(super) inputs: BTreeMap<String, String>,
    /// The file that was compiled from them.
    pub(super) compiled: Option<String>,
}

/// What mirrors answer when they are asked for an ecosystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Its advisories are in the database.
    Included,
    /// None of them has it.
    NotOffered,
}

impl Coverage {
    /// Those of these ecosystems whose advisories an assessment has to wait for.
    #[must_use]
    pub fn awaited(&self, needed: &BTreeSet<String>) -> BTreeSet<String> {
        let is_awaited = |ecosystem: &&String| self.as_needed && !self.ecosystems.contains_key(*ecosystem);
        needed.iter().filter(is_awaited).cloned().collect()
    }
}

/// None where nothing was ever asked for.
pub(super) fn read(folder: &Path) -> Result<Option<Coverage>, AdvisoryError> {
    let path = folder.join(COVERAGE);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| AdvisoryError::Coverage {
            path: path.display().to_string(),
            problem: error.to_string(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AdvisoryError::io(&path, error)),
    }
}

/// After a crash there is either the old text or the new one.
pub(super) fn write(folder: &Path, coverage: &Coverage) -> Result<(), AdvisoryError> {
    let unfinished = folder.join(UNFINISHED);
    let publish = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(coverage)?)?;
        file.sync_all()?;
        fs::rename(&unfinished, folder.join(COVERAGE))?;
        File::open(folder)?.sync_all()
    };
    publish().map_err(|error| AdvisoryError::io(&unfinished, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn only_what_nobody_has_answered_for_is_awaited_and_only_where_it_is_fetched_as_needed() {
        let mut coverage = Coverage { as_needed: true, ..Coverage::default() };
        coverage.ecosystems.insert("Debian".to_owned(), Answer::Included);
        coverage.ecosystems.insert("npm".to_owned(), Answer::NotOffered);
        assert_eq!(coverage.awaited(&names(&["Debian", "PyPI", "npm"])), names(&["PyPI"]));
        coverage.as_needed = false;
        assert_eq!(coverage.awaited(&names(&["PyPI"])), names(&[]));
    }

    #[test]
    fn it_reads_back_the_same_and_a_damaged_one_is_an_error_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let coverage = Coverage { as_needed: true, compiled: Some("x".to_owned()), ..Coverage::default() };
        write(folder.path(), &coverage).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(coverage));
        fs::write(folder.path().join(COVERAGE), "{").unwrap();
        let told = read(folder.path()).unwrap_err().to_string();
        assert!(told.contains("COVERAGE") && told.contains("the next refresh"), "{told}");
    }
}
