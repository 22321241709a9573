//! The unfinished database: records go in, its canonical content and its hash come out.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::CompileStats;
use super::precedence::{Precedence, Word};
use crate::advisory::database::{DatabaseInfo, EcosystemStats, SourceStats};
use crate::advisory::ecosystem::Ecosystem;
use crate::advisory::end_of_life::Stamps;
use crate::advisory::name::normalized_name;
use crate::advisory::osv::OsvRecord;
use crate::advisory::rule::{RecordText, Rule, is_not_affected};
use crate::advisory::source::{Rating, Source};

const SCHEMA: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (id TEXT PRIMARY KEY, description TEXT NOT NULL, link TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE rule (
        ecosystem TEXT NOT NULL, package TEXT NOT NULL, record TEXT NOT NULL, semantic BLOB NOT NULL,
        kind TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (ecosystem, package, record, semantic)
    ) WITHOUT ROWID;
    CREATE TABLE rating (
        cve TEXT PRIMARY KEY, epss TEXT, known_exploited INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE package (
        kind TEXT NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
";

/// Writes an unfinished database.
pub(super) struct Writer {
    connection: Connection,
    sources: BTreeMap<String, SourceStats>,
    ecosystems: BTreeMap<String, EcosystemStats>,
    stamps: BTreeMap<&'static str, Stamps>,
    stats: CompileStats,
    source: String,
    precedence: Precedence,
}

impl Writer {
    pub(super) fn create(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // A crash leaves an unfinished file that nothing reads: it needs no journal.
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection,
            sources: BTreeMap::new(),
            ecosystems: BTreeMap::new(),
            stamps: BTreeMap::new(),
            stats: CompileStats::default(),
            source: String::new(),
            precedence: Precedence::default(),
        })
    }

    /// What follows belongs to this source, and yields to the sources before it.
    pub(super) fn begin_source(&mut self, source: &Source) {
        source.name.clone_into(&mut self.source);
        self.sources.insert(source.name.clone(), SourceStats::default());
        self.precedence.begin(source.only.as_deref());
    }

    pub(super) fn add(&mut self, record: &OsvRecord) -> rusqlite::Result<()> {
        let (id, is_first) = self.precedence.note(&record.id);
        let source = self.sources.entry(self.source.clone()).or_default();
        if is_first {
            source.records += 1;
            self.stats.records += 1;
        }
        keep_newest(&mut source.newest_modified, record.modified.as_ref());
        if self.precedence.is_overridden(id) {
            self.stats.overridden += 1;
            return Ok(());
        }
        let is_withdrawn = record.withdrawn.as_deref().is_some_and(|when| !when.is_empty());
        self.stats.withdrawn += u64::from(is_withdrawn);
        let (mut has_rules, mut is_overridden) = (false, false);
        for affected in &record.affected {
            let package = affected.package.as_ref().filter(|package| !package.name.is_empty());
            let matched = package.and_then(|package| Some((package, Ecosystem::parse(&package.ecosystem)?)));
            let Some((package, ecosystem)) = matched else {
                self.stats.entries_not_matched += 1;
                continue;
            };
            match self.precedence.word(id, &ecosystem) {
                Word::Counts => {}
                Word::NotItsOwn => continue,
                Word::Overridden => {
                    is_overridden = true;
                    continue;
                }
            }
            let stats = self.ecosystems.entry(ecosystem.name.clone()).or_default();
            stats.entries += 1;
            // A withdrawal is news too, though it leaves no rule.
            keep_newest(&mut stats.last_changed, record.modified.as_ref());
            if let Some(stamp) = record.modified.as_ref().filter(|_| ecosystem.is_system()) {
                self.stamps.entry(ecosystem.export()).or_default().add(&record.id, stamp);
            }
            if is_withdrawn || is_not_affected(affected) {
                continue;
            }
            let rule = Rule::of(record, affected, &ecosystem);
            if !rule.says_nothing() {
                self.add_rule(&ecosystem, &package.name, &rule)?;
                has_rules = true;
            }
        }
        self.stats.overridden += u64::from(is_overridden);
        if has_rules { self.add_text(record) } else { Ok(()) }
    }

    fn add_rule(&mut self, ecosystem: &Ecosystem, package: &str, rule: &Rule) -> rusqlite::Result<()> {
        let body = serde_json::to_vec(rule)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO rule (ecosystem, package, record, semantic, kind, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let written = insert.execute(params![
            ecosystem.name,
            normalized_name(ecosystem.kind(), package),
            rule.record,
            rule.semantic_hash(),
            ecosystem.kind().as_str(),
            body
        ])? as u64;
        self.ecosystems.entry(ecosystem.name.clone()).or_default().rules += written;
        self.stats.rules += written;
        Ok(())
    }

    /// Keeps what is said of a CVE: it decides no finding, but tells more of it.
    pub(super) fn rate(&mut self, cve: &str, rating: &Rating) -> rusqlite::Result<()> {
        match rating {
            Rating::Epss(score) => self
                .connection
                .prepare_cached(
                    "INSERT INTO rating (cve, epss) VALUES (?1, ?2)
                     ON CONFLICT (cve) DO UPDATE SET epss = coalesce(epss, excluded.epss)",
                )?
                .execute([cve, score])?,
            Rating::KnownExploited => self
                .connection
                .prepare_cached(
                    "INSERT INTO rating (cve, known_exploited) VALUES (?1, 1)
                     ON CONFLICT (cve) DO UPDATE SET known_exploited = 1",
                )?
                .execute([cve])?,
        };
        Ok(())
    }

    fn add_text(&self, record: &OsvRecord) -> rusqlite::Result<()> {
        let text = RecordText::of(record);
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO record (id, description, link) VALUES (?1, ?2, ?3)")?
            .execute(params![record.id, text.description, text.link])?;
        Ok(())
    }

    /// What the database holds, with the hash of it: computed over sorted rows, never over the file, whose
    /// bytes depend on the order in which they were written.
    pub(super) fn contents(&mut self) -> rusqlite::Result<(DatabaseInfo, CompileStats)> {
        self.digest_packages()?;
        let mut hash = Sha256::new();
        let mut put = |field: &[u8]| {
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field);
        };
        for name in self.sources.keys() {
            put(name.as_bytes());
        }
        for (name, stats) in &self.ecosystems {
            put(name.as_bytes());
            put(stats.last_changed.as_deref().unwrap_or_default().as_bytes());
        }
        let days = self
            .stamps
            .iter()
            .filter_map(|(name, stamps)| Some(((*name).to_owned(), stamps.day()?.to_owned())));
        let days: BTreeMap<String, String> = days.collect();
        for (name, day) in &days {
            put(name.as_bytes());
            put(day.as_bytes());
        }
        let rows = |sql: &str, put: &mut dyn FnMut(&[u8])| -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    put(row.get_ref(column)?.as_bytes()?);
                }
            }
            Ok(())
        };
        rows("SELECT ecosystem, package, record, semantic FROM rule ORDER BY 1, 2, 3, 4", &mut put)?;
        rows("SELECT id, description, link FROM record ORDER BY id", &mut put)?;
        let ratings =
            "SELECT cve, coalesce(epss, ''), CAST(known_exploited AS TEXT) FROM rating ORDER BY cve";
        rows(ratings, &mut put)?;
        let info = DatabaseInfo {
            schema: 0,
            id: crate::layer::digest_text(&hash.finalize()),
            generation: 0,
            parent: None,
            sources: self.sources.clone(),
            ecosystems: self.ecosystems.clone(),
            days,
        };
        Ok((info, self.stats))
    }

    /// One digest for each package, over all its rules: two databases are compared by these alone.
    fn digest_packages(&self) -> rusqlite::Result<()> {
        let mut rules = self.connection.prepare(
            "SELECT kind, package, ecosystem, semantic FROM rule ORDER BY kind, package, ecosystem, semantic",
        )?;
        let mut insert =
            self.connection.prepare("INSERT INTO package (kind, name, digest) VALUES (?1, ?2, ?3)")?;
        let mut current: Option<(String, String, Sha256)> = None;
        let mut rows = rules.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
            if current.as_ref().is_none_or(|(of_kind, of_name, _)| *of_kind != kind || *of_name != name) {
                if let Some((kind, name, hash)) = current.take() {
                    insert.execute(params![kind, name, hash.finalize().to_vec()])?;
                }
                current = Some((kind, name, Sha256::new()));
            }
            if let Some((_, _, hash)) = &mut current {
                hash.update(row.get_ref(2)?.as_bytes()?);
                hash.update(row.get_ref(3)?.as_bytes()?);
            }
        }
        if let Some((kind, name, hash)) = current {
            insert.execute(params![kind, name, hash.finalize().to_vec()])?;
        }
        Ok(())
    }

    /// Writes what the database says about itself, and closes it.
    pub(super) fn finish(self, info: &DatabaseInfo) -> rusqlite::Result<()> {
        let json = serde_json::to_string(info)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.connection.execute("INSERT INTO meta (key, value) VALUES ('info', ?1)", [json])?;
        self.connection.execute_batch("COMMIT;")?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// Time stamps of one form sort as text; a stamp is information, never a reason to skip a record.
fn keep_newest(newest: &mut Option<String>, candidate: Option<&String>) {
    if candidate > newest.as_ref() {
        *newest = candidate.cloned();
    }
}
