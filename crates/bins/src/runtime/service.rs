//! The duties of a process, each a supervised task, until a signal.

mod tasks;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cve_monitor_core::ports::Scanner;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::metrics::catalogue::Program;
use super::metrics::{Emitter, Marks, Meter, Told};
use super::{Bell, Done, Failure, Health, Pages, Server, Supervisor, Tally, Webhook, pause, stop_on_signal};
use crate::config::{CloudWatch, Config, Loaded};
use crate::wiring::System;

/// The wait before a server that is away is asked again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Duties {
    /// Work through the queue.
    pub ingest: bool,
    /// Refresh the advisories where that is ours to do, follow what the scanner has learnt, and wake what is due: of these
    /// processes there is one, while those that work through the queue are many.
    pub notify: bool,
    /// Compare each registry with what is known, this often.
    pub reconcile: Option<Duration>,
    /// Where pushes are received, and health is answered as well.
    pub pushes: Option<SocketAddr>,
    /// Where health alone is answered.
    pub health: Option<SocketAddr>,
}

impl Duties {
    /// The programs that do this; `watch` does what all of them do.
    fn programs(self) -> Vec<Program> {
        let mut programs = vec![];
        programs.extend(self.ingest.then_some(Program::Ingest));
        programs.extend(self.notify.then_some(Program::Notifier));
        programs.extend(self.reconcile.map(|_| Program::Reconciler));
        programs
    }

    /// What the process is called where its numbers are told.
    fn name(self) -> &'static str {
        match (self.ingest, self.notify) {
            (true, true) => "watch",
            (true, false) => "ingest",
            (false, true) => "notifier",
            (false, false) => "reconciler",
        }
    }
}

/// What the tasks of a process share.
#[derive(Debug, Clone)]
struct Shared {
    system: Arc<System>,
    /// The scanner, once it has been reached.
    scanner: Arc<OnceLock<Arc<dyn Scanner>>>,
    config: Arc<Config>,
    tally: Arc<Tally>,
    meter: Arc<Meter>,
    marks: Arc<Marks>,
    /// Rung when a refresh has changed the advisories, and when the scanner has notified.
    changed: Arc<Notify>,
}

/// Performs the duties until a signal, then finishes what is in hand; what was done. Once everything is at work
/// `started` is called with the address that is listened to.
///
/// # Errors
/// Where the system cannot be put together, or the address cannot be had.
pub async fn serve(
    loaded: &Loaded,
    duties: Duties,
    started: impl FnOnce(Option<SocketAddr>),
) -> Result<Done, Failure> {
    let supervisor = Supervisor::default();
    stop_on_signal(supervisor.stop().clone()).map_err(Failure::of)?;
    // Pushes, bells and questions about health are answered also while a scanner that is a server is away: what they bring
    // is durable without it.
    let clair = loaded.config.scanner.clair().is_some();
    let Some(front) = open(loaded, supervisor.stop(), !clair).await? else { return Ok(Done::default()) };
    let mut shared = Shared::new(front, loaded, duties);
    let emitter = shared.tell(&supervisor, loaded.config.metrics.as_ref(), duties);
    let mut addresses = vec![];
    for (address, receives) in [(duties.pushes, true), (duties.health, false)] {
        if let Some(address) = address {
            addresses.push(shared.answer(&supervisor, address, receives).await?);
        }
    }
    if clair {
        let Some(system) = open(loaded, supervisor.stop(), true).await? else {
            return shared.end(&supervisor, emitter).await;
        };
        shared.system = Arc::new(system);
    }
    // Set once, here.
    let _ = shared.scanner.set(Arc::clone(&shared.system.ports.scanner));
    if duties.notify {
        shared.notify(&supervisor);
    }
    if let Some(every) = duties.reconcile {
        shared.reconcile(&supervisor, every);
    }
    if duties.ingest {
        shared.ingest(&supervisor);
    }
    started(addresses.first().copied());
    supervisor.stop().cancelled().await;
    shared.end(&supervisor, emitter).await
}

/// Tells the numbers of a process that does this and ends now, where they are told to CloudWatch.
///
/// # Errors
/// Where nobody takes the standard output.
pub async fn tell_once(
    system: &System,
    loaded: &Loaded,
    duties: Duties,
    tally: Arc<Tally>,
    marks: Arc<Marks>,
) -> Result<(), Failure> {
    let Some(settings) = &loaded.config.metrics else { return Ok(()) };
    let scanner = Arc::new(OnceLock::from(Arc::clone(&system.ports.scanner)));
    let ports = Arc::clone(&system.ports);
    let meter = Meter::new(ports, scanner, tally, marks, duties.programs(), system.refreshes());
    let emitter = Emitter::new(Arc::new(meter), told(settings, duties));
    emitter.emit().await.map_err(Failure::of)
}

fn told(settings: &CloudWatch, duties: Duties) -> Told {
    Told { namespace: settings.namespace.clone(), program: duties.name().to_owned() }
}

/// Opens the system, with its scanner or without; while a server that it needs is away, again and again. None where it
/// was told to stop meanwhile.
async fn open(loaded: &Loaded, stop: &CancellationToken, scans: bool) -> Result<Option<System>, Failure> {
    loop {
        let opening =
            async { if scans { System::open(loaded).await } else { System::for_questions(loaded).await } };
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            opened = opening => opened,
        };
        match opened {
            Ok(system) => return Ok(Some(system)),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, retry_after_s = OPEN_AGAIN.as_secs(), "waiting for a server that is needed");
            }
            Err(error) => return Err(error.into()),
        }
        if pause(stop, OPEN_AGAIN).await {
            return Ok(None);
        }
    }
}

impl Shared {
    fn new(front: System, loaded: &Loaded, duties: Duties) -> Self {
        let (system, scanner) = (Arc::new(front), Arc::default());
        let (tally, marks) = (Arc::<Tally>::default(), Arc::<Marks>::default());
        let meter = Meter::new(
            Arc::clone(&system.ports),
            Arc::clone(&scanner),
            Arc::clone(&tally),
            Arc::clone(&marks),
            duties.programs(),
            system.refreshes(),
        );
        let (meter, config) = (Arc::new(meter), Arc::new(loaded.config.clone()));
        Self { system, scanner, config, tally, meter, marks, changed: Arc::default() }
    }

    /// Tells CloudWatch the numbers every so often, where it is told at all.
    fn tell(
        &self,
        supervisor: &Supervisor,
        settings: Option<&CloudWatch>,
        duties: Duties,
    ) -> Option<Arc<Emitter>> {
        let settings = settings?;
        let (emitter, every) =
            (Arc::new(Emitter::new(Arc::clone(&self.meter), told(settings, duties))), settings.every);
        let telling = Arc::clone(&emitter);
        supervisor.keep("metrics", move |stop| {
            let telling = Arc::clone(&telling);
            async move { telling.run(every, &stop).await }
        });
        Some(emitter)
    }

    /// Ends the tasks, and tells what they have done since it was last told.
    async fn end(&self, supervisor: &Supervisor, emitter: Option<Arc<Emitter>>) -> Result<Done, Failure> {
        supervisor.drain().await;
        if let Some(emitter) = emitter {
            emitter.emit().await.map_err(Failure::of)?;
        }
        Ok(self.tally.done())
    }

    async fn answer(
        &self,
        supervisor: &Supervisor,
        address: SocketAddr,
        receives: bool,
    ) -> Result<SocketAddr, Failure> {
        let token = self.config.watch.webhook_token.clone();
        let webhook = receives.then(|| Arc::new(Webhook { pushes: Arc::clone(&self.system.pushes), token }));
        let (ports, scanner) = (Arc::clone(&self.system.ports), Arc::clone(&self.scanner));
        let (health, meter) = (Health::new(ports, scanner), Arc::clone(&self.meter));
        let bell = self.system.bells.as_ref().zip(self.config.scanner.clair()).filter(|_| receives);
        let bell = bell.map(|(bells, clair)| Bell {
            path: clair.webhook_path.clone(),
            bells: Arc::clone(bells),
            rung: Arc::clone(&self.changed),
        });
        let pages =
            Pages { health, meter, webhook, bell: bell.map(Arc::new), tally: Arc::clone(&self.tally) };
        let server = Server::bind(address, pages.clone()).await.map_err(Failure::of)?;
        let address = server.address().map_err(Failure::of)?;
        tracing::info!("answering at http://{address}/");
        let first = std::sync::Mutex::new(Some(server));
        supervisor.keep("http", move |stop| {
            let first = first.lock().ok().and_then(|mut server| server.take());
            let pages = pages.clone();
            async move {
                let server = match first {
                    Some(server) => server,
                    None => Server::bind(address, pages).await?,
                };
                server.run(stop).await;
                Ok::<(), String>(())
            }
        });
        Ok(address)
    }
}
