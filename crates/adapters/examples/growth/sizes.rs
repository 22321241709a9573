//! What things take, in all and each.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use cve_monitor_adapters::embedded::maintenance::{self, Stats};
use cve_monitor_core::ports::Clock as _;
use rusqlite::{Connection, OpenFlags};

use super::Failure;
use super::year::Year;

/// The tables and indexes of a file, in bytes of their pages.
pub(super) struct File {
    pub(super) whole: u64,
    events: u64,
    heads: u64,
    bodies: u64,
    index: u64,
    queue: u64,
}

pub(super) struct Sizes {
    day: u64,
    stats: Stats,
    file: File,
    reports: u64,
    folder: u64,
}

pub(super) async fn of_file(path: &Path) -> Result<File, Failure> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
                   WHERE d.aggregate = TRUE GROUP BY s.tbl_name";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let tables: BTreeMap<String, i64> = rows.collect::<Result<_, _>>()?;
        let of = |names: &[&str]| {
            let all = names.iter().filter_map(|name| tables.get(*name)).sum::<i64>();
            u64::try_from(all).unwrap_or_default()
        };
        Ok(File {
            whole: std::fs::metadata(&path)?.len(),
            events: of(&["events"]),
            heads: of(&["heads"]),
            bodies: of(&["bodies"]),
            index: of(&["layer_keys", "layer_images", "layer_index"]),
            queue: of(&["queue", "dead_letters"]),
        })
    })
    .await?
}

/// How many reports a folder holds, and their bytes.
fn of_folder(folder: &Path) -> std::io::Result<(u64, u64)> {
    let (mut reports, mut bytes) = (0, 0);
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let (entry, path) = entry.map(|entry| (entry.metadata(), entry.path()))?;
            let entry = entry?;
            if entry.is_dir() {
                folders.push(path);
            } else {
                reports += 1;
                bytes += entry.len();
            }
        }
    }
    Ok((reports, bytes))
}

impl Sizes {
    pub(super) const HEADER: &str =
        "  day  images  reports    events | MB: events  heads  archive  index  queue    file  folder";

    pub(super) async fn measure(year: &Year, day: u64) -> Result<Self, Failure> {
        let reports = year.reports.clone();
        let (reports, folder) = tokio::task::spawn_blocking(move || of_folder(&reports)).await??;
        let stats = maintenance::stats(&year.database, year.clock.now()).await?;
        Ok(Self { day, stats, file: of_file(year.database.path()).await?, reports, folder })
    }

    /// What one of each takes.
    pub(super) fn each(&self) -> String {
        let Self { stats, file, reports, folder, .. } = self;
        let each = |bytes: u64, count: u64| bytes as f64 / count.max(1) as f64;
        format!(
            "an event {:.0} bytes ({:.1} events an image, {:.1} a report); a head {:.0}; a body in the archive {:.0}, \
             of {:.0} as it is delivered; an image and a layer in the index {:.0}; a report in the folder {:.0}",
            each(file.events, stats.events),
            each(stats.events, stats.heads.images),
            each(stats.events, *reports),
            each(file.heads, stats.heads.streams),
            each(file.bodies, stats.bodies.count),
            each(stats.bodies.bytes, stats.bodies.count),
            each(file.index, stats.layer_index.rows),
            each(*folder, *reports),
        )
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, stats, file, reports, folder } = self;
        let mb = |bytes: u64| bytes as f64 / 1e6;
        write!(
            f,
            "{day:>5} {:>7} {reports:>8} {:>9} | {:>10.1} {:>6.1} {:>8.1} {:>6.1} {:>6.1} {:>7.1} {:>7.1}",
            stats.heads.images,
            stats.events,
            mb(file.events),
            mb(file.heads),
            mb(file.bodies),
            mb(file.index),
            mb(file.queue),
            mb(file.whole),
            mb(*folder),
        )
    }
}
