//! One generation of advisories: an immutable SQLite file, opened read-only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::rule::{RecordText, Rule};

/// The version of the file's form; other versions are refused, and compiled anew from their sources.
pub const SCHEMA_VERSION: u32 = 6;
/// Idle connections that a database keeps.
pub(super) const MAX_IDLE_CONNECTIONS: usize = 16;

/// What a database says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseInfo {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// `sha256:` and the hash of the content: the same advisories have the same id.
    pub id: String,
    /// One more than the parent's, or 1.
    pub generation: u64,
    /// The database that this one replaces.
    pub parent: Option<Parent>,
    /// The sources, by name.
    pub sources: BTreeMap<String, SourceStats>,
    /// The ecosystems, by name.
    pub ecosystems: BTreeMap<String, EcosystemStats>,
    /// The days that the advisories of distributions have reached, by the names of their exports.
    pub days: BTreeMap<String, String>,
}

/// The database that another replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub id: String,
    /// Its generation.
    pub generation: u64,
}

/// What a source held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStats {
    /// Records, those of ecosystems that are not matched included.
    pub records: u64,
    /// The newest `modified` that its records claim.
    pub newest_modified: Option<String>,
}

/// What there is for an ecosystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EcosystemStats {
    /// Rules that can match.
    pub rules: u64,
    /// Entries in the sources, withdrawn ones included.
    pub entries: u64,
    /// The newest `modified` that its records claim.
    pub last_changed: Option<String>,
}

/// What is said of a CVE beside the advisories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rated {
    /// The probability that it is exploited within 30 days, as FIRST writes it.
    pub epss: Option<String>,
    /// It is known to have been exploited.
    pub known_exploited: bool,
}

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The file is not there or cannot be read.
    #[error("advisory database {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is damaged.
    #[error("advisory database {path} is damaged ({reason}); compile it again from its sources")]
    Damaged {
        /// The file.
        path: String,
        /// What was found.
        reason: String,
    },
    /// The file has another form.
    #[error(
        "advisory database {path} has schema {found}, this program reads {SCHEMA_VERSION}; compile it again"
    )]
    Schema {
        /// The file.
        path: String,
        /// Its schema.
        found: u32,
    },
}

/// An open database: cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    info: DatabaseInfo,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens a database file.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] where the file is missing, cut short, of another schema, or not a database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatabaseError> {
        let path = path.as_ref().to_path_buf();
        check_length(&path)?;
        let connection = connect(&path)?;
        let json: String = connection
            .query_row("SELECT value FROM meta WHERE key = 'info'", [], |row| row.get(0))
            .map_err(|error| damaged(&path, &error))?;
        // The schema is read by itself first: another one may have another form.
        let schema = serde_json::from_str::<serde_json::Value>(&json)
            .ok()
            .and_then(|info| u32::try_from(info["schema"].as_u64()?).ok())
            .unwrap_or_default();
        if schema != SCHEMA_VERSION {
            return Err(DatabaseError::Schema { path: path.display().to_string(), found: schema });
        }
        let info = serde_json::from_str(&json).map_err(|error| damaged(&path, &error))?;
        let idle = Mutex::new(vec![connection]);
        Ok(Self { inner: Arc::new(Inner { path, info, idle }) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// What the database says about itself.
    pub fn info(&self) -> &DatabaseInfo {
        &self.inner.info
    }

    /// The hash of its content.
    pub fn id(&self) -> &str {
        &self.inner.info.id
    }

    /// Its place in the line of databases.
    pub fn generation(&self) -> u64 {
        self.inner.info.generation
    }

    /// The database that it replaces.
    pub fn parent(&self) -> Option<&Parent> {
        self.inner.info.parent.as_ref()
    }

    /// For each ecosystem that has rules, when it last changed, as its records claim.
    pub fn ecosystems(&self) -> BTreeMap<String, Option<String>> {
        let with_rules = self.inner.info.ecosystems.iter().filter(|(_, stats)| stats.rules > 0);
        with_rules.map(|(name, stats)| (name.clone(), stats.last_changed.clone())).collect()
    }

    /// Whether there is any rule for an ecosystem.
    pub fn has_ecosystem(&self, ecosystem: &str) -> bool {
        self.inner.info.ecosystems.get(ecosystem).is_some_and(|stats| stats.rules > 0)
    }

    /// The rules for a package, by record id.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Damaged`].
    pub fn lookup(&self, ecosystem: &str, package: &str) -> Result<Vec<Rule>, DatabaseError> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT body FROM rule WHERE ecosystem = ?1 AND package = ?2 ORDER BY record, semantic",
            )?;
            let bodies = statement.query_map([ecosystem, package], |row| row.get::<_, Vec<u8>>(0))?;
            bodies.collect::<Result<Vec<_>, _>>()
        })?
        .into_iter()
        .map(|body| serde_json::from_slice(&body).map_err(|error| damaged(&self.inner.path, &error)))
        .collect()
    }

    /// The texts of a record.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Damaged`].
    pub fn text(&self, record: &str) -> Result<RecordText, DatabaseError> {
        let text = self.query(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT description, link FROM record WHERE id = ?1")?;
            let row =
                |row: &rusqlite::Row<'_>| Ok(RecordText { description: row.get(0)?, link: row.get(1)? });
            statement.query_row([record], row).optional()
        })?;
        Ok(text.unwrap_or_default())
    }

    /// What is said of a CVE beside the advisories.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Damaged`].
    pub fn rating(&self, cve: &str) -> Result<Rated, DatabaseError> {
        let rated = self.query(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT epss, known_exploited FROM rating WHERE cve = ?1")?;
            let row = |row: &rusqlite::Row<'_>| Ok(Rated { epss: row.get(0)?, known_exploited: row.get(1)? });
            statement.query_row([cve], row).optional()
        })?;
        Ok(rated.unwrap_or_default())
    }

    /// Runs a query on an idle connection, or on a new one.
    pub(crate) fn query<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        let idle = || self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let pooled = idle().pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.inner.path)?,
        };
        let answer = run(&connection).map_err(|error| damaged(&self.inner.path, &error));
        let mut idle = idle();
        if idle.len() < MAX_IDLE_CONNECTIONS {
            idle.push(connection);
        }
        answer
    }

    #[cfg(test)]
    pub(super) fn idle_connections(&self) -> usize {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn connect(path: &Path) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| damaged(path, &error))
}

/// SQLite notices a missing tail only where a query touches it; its header tells at once.
fn check_length(path: &Path) -> Result<(), DatabaseError> {
    use std::io::Read as _;
    let io = |source| DatabaseError::Io { path: path.display().to_string(), source };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let actual = file.metadata().map_err(io)?.len();
    let mut header = [0; 32];
    let read = file.read(&mut header).map_err(io)?;
    if read < header.len() || !header.starts_with(b"SQLite format 3\0") {
        return Err(damaged(path, &"it is not an SQLite file"));
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    if page * pages != actual {
        return Err(damaged(path, &format!("{actual} bytes where its header says {}", page * pages)));
    }
    Ok(())
}

fn damaged(path: &Path, reason: &dyn std::fmt::Display) -> DatabaseError {
    DatabaseError::Damaged { path: path.display().to_string(), reason: reason.to_string() }
}
