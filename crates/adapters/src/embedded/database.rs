//! The SQLite file that the processes of one machine share.

mod copy;
mod error;
mod filesystem;
mod migrations;
mod open;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction};

pub(super) use self::copy::copy_into;
pub use self::error::DatabaseError;
use self::migrations::MIGRATIONS;
use self::readers::Readers;
use self::writer::Writer;

/// A handle on the file. Clones share one writer thread and a few reading connections.
///
/// Writes of all clones are joined: many operations, one commit, one `fsync` (`synchronous = FULL`). Several
/// processes may have the file open at once; SQLite's write-ahead log keeps readers and the one writer apart. When
/// the last clone is dropped, what was handed over is written, the log is folded into the file, and the thread ends.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    // The readers go first: the connection that closes last folds the log into the file.
    readers: Readers,
    writer: Writer,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the file, makes it where there is none, and brings its schema up to date; before a migration, a copy
    /// of the file is kept beside it as `<file>.v<version>.backup`. Blocks: not for a thread that polls futures.
    ///
    /// # Errors
    /// Where the file is another program's, was written by a newer version of this one, lies on a network file
    /// system, or cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        Self::open_with(path.as_ref(), MIGRATIONS)
    }

    fn open_with(path: &Path, migrations: &'static [&'static str]) -> Result<Self, DatabaseError> {
        let path = open::resolve(path)?;
        let connection = open::open(&path, migrations)?;
        let version = open::schema_version(migrations);
        let writer = Writer::start(connection, version)?;
        Ok(Self { inner: Arc::new(Inner { readers: Readers::new(path.clone()), path, writer }) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Performs a write and answers once it is durable. The operation shares its transaction with others; where it
    /// fails, what it wrote is undone and the others are kept. It runs on the writer's thread: it must be short, and
    /// whatever can be computed beforehand should be. Where the future is dropped, it happens wholly or not at all.
    ///
    /// # Errors
    /// The operation's own error, or why it was not committed.
    pub async fn write<T, F>(&self, operation: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.inner.writer.write(operation).await
    }

    /// Performs a read on one consistent state of the file, outside of the polling threads. The transaction ends with
    /// the operation: one that lasts keeps the log from being folded in, so long lists are read page by page.
    ///
    /// # Errors
    /// The operation's own error, or why no connection was to be had.
    pub async fn read<T, F>(&self, operation: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.inner.readers.slot().await?.read(Arc::clone(&self.inner), operation).await
    }

    /// A connection of its own for maintenance that lasts; it may read, and make temporary tables.
    pub(super) fn connect(&self) -> Result<Connection, DatabaseError> {
        open::connect(&self.inner.path, open::Access::Existing)
    }
}
