//! Tables of what is known: coverage, history, affected images, tags, the queue, the store.

use std::fmt::Write as _;

use cve_monitor_core::vocabulary::Timestamp;
use serde::Serialize;

use super::table::{Screen, or_dash, table};
use super::words::{age, brief, minute, safe};

/// An image in a registry's coverage.
#[derive(Debug, Clone, Serialize)]
pub struct CoverageRow {
    /// By digest.
    pub image: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where it stands: `current`, `waiting` …
    pub standing: String,
    /// The verdict of its last report.
    pub verdict: Option<String>,
    /// What else there is to say, such as why it waits.
    pub detail: Option<String>,
    /// Up to when its report is known to be right.
    pub verified_up_to: Option<Timestamp>,
}

/// A registry's coverage.
#[derive(Debug, Clone, Serialize)]
pub struct CoverageSummary {
    /// The registry.
    pub registry: String,
    /// When it was listed.
    pub listed_at: Timestamp,
    /// Why it could not be listed, where it could not.
    pub unknown: Option<String>,
    /// How many images of each standing, in the order to show them.
    pub counts: Vec<(String, u64)>,
    /// Up to when the advisories' changes have been followed.
    pub feed_position: Option<Timestamp>,
}

/// Something that happened to an image.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryRow {
    /// When.
    pub at: Timestamp,
    /// What: `report`, `verified` …
    pub what: String,
    /// The verdict.
    pub verdict: Option<String>,
    /// How many findings.
    pub findings: u32,
    /// What was new; none where the reports that tell are no longer kept.
    pub new: Option<Vec<String>>,
    /// What was gone; none likewise.
    pub gone: Option<Vec<String>>,
    /// The sinks that it was delivered to.
    pub delivered: Vec<String>,
    /// The report's id.
    pub report: Option<String>,
}

/// An affected package of an image.
#[derive(Debug, Clone, Serialize)]
pub struct AffectedRow {
    /// The image, by digest.
    pub image: String,
    /// The tags that led to it, or to an index that names it, when it was reported.
    pub tags: Vec<String>,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// How bad.
    pub severity: String,
    /// The version that repairs it.
    pub fixed_by: Option<String>,
    /// The layer that brought it in.
    pub layer: Option<String>,
    /// Where it lies.
    pub location: String,
    /// Whether something can be done.
    pub status: String,
    /// The report that says so.
    pub report: String,
    /// The indexes that name the image.
    pub parents: Vec<String>,
}

/// The tags of an image.
#[derive(Debug, Clone, Serialize)]
pub struct TagsRow {
    /// By digest.
    pub image: String,
    /// Its tags now.
    pub tags: Vec<String>,
}

/// A lane of the queue.
#[derive(Debug, Clone, Serialize)]
pub struct QueueRow {
    /// The lane.
    pub lane: String,
    /// Messages that can be received.
    pub ready: u64,
    /// Messages that someone works on.
    pub leased: u64,
    /// When the oldest was sent.
    pub oldest: Option<Timestamp>,
}

/// A request that was given up.
#[derive(Debug, Clone, Serialize)]
pub struct DeadRow {
    /// Its id, for `queue redrive`.
    pub id: String,
    /// The image, where that is known.
    pub image: String,
    /// Why, out of the closed list.
    pub reason: String,
    /// When it was given up.
    pub at: Timestamp,
    /// What else is known of it.
    pub detail: String,
}

/// An image that a reconciliation wants scanned.
#[derive(Debug, Clone, Serialize)]
pub struct WantedRow {
    /// By digest.
    pub image: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Why.
    pub why: String,
}

/// One JSON object a line.
///
/// # Errors
/// Never for rows of this module.
pub fn json_lines<T: Serialize>(rows: &[T]) -> Result<String, serde_json::Error> {
    rows.iter().map(|row| Ok(format!("{}\n", serde_json::to_string(row)?))).collect()
}

/// A registry's coverage, with its images below.
#[must_use]
pub fn coverage_text(
    summary: &CoverageSummary,
    rows: &[CoverageRow],
    now: Timestamp,
    screen: Screen,
) -> String {
    let mut text = format!("{}, listed {}\n", safe(&summary.registry), minute(summary.listed_at));
    if let Some(why) = &summary.unknown {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "unknown: the registry could not be listed: {}", safe(why));
    }
    let line = |(name, count): &(String, u64)| [name.clone(), count.to_string()];
    text += &table(["images", "count"], summary.counts.iter().map(line).collect(), screen);
    let position = summary.feed_position.map(|at| format!("{} ({})", minute(at), age(at, now)));
    let _ = writeln!(text, "advisories followed up to: {}", position.as_deref().unwrap_or("never"));
    if !rows.is_empty() {
        let row = |row: &CoverageRow| {
            let verified = row.verified_up_to.map(minute);
            [
                row.image.clone(),
                or_dash(Some(&row.tags.join(", "))),
                row.standing.clone(),
                or_dash(row.verdict.as_deref()),
                or_dash(verified.as_deref()),
                or_dash(row.detail.as_deref()),
            ]
        };
        let header = ["image", "tags", "standing", "verdict", "verified up to", "detail"];
        text += &table(header, rows.iter().map(row).collect(), screen);
    }
    text
}

/// What happened to an image, in the order of the rows.
#[must_use]
pub fn history_text(image: &str, rows: &[HistoryRow], screen: Screen) -> String {
    if rows.is_empty() {
        return format!("{}: nothing is known\n", safe(image));
    }
    let row = |row: &HistoryRow| {
        [
            minute(row.at),
            row.what.clone(),
            or_dash(row.verdict.as_deref()),
            row.findings.to_string(),
            or_dash(Some(&first_few(row.new.as_deref()))),
            or_dash(Some(&first_few(row.gone.as_deref()))),
            or_dash(Some(&row.delivered.join(", "))),
        ]
    };
    let header = ["at", "what", "verdict", "findings", "new", "gone", "delivered"];
    format!("{}\n{}", safe(image), table(header, rows.iter().map(row).collect(), screen))
}

/// How many names a cell of a table spells out; `--format json` has them all.
const NAMES_IN_A_CELL: usize = 8;

fn first_few(names: Option<&[String]>) -> String {
    let Some(names) = names else { return "no longer kept".to_owned() };
    let shown = names.iter().take(NAMES_IN_A_CELL).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_IN_A_CELL) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The images that a vulnerability affects.
#[must_use]
pub fn affected_text(name: &str, rows: &[AffectedRow], screen: Screen) -> String {
    let images: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
    let noun = if images.len() == 1 { "image" } else { "images" };
    let total = format!("{}: {} {noun}\n", safe(name), images.len());
    if rows.is_empty() {
        return total;
    }
    let row = |row: &AffectedRow| {
        let fixed = row.fixed_by.clone().unwrap_or_else(|| row.status.replace('_', " "));
        let layer = row
            .layer
            .as_deref()
            .and_then(|layer| layer.strip_prefix("sha256:"))
            .and_then(|hex| hex.get(..12));
        [
            row.image.clone(),
            or_dash(Some(&row.tags.join(", "))),
            row.package.clone(),
            row.version.clone(),
            fixed,
            row.severity.clone(),
            or_dash(layer),
        ]
    };
    let header = ["image", "tags", "package", "installed", "fixed in", "severity", "layer"];
    format!("{}{total}", table(header, rows.iter().map(row).collect(), screen))
}

/// The tags of images.
#[must_use]
pub fn tags_text(rows: &[TagsRow], screen: Screen) -> String {
    let row = |row: &TagsRow| [row.image.clone(), or_dash(Some(&row.tags.join(", ")))];
    table(["image", "tags"], rows.iter().map(row).collect(), screen)
}

/// The lanes of the queue.
#[must_use]
pub fn queue_text(rows: &[QueueRow], now: Timestamp, screen: Screen) -> String {
    let row = |row: &QueueRow| {
        let oldest = row.oldest.map(|at| brief(now.since(at)));
        [row.lane.clone(), row.ready.to_string(), row.leased.to_string(), or_dash(oldest.as_deref())]
    };
    table(["lane", "ready", "leased", "oldest"], rows.iter().map(row).collect(), screen)
}

/// What was given up.
#[must_use]
pub fn dead_text(rows: &[DeadRow], screen: Screen) -> String {
    if rows.is_empty() {
        return "nothing was given up\n".to_owned();
    }
    let row = |row: &DeadRow| {
        [row.id.clone(), row.image.clone(), row.reason.clone(), minute(row.at), row.detail.clone()]
    };
    table(["id", "image", "reason", "at", "detail"], rows.iter().map(row).collect(), screen)
}

/// What a reconciliation wants scanned.
#[must_use]
pub fn wanted_text(rows: &[WantedRow], screen: Screen) -> String {
    let row = |row: &WantedRow| [row.image.clone(), or_dash(Some(&row.tags.join(", "))), row.why.clone()];
    table(["image", "tags", "why"], rows.iter().map(row).collect(), screen)
}

/// Names with their values.
#[must_use]
pub fn stats_text(pairs: &[(String, String)], screen: Screen) -> String {
    let row = |(name, value): &(String, String)| [name.clone(), value.clone()];
    table(["what", "value"], pairs.iter().map(row).collect(), screen)
}
