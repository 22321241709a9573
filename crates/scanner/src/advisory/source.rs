//! Sources of advisories: a folder, or a zip archive, of OSV records.

mod ratings;

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::osv::OsvRecord;

pub use self::ratings::{MAX_RATINGS_BYTES, Rating, for_each_rating};

/// Bytes of one record.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;
/// Folders within folders.
pub const MAX_FOLDER_DEPTH: usize = 16;

/// A named source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in messages and in the database; keep it the same from one database to the next.
    pub name: String,
    /// Where it is.
    pub location: SourceLocation,
    /// It is the export of this ecosystem: what it says of others does not count, since it does not say all of it.
    pub only: Option<String>,
}

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceLocation {
    /// A folder of `.json` records and `.zip` archives of them, in any depth. Lists of ratings
    /// (`known_exploited_vulnerabilities.json`, `epss_scores-….csv.gz`) may lie beside them.
    Folder(PathBuf),
    /// A zip archive of `.json` records, in any depth.
    Zip(PathBuf),
}

/// A source cannot be read to its end. Nothing of it may be used: a part would read as "no advisories".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file or folder cannot be read.
    #[error("advisory source: cannot read {file}: {source}; the copy may be unfinished")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An archive cannot be read.
    #[error("advisory source: {file} is not a whole zip archive: {reason}; fetch it again")]
    BrokenArchive {
        /// The archive, and the member where it is known.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file is not an OSV record.
    #[error(
        "advisory source: {file} is not an OSV record: {reason}; fetch it again or take it out of the source"
    )]
    NotOsv {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A list of ratings is not one.
    #[error(
        "advisory source: {file} is no list of ratings: {reason}; fetch it again or take it out of the source"
    )]
    BrokenRatings {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A record is larger than the limit.
    #[error("advisory source: {file} is larger than {limit_bytes} bytes; take it out of the source")]
    RecordTooLarge {
        /// The file.
        file: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// Folders lie deeper than the limit.
    #[error("advisory source: {file} lies more than {limit} folders deep; does a link point back?")]
    TooDeep {
        /// The folder.
        file: String,
        /// The limit.
        limit: usize,
    },
    /// There is no record at all.
    #[error("advisory source: {file} holds no OSV record; is it the right place, and is the copy finished?")]
    Empty {
        /// The folder or archive.
        file: String,
    },
}

/// Calls `each` for every record, in a stable order, and returns how many there were.
///
/// # Errors
///
/// The first file that cannot be read ends it; so does a source without any record, and an error of `each`.
pub fn for_each_record<E: From<SourceError>>(
    location: &SourceLocation,
    mut each: impl FnMut(OsvRecord) -> Result<(), E>,
) -> Result<u64, E> {
    let mut count = 0;
    let mut counted = |record| {
        count += 1;
        each(record)
    };
    let path = match location {
        SourceLocation::Folder(path) => {
            folder(path, 0, &mut counted)?;
            path
        }
        SourceLocation::Zip(path) => {
            let file = File::open(path).map_err(|source| unreadable(path, source))?;
            archive(file, &path.display().to_string(), &mut counted)?;
            path
        }
    };
    if count == 0 {
        return Err(SourceError::Empty { file: path.display().to_string() }.into());
    }
    Ok(count)
}

fn folder<E: From<SourceError>>(
    path: &Path,
    depth: usize,
    each: &mut impl FnMut(OsvRecord) -> Result<(), E>,
) -> Result<(), E> {
    if depth > MAX_FOLDER_DEPTH {
        let file = path.display().to_string();
        return Err(SourceError::TooDeep { file, limit: MAX_FOLDER_DEPTH }.into());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(|source| unreadable(path, source))? {
        entries.push(entry.map_err(|source| unreadable(path, source))?.path());
    }
    entries.sort();
    for entry in entries {
        // `.git` and the like hold no records, nor do lists of ratings.
        if entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
            || ratings::is_list(&entry)
        {
            continue;
        }
        let metadata = fs::metadata(&entry).map_err(|source| unreadable(&entry, source))?;
        let extension = entry.extension().map(|extension| extension.to_ascii_lowercase());
        if metadata.is_dir() {
            folder(&entry, depth + 1, each)?;
        } else if extension.as_deref().is_some_and(|extension| extension == "json") {
            let file = File::open(&entry).map_err(|source| unreadable(&entry, source))?;
            each(record(file, &entry.display().to_string())?)?;
        } else if extension.as_deref().is_some_and(|extension| extension == "zip") {
            let file = File::open(&entry).map_err(|source| unreadable(&entry, source))?;
            archive(file, &entry.display().to_string(), each)?;
        }
    }
    Ok(())
}

fn archive<E: From<SourceError>>(
    file: impl Read + Seek,
    name: &str,
    each: &mut impl FnMut(OsvRecord) -> Result<(), E>,
) -> Result<(), E> {
    let broken = |member: &str, reason: String| SourceError::BrokenArchive {
        file: if member.is_empty() { name.to_owned() } else { format!("{name}: {member}") },
        reason,
    };
    let mut archive =
        zip::ZipArchive::new(io::BufReader::new(file)).map_err(|error| broken("", error.to_string()))?;
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let member = archive.name_for_index(at).transpose().map_err(|error| broken("", error.to_string()))?;
        if let Some(member) = member.filter(|member| member.to_ascii_lowercase().ends_with(".json")) {
            members.push((member.into_owned(), at));
        }
    }
    members.sort();
    for (member, at) in members {
        let content = archive.by_index(at).map_err(|error| broken(&member, error.to_string()))?;
        let found = record(content, &format!("{name}: {member}")).map_err(|error| match error {
            SourceError::Unreadable { source, .. } => broken(&member, source.to_string()),
            other => other,
        })?;
        each(found)?;
    }
    Ok(())
}

fn record(content: impl Read, file: &str) -> Result<OsvRecord, SourceError> {
    let file = || file.to_owned();
    let mut json = Vec::new();
    content
        .take(MAX_RECORD_BYTES + 1)
        .read_to_end(&mut json)
        .map_err(|source| SourceError::Unreadable { file: file(), source })?;
    if json.len() as u64 > MAX_RECORD_BYTES {
        return Err(SourceError::RecordTooLarge { file: file(), limit_bytes: MAX_RECORD_BYTES });
    }
    let record: OsvRecord = serde_json::from_slice(&json)
        .map_err(|error| SourceError::NotOsv { file: file(), reason: error.to_string() })?;
    if record.id.is_empty() {
        return Err(SourceError::NotOsv { file: file(), reason: "its id is empty".to_owned() });
    }
    Ok(record)
}

fn unreadable(path: &Path, source: io::Error) -> SourceError {
    SourceError::Unreadable { file: path.display().to_string(), source }
}

#[cfg(test)]
mod tests;
