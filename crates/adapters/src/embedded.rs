//! One machine: a SQLite file that several processes share, and a folder of reports.
//!
//! * [`Database`]: the file; one writer thread a process, many operations a commit
//! * [`SqliteEventStore`], [`SqliteQueue`], [`SqliteLayerIndex`], [`SqliteArchive`]: four ports on that file
//! * [`FolderSink`]: reports in a folder, under the keys that a bucket would have; [`FolderLake`] reads them
//! * [`EmbeddedScanner`]: the scanner inside, judging by the [`advisories`] of a folder
//! * [`maintenance`]: what is in the file, a copy of it, and what may be removed from it

pub mod advisories;
mod database;
mod folder_lake;
mod folder_sink;
pub mod maintenance;
mod scanner;
mod sqlite;

pub use database::{Database, DatabaseError};
pub use folder_lake::FolderLake;
pub use folder_sink::FolderSink;
pub use scanner::{EmbeddedScanner, SbomUse, Seen, needed_ecosystems};
pub use sqlite::{SqliteArchive, SqliteEventStore, SqliteLayerIndex, SqliteQueue};
