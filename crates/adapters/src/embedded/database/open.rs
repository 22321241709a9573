//! Opening the file: is it ours, is its schema ours, and if not yet, making it so.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::DatabaseError;
use super::copy::copy_into;
use super::filesystem::{Place, place_of};
use super::migrations::APPLICATION_ID;

/// How long a writer waits for another process before it gives up, and is told to try again.
const BUSY_MAX: Duration = Duration::from_secs(30);
/// The longest pause between two attempts at the lock. SQLite's own waiting grows with each attempt, so that whoever
/// has waited longest asks least often; these pauses stay short and differ by chance, so that all ask alike.
const BUSY_PAUSE_MAX_MICROS: u32 = 3_000;
/// The log is folded into the file once it has so many pages of 4 KiB.
const CHECKPOINT_PAGES: u32 = 4_000;
/// What the log is cut to after it has been folded in, in bytes.
const LOG_BYTES_KEPT: u32 = 64 << 20;
/// The page cache of one connection, in KiB.
const CACHE_KIB: u32 = 8 << 10;
/// How much of the file a reading connection maps, in bytes: all of it, as far as SQLite was built for it (`LIBSQLITE3_FLAGS`
/// in `.cargo/config.toml`; 2 GiB elsewhere, nothing where addresses have 32 bits). Pages at random places are then read where the kernel keeps them: copying each
/// was most of what finding the images of a change cost.
const MAPPED_BYTES: i64 = 1 << 40;
/// How many prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 96;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything; the file is made where there is none.
    Create,
    /// Everything on a file that is there.
    Existing,
    /// Reading alone.
    ReadOnly,
}

/// The schema version that these migrations lead to.
pub(super) fn schema_version(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

/// The absolute path of the file, on a disk that it may lie on.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, DatabaseError> {
    let refused = |problem: &str| DatabaseError::Refused(format!("{}: {problem}", path.display()));
    let name = path.file_name().ok_or_else(|| refused("this is not the name of a file"))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(|error| {
        refused(&format!("its folder {} cannot be used ({error}): make it first", folder.display()))
    })?;
    let whole = folder.join(name);
    // A link is followed: the log has to lie beside the file itself, for every process that opens it.
    let whole = whole.canonicalize().unwrap_or(whole);
    match place_of(&whole) {
        Place::Local => {}
        Place::Doubtful(kind) => {
            tracing::warn!(path = %whole.display(), kind, "the database must not be shared between machines");
        }
        Place::Network(kind) => {
            return Err(DatabaseError::NetworkFileSystem { path: whole.display().to_string(), kind });
        }
    }
    Ok(whole)
}

/// A connection with the settings that all have.
pub(super) fn connect(path: &Path, access: Access) -> Result<Connection, DatabaseError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, access == Access::Create);
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| {
        DatabaseError::Unavailable(format!("{} cannot be opened: {error}", path.display()))
    })?;
    wait_fairly(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {LOG_BYTES_KEPT};
         PRAGMA cache_size = -{CACHE_KIB};
         PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF;"
    ))?;
    if access == Access::ReadOnly {
        connection.pragma_update(None, "query_only", true)?;
        connection.execute_batch(&format!("PRAGMA mmap_size = {MAPPED_BYTES}"))?;
    }
    Ok(connection)
}

fn wait_fairly(connection: &mut Connection) -> Result<(), DatabaseError> {
    let mut began = Instant::now();
    connection.busy_handler(Some(move |attempt: i32| {
        if attempt == 0 {
            began = Instant::now();
        }
        // The low digits of the time are chance enough for two processes not to march in step.
        let nanos =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
        std::thread::sleep(Duration::from_micros(u64::from(nanos % BUSY_PAUSE_MAX_MICROS) + 1));
        may_wait(began.elapsed())
    }))?;
    Ok(())
}

fn may_wait(waited: Duration) -> bool {
    waited < BUSY_MAX
}

/// Opens the file for writing, with the schema that the migrations lead to.
pub(super) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, DatabaseError> {
    let not_sqlite = |error| match error {
        DatabaseError::Damaged(found) => DatabaseError::Foreign { path: path.display().to_string(), found },
        other => other,
    };
    let mut connection = connect(path, Access::Create).map_err(not_sqlite)?;
    // Looked at before anything is set: a file of another program is left as it was.
    check(&connection, path, migrations).map_err(not_sqlite)?;
    write_ahead(&connection)?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

fn number(connection: &Connection, sql: &str) -> Result<i64, DatabaseError> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// The schema version of a file that is ours, or that is empty; an error of any other.
fn check(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<u32, DatabaseError> {
    let foreign = |found: String| DatabaseError::Foreign { path: path.display().to_string(), found };
    let application = number(connection, "PRAGMA application_id")?;
    let version = number(connection, "PRAGMA user_version")?;
    let objects = number(connection, "SELECT count(*) FROM sqlite_schema")?;
    if application == 0 && version == 0 && objects == 0 {
        return Ok(0);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(foreign(format!(
            "a SQLite file with {objects} tables and indexes, application id {application}"
        )));
    }
    let known = schema_version(migrations);
    match u32::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(DatabaseError::Newer {
            path: path.display().to_string(),
            found: u32::try_from(version).unwrap_or(u32::MAX),
            known,
        }),
    }
}

fn write_ahead(connection: &Connection) -> Result<(), DatabaseError> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    Err(DatabaseError::Refused(format!(
        "the disk allows no write-ahead log (journal mode {mode}): use a local disk"
    )))
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), DatabaseError> {
    // Under the lock, and looked at again: another process may just have done it.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = check(&transaction, path, migrations)?;
    let known = schema_version(migrations);
    if found == known {
        return Ok(());
    }
    if found > 0 {
        keep_copy(path, found)?;
    }
    apply(&transaction, found, migrations)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    if found > 0 {
        tracing::info!(path = %path.display(), from = found, to = known, "the database was migrated");
    }
    Ok(())
}

fn apply(transaction: &Transaction<'_>, found: u32, migrations: &[&str]) -> Result<(), DatabaseError> {
    for (number, step) in (1_u32..).zip(migrations).skip(found as usize) {
        transaction
            .execute_batch(step)
            .map_err(|error| DatabaseError::Refused(format!("migration {number} failed: {error}")))?;
    }
    Ok(())
}

/// Copies the file as it is before the migration. The lock is held meanwhile, so the copy is the last word of the old
/// version. An older copy of the same version (a migration that did not finish, or one after a restoration) is kept too.
fn keep_copy(path: &Path, version: u32) -> Result<(), DatabaseError> {
    let reader = connect(path, Access::Existing)?;
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".v{version}.backup"));
        if number > 1 {
            name.push(format!(".{number}"));
        }
        let copy = PathBuf::from(name);
        if !copy.exists() {
            return copy_into(&reader, &copy);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_waited_for_so_long_and_no_longer() {
        assert!(may_wait(BUSY_MAX - Duration::from_nanos(1)));
        assert!(!may_wait(BUSY_MAX));
    }
}
