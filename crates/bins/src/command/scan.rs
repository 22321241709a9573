//! `scan`: images now, without any configuration or service.

mod outcomes;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{Ingest, IngestSettings, Ports, Pump};
use cve_monitor_core::ports::MAX_SEND;
use cve_monitor_core::scan::{Due, StreamId};
use cve_monitor_core::vocabulary::{ImageId, Lane, ScanRequest, Timestamp};

use crate::cli::{EXIT_ERROR, Format, Scan};
use crate::config::Loaded;
use crate::present::{self, Filter, ReportView, Screen};
use crate::runtime::Failure;
use crate::wiring::{Asked, OneScan};
use outcomes::Ended;
use progress::Progress;

/// How long what failed for now is tried again, all in all.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than any image takes: the lease is not extended meanwhile, so that a clock that stands still stays so.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn scan(loaded: &Loaded, asked: &Scan) -> Result<u8, Failure> {
    let progress = Progress::start();
    let scan = OneScan::open(loaded, &wanted(asked)).await?;
    scan.import(&|step| progress.say(step)).await?;
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
    drive(&scan.ports, &requests, loaded.config.ingest.concurrency, &progress).await?;
    let mut bodies = vec![];
    for image in &images {
        match outcomes::ended(&scan.ports, image).await? {
            Ended::Report(body) => bodies.push(body),
            Ended::Problem(problem) => problems.push(format!("{image}: {problem}")),
        }
    }
    progress.end();
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
        offline: asked.offline,
        insecure: asked.insecure,
    }
}

/// Drives the images to their ends; what failed for now is tried again while patience lasts.
async fn drive(
    ports: &Arc<Ports>,
    requests: &[ScanRequest],
    concurrency: usize,
    progress: &Arc<Progress>,
) -> Result<(), Failure> {
    progress.expect(requests.len() as u64);
    for batch in requests.chunks(MAX_SEND) {
        ports.queue.send(Lane::Push, batch).await.map_err(Failure::of)?;
    }
    let settings = IngestSettings { concurrency, lease: LEASE, ..IngestSettings::default() };
    let seen = Arc::clone(progress);
    let ingest = Ingest::new(Arc::clone(ports), settings)
        .on_outcome(Arc::new(move |image, outcome| seen.ended(image, outcome)));
    let mut pump = Pump::new(Arc::clone(ports));
    let deadline = ports.clock.now().plus(PATIENCE);
    loop {
        ingest.run_until_idle().await;
        let Some(next) = next_due(ports).await?.filter(|next| *next <= deadline) else { return Ok(()) };
        ports.clock.sleep_until(next).await;
        pump.round().await.map_err(Failure::of)?;
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
                println!("{}", String::from_utf8_lossy(body));
            }
        }
        Format::Table => {
            let filter = Filter { severities: asked.severity.clone(), fixed_only: asked.fixed_only };
            print!("{}", present::scan_text(&views, &filter, now, Screen::of_stdout()));
        }
    }
    Ok(present::scan_exit(&views, asked.fail_on, asked.fail_on_incomplete))
}
