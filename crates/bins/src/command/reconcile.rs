//! `reconcile`: one comparison with each registry.

use cve_monitor_core::pipeline::{ReconcileMode, ReconcileSettings, Reconciler, Wanted};

use super::print_rows;
use crate::cli::{EXIT_ERROR, EXIT_OK, Format, Reconcile};
use crate::config::Loaded;
use crate::present::{self, Screen, WantedRow};
use crate::runtime::{Failure, Tally};
use crate::wiring::System;

pub(super) async fn reconcile(loaded: &Loaded, asked: &Reconcile) -> Result<u8, Failure> {
    loaded.config.require_registries()?;
    let system = System::open(loaded).await?;
    compare(&system, loaded, asked, &Tally::default()).await
}

/// Compares the registries that are asked for, or all; what cannot be listed is told and makes the exit code an error.
pub(crate) async fn compare(
    system: &System,
    loaded: &Loaded,
    asked: &Reconcile,
    tally: &Tally,
) -> Result<u8, Failure> {
    let mode = if asked.dry_run { ReconcileMode::DryRun } else { ReconcileMode::Apply };
    let settings = ReconcileSettings {
        sweep_after: loaded.config.reconcile.sweep_after,
        lists_per_second: loaded.config.reconcile.lists_per_second,
        ..ReconcileSettings::default()
    };
    let reconciler = Reconciler::new(system.ports.clone(), settings);
    let mut code = EXIT_OK;
    let mut rows = vec![];
    for name in system.registries(&asked.registry)? {
        let mut observer = |_: &_, wanted: &[Wanted]| {
            if asked.dry_run {
                rows.extend(wanted.iter().map(row));
            }
        };
        let round = reconciler.round(&name, mode, &mut observer).await;
        tally.round(&name, round.is_ok());
        match round {
            Ok(counts) if counts.unlisted > 0 => {
                eprintln!(
                    "error: {name}: {} of its repositories could not be listed; the others were compared, {} queued",
                    counts.unlisted,
                    counts.missing + counts.swept + counts.absent
                );
                code = EXIT_ERROR;
            }
            Ok(counts) => eprintln!(
                "{name}: {} repositories, {} images listed, {} up to date; {} {}",
                counts.repositories,
                counts.listed,
                counts.current,
                counts.missing + counts.swept + counts.absent,
                if asked.dry_run { "would be queued" } else { "queued" }
            ),
            Err(error) => {
                eprintln!("error: {error}");
                code = EXIT_ERROR;
            }
        }
    }
    if asked.dry_run {
        print_rows(asked.format, &rows, || present::wanted_text(&rows, Screen::of_stdout()))?;
    } else if asked.format == Format::Table {
        eprintln!("queued images are worked on by `cve-monitor watch` or `ingest`");
    }
    Ok(code)
}

fn row(wanted: &Wanted) -> WantedRow {
    WantedRow {
        image: wanted.image.to_string(),
        tags: wanted.tags.iter().map(ToString::to_string).collect(),
        why: wanted.why.as_str().to_owned(),
    }
}
