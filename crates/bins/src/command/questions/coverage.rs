//! `coverage`: what each registry has now, and where each image stands.

use cve_monitor_core::pipeline::{self, Standing};
use cve_monitor_core::scan::Due;
use cve_monitor_core::vocabulary::{Level, Timestamp};

use super::super::put;
use crate::cli::{Coverage, EXIT_ERROR, EXIT_OK, Format};
use crate::config::Loaded;
use crate::present::{self, CoverageRow, CoverageSummary, Screen};
use crate::runtime::Failure;
use crate::wiring::System;

pub(in super::super) async fn coverage(loaded: &Loaded, asked: &Coverage) -> Result<u8, Failure> {
    loaded.config.require_registries()?;
    let system = System::for_questions(loaded).await?;
    let mut code = EXIT_OK;
    for name in system.registries(&asked.registry)? {
        let mut rows = vec![];
        let mut tell = |row: pipeline::CoverageRow| {
            let row = present_row(&row);
            if asked.all || row.standing != CURRENT {
                rows.push(row);
            }
        };
        let whole = pipeline::coverage(&system.ports, &name, &mut tell).await.map_err(Failure::of)?;
        if whole.unlisted.is_some() {
            code = EXIT_ERROR;
        }
        let summary = summary(&whole);
        match asked.format {
            Format::Json => {
                put(&present::json_lines(&[summary]).map_err(Failure::of)?)?;
                put(&present::json_lines(&rows).map_err(Failure::of)?)?;
            }
            Format::Table => {
                let now = system.ports.clock.now();
                put(&present::coverage_text(&summary, &rows, now, Screen::of_stdout()))?;
            }
        }
    }
    Ok(code)
}

const CURRENT: &str = "current";

fn summary(whole: &pipeline::Coverage) -> CoverageSummary {
    let counts = [
        ("listed", whole.listed),
        ("covered", whole.covered),
        ("open", whole.open),
        ("waiting", whole.waiting),
        ("never requested", whole.never_requested),
        ("given up", whole.abandoned),
        ("requests queued", whole.queued),
    ];
    CoverageSummary {
        registry: whole.registry.to_string(),
        listed_at: whole.listed_at,
        unknown: whole.unlisted.as_ref().map(ToString::to_string),
        counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        feed_position: whole.feed_position,
    }
}

fn present_row(row: &pipeline::CoverageRow) -> CoverageRow {
    let (standing, verdict, detail, verified_up_to) = words(&row.standing);
    CoverageRow {
        image: row.image.to_string(),
        tags: row.tags.iter().map(ToString::to_string).collect(),
        standing: standing.to_owned(),
        verdict,
        detail,
        verified_up_to,
    }
}

type Words = (&'static str, Option<String>, Option<String>, Option<Timestamp>);

fn words(standing: &Standing) -> Words {
    match standing {
        Standing::Current { verdict, level, verified_up_to } => {
            (CURRENT, Some(verdict.to_string()), Some(level_word(*level).to_owned()), Some(*verified_up_to))
        }
        Standing::Open => ("open", None, None, None),
        Standing::Waiting(due) => ("waiting", None, Some(waits_for(due)), None),
        Standing::NeverRequested => ("never requested", None, None, None),
        Standing::Abandoned(reason) => ("given up", None, Some(reason.to_string()), None),
        Standing::NotAnImage(kind) => ("not an image", None, Some(kind.as_str().to_owned()), None),
        Standing::Index { children, incomplete, worst } => {
            let detail = format!("index of {children}, {incomplete} not current");
            let standing = if *incomplete == 0 { CURRENT } else { "open" };
            (standing, worst.map(|verdict| verdict.to_string()), Some(detail), None)
        }
        Standing::Deleted => ("deleted", None, None, None),
    }
}

/// What a wait is for, in words.
fn waits_for(due: &Due) -> String {
    match due {
        Due::At(at) => format!("until {at}"),
        Due::ScannerReady => "for the scanner's data".to_owned(),
    }
}

/// A level in words.
fn level_word(level: Level) -> &'static str {
    match level {
        Level::Complete => "complete",
        Level::Partial => "partial",
        Level::Unsupported => "unsupported",
    }
}
