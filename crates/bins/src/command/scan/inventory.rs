//! `inventory`: what is in an image; nothing is judged.

use cve_monitor_adapters::embedded::Seen;
use cve_monitor_core::vocabulary::{ImageId, Timestamp};
use cve_monitor_scanner::sbom::{Subject, cyclonedx, spdx};
use serde_json::json;

use super::super::put;
use super::outcomes::{self, Ended};
use super::{Drive, Progress};
use crate::cli::{EXIT_ERROR, EXIT_OK, Inventory, InventoryFormat};
use crate::config::Loaded;
use crate::present::{self, Screen};
use crate::runtime::Failure;
use crate::wiring::{Asked, OneScan};

/// How much of an instant a document carries: to the second, as SPDX has it.
const SECONDS: usize = "2026-03-01T12:00:00".len();

pub(in crate::command) async fn inventory(loaded: &Loaded, asked: &Inventory) -> Result<u8, Failure> {
    let progress = Progress::start();
    let wanted = Asked {
        images: vec![asked.image.clone()],
        platforms: asked.platform.clone().into_iter().collect(),
        as_of: asked.as_of,
        sbom: asked.sbom,
        insecure: asked.insecure,
        ..Asked::default()
    };
    let scan = OneScan::open(loaded, &wanted).await?;
    progress.say("looking for the image");
    let (mut requests, mut problems) = (vec![], vec![]);
    for request in scan.requests().await {
        match request {
            Ok(request) => requests.push(request),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let concurrency = loaded.config.ingest.concurrency;
    Drive::start(&scan.ports, &requests, concurrency, &progress).await?.until_idle().await?;
    progress.end();
    let now = scan.ports.clock.now();
    for request in &requests {
        let image = &request.image;
        match (scan.inventory(image).await?, outcomes::ended(&scan.ports, image).await?) {
            (Some(seen), _) => put(&rendered(asked.format, image, &seen, now)?)?,
            (None, Ended::Problem(problem)) => problems.push(format!("{image}: {problem}")),
            (None, Ended::Report(_)) => {}
        }
    }
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    Ok(if problems.is_empty() { EXIT_OK } else { EXIT_ERROR })
}

fn rendered(
    format: InventoryFormat,
    image: &ImageId,
    seen: &Seen,
    now: Timestamp,
) -> Result<String, Failure> {
    let name = format!("{}/{}", image.registry, image.repository);
    let layers: Vec<&str> = seen.layers.iter().map(|layer| layer.as_str()).collect();
    let instant: String = now.to_string().chars().take(SECONDS).collect();
    let subject = Subject {
        image: &name,
        digest: Some(image.digest.as_str()),
        layers: &layers,
        created: &format!("{instant}Z"),
        tool_version: env!("CARGO_PKG_VERSION"),
    };
    let document = match format {
        InventoryFormat::Table => {
            return Ok(present::packages_text(&image.to_string(), seen, Screen::of_stdout()));
        }
        InventoryFormat::Json => {
            let mut object = serde_json::to_value(&seen.inventory).map_err(Failure::of)?;
            object["image"] = json!(image.to_string());
            object["layers"] = json!(layers);
            Ok(object.to_string())
        }
        InventoryFormat::Cyclonedx => cyclonedx(&seen.inventory, &subject),
        InventoryFormat::Spdx => spdx(&seen.inventory, &subject),
    };
    Ok(format!("{}\n", document.map_err(Failure::of)?.trim_end()))
}
