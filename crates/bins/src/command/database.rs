//! `db` and `rebuild`: looking after the SQLite file, and making again what was lost.

use cve_monitor_adapters::embedded::maintenance::{self, Retention, Stats};
use cve_monitor_core::pipeline::{rebuild_heads, rebuild_lake, rebuild_layer_index};

use crate::cli::{Db, DbCommand, EXIT_ERROR, EXIT_OK, Format, Rebuild, RebuildWhat};
use crate::config::{Config, Loaded, Queue, StoreAt};
use crate::present::{self, Screen};
use crate::runtime::Failure;
use crate::wiring::System;

pub(super) async fn db(loaded: &Loaded, asked: &Db) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let database = system.database.as_ref().ok_or_else(|| {
        Failure::of("nothing is kept in a SQLite file here: neither store.kind, queue.kind nor scanner.kind needs one")
    })?;
    for place in elsewhere(&loaded.config) {
        eprintln!("note: {place}, not in {}", loaded.config.store.path.display());
    }
    let now = system.ports.clock.now();
    match &asked.command {
        DbCommand::Stats { format } => {
            let stats = maintenance::stats(database, now).await.map_err(Failure::of)?;
            let pairs = pairs(&stats);
            match format {
                Format::Json => {
                    let object: serde_json::Map<String, serde_json::Value> = pairs
                        .into_iter()
                        .map(|(name, value)| (name.replace(' ', "_"), value.into()))
                        .collect();
                    println!("{}", serde_json::Value::from(object));
                }
                Format::Table => {
                    let pairs: Vec<(String, String)> =
                        pairs.into_iter().map(|(name, value)| (name, value.to_string())).collect();
                    print!("{}", present::stats_text(&pairs, Screen::of_stdout()));
                }
            }
        }
        DbCommand::Backup { path } => {
            maintenance::backup(database, path).await.map_err(Failure::of)?;
            println!("copied to {}", path.display());
        }
        DbCommand::Prune => {
            let kept = loaded.config.retention.clone();
            let retention = Retention { report_bodies: kept.report_bodies, dead_letters: kept.dead_letters };
            let pruned = maintenance::prune(database, retention, now).await.map_err(Failure::of)?;
            println!(
                "removed {} superseded report bodies ({} bytes) and {} dead letters",
                pruned.bodies, pruned.body_bytes, pruned.dead_letters
            );
        }
    }
    Ok(EXIT_OK)
}

/// What is kept in other places than the file.
fn elsewhere(config: &Config) -> Vec<String> {
    let mut places = vec![];
    if config.store.at != StoreAt::Sqlite {
        places.push(format!("events and the bodies of reports are in {}", config.store));
    }
    if config.queue != Queue::Sqlite {
        places.push(format!("requests and dead letters are in {}", config.queue));
    }
    places
}

fn pairs(stats: &Stats) -> Vec<(String, u64)> {
    let mut pairs = vec![
        ("schema version".to_owned(), u64::from(stats.schema_version)),
        ("events".to_owned(), stats.events),
        ("streams".to_owned(), stats.heads.streams),
        ("images".to_owned(), stats.heads.images),
        ("waiting for a time".to_owned(), stats.heads.waiting_for_a_time),
        ("waiting for the scanner".to_owned(), stats.heads.waiting_for_the_scanner),
    ];
    for (lane, depth) in &stats.lanes {
        pairs.push((format!("{lane} ready"), depth.ready));
        pairs.push((format!("{lane} leased"), depth.leased));
    }
    pairs.extend([
        ("dead letters".to_owned(), stats.dead_letters),
        ("report bodies".to_owned(), stats.bodies.count),
        ("report body bytes".to_owned(), stats.bodies.bytes),
        ("report body bytes stored".to_owned(), stats.bodies.stored_bytes),
        ("layer index rows".to_owned(), stats.layer_index.rows),
        ("layer index keys".to_owned(), stats.layer_index.keys),
        ("file bytes".to_owned(), stats.file_bytes),
        ("log bytes".to_owned(), stats.log_bytes),
    ]);
    pairs
}

pub(super) async fn rebuild(loaded: &Loaded, asked: &Rebuild) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let rebuilt = match asked.what {
        RebuildWhat::Index => rebuild_layer_index(&system.ports).await,
        RebuildWhat::Heads => rebuild_heads(&system.ports).await,
        RebuildWhat::Lake => rebuild_lake(&system.ports).await,
    }
    .map_err(Failure::of)?;
    println!("read {} events, wrote {}", rebuilt.read, rebuilt.written);
    if rebuilt.missing > 0 {
        eprintln!(
            "error: {} reports cannot be made again: their bodies are no longer archived",
            rebuilt.missing
        );
        return Ok(EXIT_ERROR);
    }
    Ok(EXIT_OK)
}
