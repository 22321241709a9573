//! `scan`: images now, without any configuration or service.

mod inventory;
mod outcomes;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{Ingest, IngestSettings, Ports, Pump};
use cve_monitor_core::ports::MAX_SEND;
use cve_monitor_core::scan::{Due, StreamId};
use cve_monitor_core::vocabulary::{ImageId, Lane, ScanRequest, Timestamp};

use super::put;
use crate::cli::{EXIT_ERROR, Format, Scan};
use crate::config::Loaded;
use crate::present::{self, Filter, ReportView, Screen};
use crate::runtime::Failure;
use crate::wiring::{Asked, OneScan};
pub(super) use inventory::inventory;
use outcomes::Ended;
pub(super) use progress::Progress;

/// What can be done where there are no advisories.
const REMEDY: &str = "  connect once, import a bundle (`cve-monitor advisories import FILE`), or name a folder, a .zip or \
                      a mirror with --advisories";
/// How long what failed for now is tried again, all in all.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than any image takes: the lease is not extended meanwhile, so that a clock that stands still stays so.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn scan(loaded: &Loaded, asked: &Scan) -> Result<u8, Failure> {
    let progress = Progress::start();
    let scan = OneScan::open(loaded, &wanted(asked)).await?;
    progress.say("looking for the images");
    let (mut images, mut problems): (Vec<ImageId>, Vec<String>) = (vec![], vec![]);
    let mut requests: Vec<ScanRequest> = vec![];
    for request in scan.requests().await {
        match request {
            // The image of two names is one image.
            Ok(request) if images.contains(&request.image) => {}
            Ok(request) => {
                images.push(request.image.clone());
                requests.push(request);
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let mut drive = Drive::start(&scan.ports, &requests, loaded.config.ingest.concurrency, &progress).await?;
    drive.until_idle().await?;
    let lacking = scan.learn(&images, &|step| progress.say(step)).await?;
    drive.judge().await?;
    problems.extend(lacking.missing.into_iter().map(|missing| format!("{missing}\n{REMEDY}")));
    let mut bodies = vec![];
    for image in &images {
        match outcomes::ended(&scan.ports, image).await? {
            Ended::Report(body) => bodies.push(body),
            Ended::Problem(problem) => problems.push(format!("{image}: {problem}")),
        }
    }
    progress.end();
    for warning in &lacking.warnings {
        eprintln!("warning: {warning}");
    }
    let code = print(asked, &bodies, scan.ports.clock.now())?;
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    Ok(if problems.is_empty() { code } else { EXIT_ERROR })
}

fn wanted(asked: &Scan) -> Asked {
    Asked {
        images: asked.images.clone(),
        advisories: asked.advisories.clone(),
        platforms: asked.platform.clone(),
        as_of: asked.as_of,
        sbom: asked.sbom,
        offline: asked.offline,
        insecure: asked.insecure,
    }
}

/// Drives images to their ends; what failed for now is tried again while patience lasts.
struct Drive {
    ports: Arc<Ports>,
    ingest: Ingest,
    pump: Pump,
    deadline: Timestamp,
}

impl Drive {
    async fn start(
        ports: &Arc<Ports>,
        requests: &[ScanRequest],
        concurrency: usize,
        progress: &Arc<Progress>,
    ) -> Result<Self, Failure> {
        progress.expect(requests.len() as u64);
        for batch in requests.chunks(MAX_SEND) {
            ports.queue.send(Lane::Push, batch).await.map_err(Failure::of)?;
        }
        let settings = IngestSettings { concurrency, lease: LEASE, ..IngestSettings::default() };
        let seen = Arc::clone(progress);
        let ingest = Ingest::new(Arc::clone(ports), settings)
            .on_outcome(Arc::new(move |image, outcome| seen.ended(image, outcome)));
        let deadline = ports.clock.now().plus(PATIENCE);
        Ok(Self { ports: Arc::clone(ports), ingest, pump: Pump::new(Arc::clone(ports)), deadline })
    }

    /// Until nothing can be done but to judge what was read.
    async fn until_idle(&mut self) -> Result<(), Failure> {
        loop {
            self.ingest.run_until_idle().await;
            let next = next_due(&self.ports).await?.filter(|next| *next <= self.deadline);
            let Some(next) = next else { return Ok(()) };
            self.ports.clock.sleep_until(next).await;
            self.pump.round().await.map_err(Failure::of)?;
        }
    }

    /// Judges what was read.
    async fn judge(&mut self) -> Result<(), Failure> {
        self.deadline = self.ports.clock.now().plus(PATIENCE);
        self.pump.round().await.map_err(Failure::of)?;
        self.until_idle().await
    }
}

/// When the next image wants to be tried again.
async fn next_due(ports: &Ports) -> Result<Option<Timestamp>, Failure> {
    let due = Due::At(Timestamp::MAX);
    let page = ports.store.due(&due, Timestamp::MAX, None, 1).await.map_err(Failure::of)?;
    Ok(page.items.first().filter(|(stream, _)| is_image(stream)).and_then(|(_, head)| match head.due() {
        Some(Due::At(at)) => Some(at),
        _ => None,
    }))
}

fn is_image(stream: &StreamId) -> bool {
    stream.as_image().is_some()
}

/// Prints the reports; the exit code that they deserve.
fn print(asked: &Scan, bodies: &[Vec<u8>], now: Timestamp) -> Result<u8, Failure> {
    let views: Result<Vec<ReportView>, String> = bodies.iter().map(|body| ReportView::parse(body)).collect();
    let views = views.map_err(Failure::of)?;
    match asked.format {
        Format::Json => {
            for body in bodies {
                put(&format!("{}\n", String::from_utf8_lossy(body)))?;
            }
        }
        Format::Table => {
            let filter = Filter { severities: asked.severity.clone(), fixed_only: asked.fixed_only };
            put(&present::scan_text(&views, &filter, now, Screen::of_stdout()))?;
        }
    }
    Ok(present::scan_exit(&views, asked.fail_on, asked.fail_on_incomplete))
}
