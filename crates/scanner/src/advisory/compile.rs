//! Sources become a database: written beside, checked against its parent, then renamed into its place.

mod precedence;
mod shrink;
mod write;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use self::write::Writer;
use super::database::{Database, DatabaseInfo, Parent, SCHEMA_VERSION};
use super::source::{Source, SourceError, for_each_rating, for_each_record};

pub use self::shrink::{DEFAULT_MAX_SHRINK_PERCENT, ShrinkPolicy};

/// Names tried for the unfinished file before giving up.
const MAX_UNFINISHED_FILES: u32 = 64;

/// The outcome of a compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The database file; the parent's, where nothing changed.
    pub path: PathBuf,
    /// The hash of its content.
    pub id: String,
    /// Its generation; the parent's, where nothing changed.
    pub generation: u64,
    /// The content is the parent's: nothing was written.
    pub unchanged: bool,
    /// What went in.
    pub stats: CompileStats,
}

/// What went into a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompileStats {
    /// Records read, over all sources.
    pub records: u64,
    /// Records that were withdrawn.
    pub withdrawn: u64,
    /// Records that a later source speaks of too, which counts instead.
    pub overridden: u64,
    /// Affected entries of ecosystems that are not matched (another kind, no release, Ubuntu Pro).
    pub entries_not_matched: u64,
    /// Rules written.
    pub rules: u64,
}

/// Why there is no new database: the old one stays, ageing visibly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A source cannot be read.
    #[error("advisory source {name:?} refused: {error}")]
    Source {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        error: SourceError,
    },
    /// There is no source.
    #[error("no advisory source is configured; a database without one would call every image clean")]
    NoSources,
    /// Two sources have one name.
    #[error("two advisory sources are named {name:?}; give each a name of its own")]
    DuplicateSource {
        /// The name.
        name: String,
    },
    /// A source of the parent is no longer there.
    #[error(
        "advisory source {name:?} is gone ({records} records before); put it back, or accept {name:?} by name"
    )]
    Vanished {
        /// Its name.
        name: String,
        /// What it held.
        records: u64,
    },
    /// A source, or what is known of an ecosystem, is much smaller than in the parent.
    #[error(
        "advisories of {name:?} shrank from {before} to {after}, by more than {max_shrink_percent} %; \
         check the copy, or accept {name:?} by name"
    )]
    Shrunken {
        /// The source's or the ecosystem's name.
        name: String,
        /// Records or entries before.
        before: u64,
        /// Records or entries now.
        after: u64,
        /// The largest accepted share.
        max_shrink_percent: u8,
    },
    /// The output folder cannot be written.
    #[error("cannot write an advisory database in {folder}: {source}")]
    Io {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The unfinished database cannot be written.
    #[error("cannot write an advisory database in {folder}: {source}")]
    Sqlite {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

/// Compiles the sources into a new database in `out_dir`.
///
/// Where several sources have a record of the same id, the last of them in the list counts; of exports
/// ([`Source::only`]) each for its ecosystem. Several records of one id in one source all count. Identical content to the parent's writes nothing.
///
/// # Errors
///
/// [`CompileError`]; `out_dir` then is as it was.
pub fn compile(
    sources: &[Source],
    parent: Option<&Database>,
    out_dir: &Path,
    policy: &ShrinkPolicy,
) -> Result<Compiled, CompileError> {
    check_names(sources)?;
    let io = |source| CompileError::Io { folder: out_dir.display().to_string(), source };
    fs::create_dir_all(out_dir).map_err(io)?;
    let unfinished = Unfinished::create(out_dir).map_err(io)?;
    let sqlite = |source| CompileError::Sqlite { folder: out_dir.display().to_string(), source };
    let mut writer = Writer::create(&unfinished.path).map_err(sqlite)?;

    // The last source that has a record counts, so the last is read first.
    for source in sources.iter().rev() {
        writer.begin_source(source);
        let refused = |failure| match failure {
            Failure::Source(error) => CompileError::Source { name: source.name.clone(), error },
            Failure::Sqlite(source) => sqlite(source),
        };
        for_each_record(&source.location, |record| writer.add(&record).map_err(Failure::Sqlite))
            .map_err(refused)?;
        for_each_rating(&source.location, |cve, rating| writer.rate(cve, &rating).map_err(Failure::Sqlite))
            .map_err(refused)?;
    }
    let (contents, stats) = writer.contents().map_err(sqlite)?;
    if let Some(parent) = parent {
        shrink::check(parent.info(), &contents, policy)?;
        if parent.id() == contents.id {
            let (path, id) = (parent.path().to_path_buf(), contents.id);
            return Ok(Compiled { path, id, generation: parent.generation(), unchanged: true, stats });
        }
    }
    let info = DatabaseInfo {
        schema: SCHEMA_VERSION,
        generation: parent.map_or(1, |parent| parent.generation() + 1),
        parent: parent.map(|parent| Parent { id: parent.id().to_owned(), generation: parent.generation() }),
        ..contents
    };
    writer.finish(&info).map_err(sqlite)?;
    // The generation stands in the name too: content that returns to an earlier state is another file.
    let hash = info.id.trim_start_matches("sha256:");
    let path = out_dir.join(format!("advisories-{:010}-{hash}.sqlite", info.generation));
    unfinished.rename(&path).map_err(io)?;
    Ok(Compiled { path, id: info.id, generation: info.generation, unchanged: false, stats })
}

fn check_names(sources: &[Source]) -> Result<(), CompileError> {
    if sources.is_empty() {
        return Err(CompileError::NoSources);
    }
    let mut names = BTreeSet::new();
    match sources.iter().find(|source| !names.insert(source.name.as_str())) {
        Some(source) => Err(CompileError::DuplicateSource { name: source.name.clone() }),
        None => Ok(()),
    }
}

/// Either side of the loop over a source's records may fail.
enum Failure {
    Source(SourceError),
    Sqlite(rusqlite::Error),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// A file that goes away unless it is renamed.
struct Unfinished {
    path: PathBuf,
    renamed: bool,
}

impl Unfinished {
    /// Creates a file that no other compilation writes.
    fn create(folder: &Path) -> io::Result<Self> {
        let mut last = io::Error::other("no name left for an unfinished file");
        for attempt in 0..MAX_UNFINISHED_FILES {
            let path = folder.join(format!(".unfinished-{attempt}.sqlite"));
            match File::create_new(&path) {
                Ok(_) => return Ok(Self { path, renamed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// After a crash there is either the whole file under its name, or none.
    fn rename(mut self, to: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, to)?;
        self.renamed = true;
        match to.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.renamed {
            // Nothing can be done about a file that will not go; the next compilation takes another name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
