//! Why the database did not do it, and the one translation of SQLite's errors.

use rusqlite::ErrorCode;

/// Why the database did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The file is another program's, or no database at all.
    #[error(
        "{path} is not a database of cve-monitor ({found}); name one that it made, or a file that does not exist yet"
    )]
    Foreign {
        /// The file.
        path: String,
        /// What it is instead.
        found: String,
    },
    /// The file was written by a newer program.
    #[error(
        "{path} has schema version {found}, this program knows versions up to {known}: use a newer program, or put \
         back the copy that was kept before the migration (`{path}.v{known}.backup`)"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The file lies where SQLite's locks do not hold.
    #[error(
        "{path} lies on a network file system ({kind}), where locks are not reliable: put it on a local disk"
    )]
    NetworkFileSystem {
        /// The file.
        path: String,
        /// The kind of file system.
        kind: String,
    },
    /// The database was closed meanwhile.
    #[error("the database is closed")]
    Closed,
    /// Try again: busy, out of space, an I/O error.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Trying again will not help: a bound, a setting, a mistake of ours.
    #[error("the database refuses: {0}")]
    Refused(String),
    /// What is stored cannot be read.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::OperationAborted
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
                | ErrorCode::CannotOpen => Self::Unavailable(text),
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(text),
                _ => Self::Refused(text),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Damaged(text),
            _ => Self::Refused(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_code(code: i32) -> DatabaseError {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }

    #[test]
    fn each_failure_of_sqlite_says_what_to_do_next() {
        for again in [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR] {
            assert!(matches!(of_code(again), DatabaseError::Unavailable(_)), "{again}");
        }
        for damaged in [rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_NOTADB] {
            assert!(matches!(of_code(damaged), DatabaseError::Damaged(_)), "{damaged}");
        }
        for never in
            [rusqlite::ffi::SQLITE_READONLY, rusqlite::ffi::SQLITE_PERM, rusqlite::ffi::SQLITE_TOOBIG]
        {
            assert!(matches!(of_code(never), DatabaseError::Refused(_)), "{never}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_damage() {
        let error = rusqlite::Error::InvalidColumnType(0, "at".to_owned(), rusqlite::types::Type::Text);
        assert!(matches!(DatabaseError::from(error), DatabaseError::Damaged(_)));
    }
}
