//! `watch`: everything in one process, until a signal.

use std::time::Duration;

use crate::cli::{EXIT_OK, Watch};
use crate::config::Loaded;
use crate::runtime::{Duties, Failure, serve};

pub(super) async fn watch(loaded: &Loaded, asked: &Watch) -> Result<u8, Failure> {
    loaded.config.require_registries()?;
    let poll: Option<Duration> = (!asked.no_reconcile).then_some(loaded.config.watch.poll);
    let duties = Duties {
        ingest: true,
        notify: true,
        reconcile: poll,
        pushes: Some(loaded.config.watch.listen),
        health: loaded.config.health.listen,
    };
    let registries: Vec<&str> = loaded.config.registries.iter().map(|r| r.name.as_str()).collect();
    let reports = loaded.config.reports.folder.display().to_string();
    let done = serve(loaded, duties, |address| {
        eprintln!("watching {}; reports go to {reports}", registries.join(", "));
        if let Some(address) = address {
            eprintln!("pushes are received at http://{address}/webhooks/distribution");
        }
        eprintln!("Ctrl-C stops it");
    })
    .await?;
    eprintln!("stopped: {done}");
    Ok(EXIT_OK)
}
