//! The file, its schema, and what is joined in one commit.

mod groups;
mod schema;

use rusqlite::{Connection, OpenFlags};

use super::Database;

/// A table to write to, on top of what there is.
const NOTES: &str = "CREATE TABLE notes (text TEXT NOT NULL)";

/// What another program would read now: what is committed.
fn committed(database: &Database, sql: &str) -> i64 {
    let connection = Connection::open_with_flags(database.path(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
