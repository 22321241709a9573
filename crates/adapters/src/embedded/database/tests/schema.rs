//! Which files are opened, and how they come to the present schema.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{NOTES, committed};
use crate::embedded::database::migrations::{APPLICATION_ID, MIGRATIONS};
use crate::embedded::database::{Database, DatabaseError};

const TITLES: &str = "ALTER TABLE notes ADD COLUMN title TEXT";
const BROKEN: &str = "CREATE TABLE half (x); ALTER TABLE nowhere ADD COLUMN title TEXT";

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monitor.db");
    (folder, path)
}

fn refusal(path: &Path, migrations: &'static [&'static str]) -> DatabaseError {
    Database::open_with(path, migrations).err().unwrap()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

async fn note(database: &Database) -> Result<usize, DatabaseError> {
    database.write(|tx| Ok(tx.execute("INSERT INTO notes (text) VALUES ('kept')", [])?)).await
}

#[test]
fn a_new_file_bears_our_mark_and_the_present_version() {
    let (_folder, path) = place();
    drop(Database::open(&path).unwrap());
    assert_eq!(number(&path, "PRAGMA application_id"), i64::from(APPLICATION_ID));
    assert_eq!(number(&path, "PRAGMA user_version"), i64::try_from(MIGRATIONS.len()).unwrap());
    drop(Database::open(&path).unwrap());
}

#[test]
fn a_newer_file_is_refused_by_name_with_the_remedy() {
    let (_folder, path) = place();
    drop(Database::open_with(&path, &[NOTES, TITLES]).unwrap());
    let refused = refusal(&path, &[NOTES]);
    assert!(matches!(refused, DatabaseError::Newer { found: 2, known: 1, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(
        text.contains("monitor.db") && text.contains("use a newer program") && text.contains(".v1.backup")
    );
}

#[test]
fn a_file_of_another_program_is_refused_by_name_and_left_as_it_was() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = refusal(&path, MIGRATIONS);
    assert!(
        matches!(&refused, DatabaseError::Foreign { found, .. } if found.contains("1 tables")),
        "{refused}"
    );
    assert!(refused.to_string().contains("monitor.db"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, "not a database, but a text that is long enough to have a header").unwrap();
    assert!(matches!(refusal(&path, MIGRATIONS), DatabaseError::Foreign { .. }));
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_refused_with_the_remedy() {
    let (folder, _) = place();
    let refused = refusal(&folder.path().join("absent/monitor.db"), MIGRATIONS).to_string();
    assert!(refused.contains("absent") && refused.contains("make it first"), "{refused}");
}

#[tokio::test]
async fn a_migration_keeps_the_rows_and_a_copy_of_the_file_before_it() {
    let (folder, path) = place();
    let old = Database::open_with(&path, &[NOTES]).unwrap();
    note(&old).await.unwrap();
    drop(old);
    drop(Database::open_with(&path, &[NOTES, TITLES]).unwrap());
    assert_eq!(number(&path, "SELECT count(*) FROM notes WHERE title IS NULL"), 1);
    assert_eq!(number(&path, "PRAGMA user_version"), 2);
    let copy = folder.path().join("monitor.db.v1.backup");
    let restored = Database::open_with(&copy, &[NOTES]).unwrap();
    assert_eq!(committed(&restored, "SELECT count(*) FROM notes"), 1);
    drop(restored);
    // Put back and migrated once more: the first copy stays.
    std::fs::copy(&copy, &path).unwrap();
    drop(Database::open_with(&path, &[NOTES, TITLES]).unwrap());
    assert!(copy.exists() && folder.path().join("monitor.db.v1.backup.2").exists());
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_file_at_its_version() {
    let (_folder, path) = place();
    let old = Database::open_with(&path, &[NOTES]).unwrap();
    note(&old).await.unwrap();
    drop(old);
    let refused = refusal(&path, &[NOTES, BROKEN]).to_string();
    assert!(refused.contains("migration 2 failed"), "{refused}");
    let old = Database::open_with(&path, &[NOTES]).unwrap();
    assert_eq!(committed(&old, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
    assert_eq!(committed(&old, "SELECT count(*) FROM notes"), 1);
}

#[tokio::test]
async fn a_program_that_runs_while_a_newer_one_migrates_the_file_writes_no_more() {
    let (_folder, path) = place();
    let old = Database::open_with(&path, &[NOTES]).unwrap();
    note(&old).await.unwrap();
    let new = Database::open_with(&path, &[NOTES, TITLES]).unwrap();
    assert!(matches!(note(&old).await, Err(DatabaseError::Newer { found: 2, known: 1, .. })));
    note(&new).await.unwrap();
    assert_eq!(committed(&new, "SELECT count(*) FROM notes"), 2);
}

#[test]
fn several_processes_that_open_a_new_file_at_once_agree_on_it() {
    let (_folder, path) = place();
    let opened = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..6).map(|_| scope.spawn(|| Database::open(&path))).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect::<Vec<_>>()
    });
    for database in &opened {
        assert!(database.is_ok(), "{database:?}");
    }
}

#[tokio::test]
async fn who_reads_maps_the_file_and_who_writes_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("state.db")).unwrap();
    let mapped = |connection: &Connection| -> rusqlite::Result<i64> {
        connection.query_row("PRAGMA mmap_size", [], |row| row.get(0))
    };
    assert_eq!(
        database.read(move |state| Ok(mapped(state)?)).await,
        Ok(1 << 40),
        "as `.cargo/config.toml` says"
    );
    assert_eq!(database.write(move |tx| Ok(mapped(tx)?)).await, Ok(0));
}
