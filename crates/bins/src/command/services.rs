//! The services: the programs that do one duty each on a shared store, and `watch`, which does everything in one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::pipeline::{Notifier, Pump};

use super::{reconcile, started};
use crate::cli::{EXIT_OK, Format, IngestCli, NotifierCli, Reconcile, ReconcilerCli, Watch};
use crate::config::Loaded;
use crate::runtime::metrics::Marks;
use crate::runtime::{Duties, Failure, Tally, healthy, serve, tell_once};
use crate::wiring::System;

/// `ingest`.
///
/// # Errors
/// Where the system cannot be put together.
pub async fn ingest(cli: IngestCli) -> Result<u8, Failure> {
    let loaded = started(&cli.overrides())?;
    if cli.healthy {
        return healthy(loaded.config.health.listen).await;
    }
    loaded.config.require_one_place()?;
    let duties = Duties { ingest: true, health: loaded.config.health.listen, ..Duties::default() };
    let done = serve(&loaded, duties, |address| at_work("ingest", address)).await?;
    eprintln!("stopped: {done}");
    Ok(EXIT_OK)
}

/// `notifier`: pushes, advisories, changes, waits that are over.
///
/// # Errors
/// Where the system cannot be put together; with `--once` where the advisories cannot be followed.
pub async fn notifier(cli: NotifierCli) -> Result<u8, Failure> {
    let loaded = started(&cli.overrides())?;
    if cli.healthy {
        return healthy(Some(loaded.config.health.listen.unwrap_or(loaded.config.watch.listen))).await;
    }
    loaded.config.require_one_place()?;
    if cli.once {
        return follow_once(&loaded).await;
    }
    let pushes = Some(loaded.config.watch.listen);
    let duties = Duties { notify: true, pushes, health: loaded.config.health.listen, ..Duties::default() };
    let done = serve(&loaded, duties, |address| at_work("notifier", address)).await?;
    eprintln!("stopped: {done}");
    Ok(EXIT_OK)
}

/// Refreshes the advisories, follows the feed and wakes what is due, each once.
async fn follow_once(loaded: &Loaded) -> Result<u8, Failure> {
    let system = System::open(loaded).await?;
    let (tally, marks) = (Tally::default(), Marks::default());
    let lacking = system.refresh().await?.lacking;
    if lacking.all().next().is_none() {
        marks.refreshed.set(system.ports.clock.now());
    }
    for problem in lacking.all() {
        eprintln!("warning: {problem}");
    }
    let notifier = Notifier::new(system.ports.clone(), system.feed.clone());
    let done = notifier.follow().await.map_err(Failure::of)?;
    tally.followed(&done);
    marks.followed.set(system.ports.clock.now());
    let woken = Pump::new(system.ports.clone()).round().await.map_err(Failure::of)?;
    eprintln!(
        "followed {} changes and {} gaps; {} images queued, {woken} woken",
        done.changes,
        done.gaps,
        done.queued + done.swept
    );
    let duties = Duties { notify: true, ..Duties::default() };
    tell_once(&system, loaded, duties, Arc::new(tally), Arc::new(marks)).await?;
    Ok(EXIT_OK)
}

/// `reconciler`: once, or on a schedule.
///
/// # Errors
/// Where the system cannot be put together.
pub async fn reconciler(cli: ReconcilerCli) -> Result<u8, Failure> {
    let loaded = started(&cli.overrides())?;
    if cli.healthy {
        return healthy(loaded.config.health.listen).await;
    }
    loaded.config.require_one_place()?;
    loaded.config.require_registries()?;
    if cli.once || cli.dry_run {
        let (system, tally) = (System::open(&loaded).await?, Arc::<Tally>::default());
        let asked = Reconcile { dry_run: cli.dry_run, registry: vec![], format: Format::Table };
        let code = reconcile::compare(&system, &loaded, &asked, &tally).await?;
        if cli.once {
            let duties = Duties { reconcile: Some(loaded.config.reconcile.every), ..Duties::default() };
            tell_once(&system, &loaded, duties, tally, Arc::default()).await?;
        }
        return Ok(code);
    }
    let every = Some(loaded.config.reconcile.every);
    let duties = Duties { reconcile: every, health: loaded.config.health.listen, ..Duties::default() };
    let done = serve(&loaded, duties, |address| at_work("reconciler", address)).await?;
    eprintln!("stopped: {done}");
    Ok(EXIT_OK)
}

/// `healthy`.
pub(super) async fn watch_healthy(loaded: &Loaded) -> Result<u8, Failure> {
    healthy(Some(loaded.config.health.listen.unwrap_or(loaded.config.watch.listen))).await
}

/// `watch`, until a signal.
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
    let reports = loaded.config.reports.to_string();
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

fn at_work(name: &str, address: Option<SocketAddr>) {
    match address {
        Some(address) => eprintln!("{name} is at work; its health is answered at http://{address}/readyz"),
        None => eprintln!("{name} is at work"),
    }
}
