//! `history`, `affected` and `tags`: what is known of images.

use cve_monitor_core::pipeline::{self, AffectedImage, HistoryEntry};
use cve_monitor_core::scan::StreamId;
use cve_monitor_core::vocabulary::{FindingKey, ImageId};

use super::super::print_rows;
use crate::cli::{Affected, EXIT_ERROR, EXIT_OK, Format, History, Tags};
use crate::config::Loaded;
use crate::present::{self, AffectedRow, HistoryRow, Screen, TagsRow};
use crate::runtime::Failure;
use crate::wiring::System;

/// Heads that are read at a time.
const PAGE: usize = 500;

pub(in super::super) async fn history(loaded: &Loaded, asked: &History) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let image = system.find(&asked.image).await?;
    let children = pipeline::index_children(&system.ports, &image).await.map_err(Failure::of)?;
    let images: Vec<ImageId> = match children {
        // An index has no reports of its own: its images have.
        Some(children) => children.into_iter().map(|digest| image.sibling(digest)).collect(),
        None => vec![image.clone()],
    };
    let mut any = false;
    for image in images {
        let entries = pipeline::history(&system.ports, &image).await.map_err(Failure::of)?;
        any |= !entries.is_empty();
        let rows: Vec<HistoryRow> = entries.into_iter().map(history_row).collect();
        print_rows(asked.format, &rows, || {
            present::history_text(&image.to_string(), &rows, Screen::of_stdout())
        })?;
    }
    if !any && asked.format == Format::Json {
        eprintln!("there is no report of {image}");
    }
    Ok(EXIT_OK)
}

fn history_row(entry: HistoryEntry) -> HistoryRow {
    let names = |keys: Vec<FindingKey>| -> Vec<String> {
        let mut names: Vec<String> = keys.iter().map(|key| format!("{} {}", key.name, key.package)).collect();
        names.sort();
        names.dedup();
        names
    };
    let findings = entry.report.counts.total();
    HistoryRow {
        at: entry.at,
        what: "report".to_owned(),
        verdict: Some(entry.report.verdict.to_string()),
        findings,
        new: entry.new.map(names),
        gone: entry.gone.map(names),
        delivered: entry.delivered.iter().map(|(sink, at)| format!("{sink} {at}")).collect(),
        report: Some(entry.report.report.to_string()),
    }
}

pub(in super::super) async fn affected(loaded: &Loaded, asked: &Affected) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let mut rows = vec![];
    let mut tell = |image: AffectedImage| rows.extend(affected_rows(&image));
    pipeline::affected(&system.ports, &asked.name, &mut tell).await.map_err(Failure::of)?;
    print_rows(asked.format, &rows, || present::affected_text(&asked.name, &rows, Screen::of_stdout()))?;
    Ok(EXIT_OK)
}

fn affected_rows(affected: &AffectedImage) -> Vec<AffectedRow> {
    let row = |finding: &pipeline::AffectedFinding| AffectedRow {
        image: affected.image.to_string(),
        tags: affected.tags.clone(),
        package: finding.package.clone(),
        version: finding.version.clone(),
        severity: finding.severity.to_string(),
        fixed_by: finding.fixed_by.clone(),
        layer: finding.layer.as_ref().map(ToString::to_string),
        location: finding.location.clone(),
        status: fix(finding).to_owned(),
        report: affected.report.to_string(),
        parents: affected.parents.iter().map(ToString::to_string).collect(),
    };
    affected.findings.iter().map(row).collect()
}

/// Whether there is a way out.
fn fix(finding: &pipeline::AffectedFinding) -> &'static str {
    if finding.fixed_by.is_some() { "fix_available" } else { "no_fix_known" }
}

pub(in super::super) async fn tags(loaded: &Loaded, asked: &Tags) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let (mut rows, mut after, mut code) = (vec![], None, EXIT_OK);
    loop {
        let page = system.ports.store.heads(StreamId::IMAGES, after, PAGE).await.map_err(Failure::of)?;
        for (stream, _) in page.items {
            let Some(image) = stream.as_image().filter(|image| asked.digests.contains(&image.digest)) else {
                continue;
            };
            let tags = match system.ports.registries.get(&image.registry) {
                Some(registry) => registry.tags(&image).await.map_err(|error| error.to_string()),
                None => Err(format!("no registry named `{}` is configured", image.registry)),
            };
            let tags = tags.unwrap_or_else(|problem| {
                eprintln!("error: {image}: {problem}");
                code = EXIT_ERROR;
                vec![]
            });
            let tags = tags.iter().map(ToString::to_string).collect();
            rows.push(TagsRow { image: image.to_string(), tags });
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for digest in
        asked.digests.iter().filter(|digest| !rows.iter().any(|row| row.image.ends_with(digest.as_str())))
    {
        eprintln!("error: no image with the digest {digest} is known");
        code = EXIT_ERROR;
    }
    print_rows(asked.format, &rows, || present::tags_text(&rows, Screen::of_stdout()))?;
    Ok(code)
}
