//! The scanner that the settings name, with its feed and with what it knows.

mod asleep;

use std::sync::Arc;

use cve_monitor_adapters::clair::v2::{ClairV2Feed, ClairV2Scanner, ClairV2Settings, Proof};
use cve_monitor_adapters::clair::v4::{
    CLAIR_V4_SCANNER, ClairV4Client, ClairV4Feed, ClairV4Loading, ClairV4Scanner, ClairV4Settings,
};
use cve_monitor_adapters::clair::{Endpoint, PresharedKey, Signer};
use cve_monitor_adapters::embedded::{Database, EmbeddedScanner};
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{ChangeFeed, Clock, EventStore, ReportArchive, Scanner, ScannerError};

use super::WiringError;
use super::advisories::Advisories;
use super::bells::Ringing;
use super::storage::StateFile;
use crate::config::{Clair, Loaded, ScannerSettings};
use asleep::Asleep;

/// The name of Clair v2 where nobody asks it for its own.
const CLAIR_V2: &str = "clair-v2";

/// Where a scanner's knowledge comes from.
#[derive(Debug)]
pub(super) enum Knowledge {
    /// From advisories that we bring in, for the scanner inside.
    Advisories { advisories: Box<Advisories>, scanner: Arc<EmbeddedScanner>, layers: Database },
    /// A server looks after it.
    Server,
}

/// A scanner, with what belongs to it.
pub(super) struct InUse {
    pub(super) scanner: Arc<dyn Scanner>,
    pub(super) feed: Arc<dyn ChangeFeed>,
    pub(super) knowledge: Knowledge,
    /// How it notifies, where it does.
    pub(super) ringing: Option<Ringing>,
}

/// What a scanner needs of the rest.
pub(super) struct Around<'a> {
    pub(super) file: &'a StateFile,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) archive: Arc<dyn ReportArchive>,
    pub(super) registries: &'a Registries,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether anything is scanned: a server has to be there then.
    pub(super) scans: bool,
}

pub(super) async fn open(loaded: &Loaded, around: Around<'_>) -> Result<InUse, WiringError> {
    match &loaded.config.scanner {
        ScannerSettings::Embedded(_) => embedded(loaded, &around).await,
        ScannerSettings::ClairV4(clair) => v4(clair, &around).await,
        ScannerSettings::ClairV2(clair) => v2(clair, &around).await,
    }
}

async fn embedded(loaded: &Loaded, around: &Around<'_>) -> Result<InUse, WiringError> {
    let advisories = Advisories::open(loaded, &loaded.config.advisories.folder).await?;
    let layers = around.file.database().await?;
    let scanner = advisories.scanner(layers.clone(), around.registries.clone());
    Ok(InUse {
        scanner: Arc::<EmbeddedScanner>::clone(&scanner),
        feed: advisories.feed(layers.clone()),
        knowledge: Knowledge::Advisories { advisories: Box::new(advisories), scanner, layers },
        ringing: None,
    })
}

async fn v4(settings: &Clair, around: &Around<'_>) -> Result<InUse, WiringError> {
    let key = settings.psk.as_ref().map(PresharedKey::from_base64).transpose().map_err(WiringError::of)?;
    let signer = key.clone().map(|key| Signer::new(key, settings.issuer.clone(), Arc::clone(&around.clock)));
    let endpoint = |url: &url::Url| Endpoint {
        url: url.clone(),
        ca_file: settings.ca_file.clone(),
        signer: signer.clone(),
    };
    let mut reached = ClairV4Settings::new(endpoint(&settings.url));
    reached.matcher = endpoint(&settings.matcher_url);
    reached.index_timeout = settings.index_timeout;
    let client = Arc::new(ClairV4Client::new(&reached).map_err(WiringError::of)?);
    let feed = ClairV4Feed::new(Arc::clone(&client), Arc::clone(&around.archive), Arc::clone(&around.clock));
    let loading = ClairV4Loading {
        expected_updaters: settings.updaters.clone(),
        period: settings.period,
        deadline: settings.loading_deadline,
    };
    let scanner: Arc<dyn Scanner> = if around.scans {
        let (registries, clock) = (around.registries.clone(), Arc::clone(&around.clock));
        let connected = ClairV4Scanner::connect(client, registries, loading, clock).await;
        Arc::new(connected.map_err(|error| away(settings, &error))?)
    } else {
        Arc::new(Asleep { name: CLAIR_V4_SCANNER })
    };
    Ok(InUse {
        scanner,
        feed: Arc::new(feed.settling(settings.settle)),
        knowledge: Knowledge::Server,
        ringing: Some(Ringing::Wakes { key, unsigned: settings.webhook_unsigned }),
    })
}

async fn v2(settings: &Clair, around: &Around<'_>) -> Result<InUse, WiringError> {
    let mut reached = ClairV2Settings::new(settings.url.clone());
    reached.ca_file.clone_from(&settings.ca_file);
    reached.index_timeout = settings.index_timeout;
    reached.layer_generation = settings.layer_generation;
    let proof = if settings.assume_ready { Proof::Word } else { Proof::Metrics };
    let feed = ClairV2Feed::new(&reached, proof, Arc::clone(&around.store)).map_err(WiringError::of)?;
    let scanner: Arc<dyn Scanner> = if around.scans {
        let (registries, store) = (around.registries.clone(), Arc::clone(&around.store));
        let connected = ClairV2Scanner::connect(&reached, registries, store, Arc::clone(&around.clock)).await;
        Arc::new(connected.map_err(|error| away(settings, &error))?)
    } else {
        Arc::new(Asleep { name: CLAIR_V2 })
    };
    Ok(InUse { scanner, feed: Arc::new(feed), knowledge: Knowledge::Server, ringing: Some(Ringing::Tells) })
}

/// Names the address, which the scanner's own words do not.
fn away(settings: &Clair, error: &ScannerError) -> WiringError {
    let problem = format!("Clair at {}: {error}", settings.url);
    match error {
        ScannerError::Transient { .. } | ScannerError::Unreachable(_) => WiringError::away(problem),
        _ => WiringError::of(problem),
    }
}
