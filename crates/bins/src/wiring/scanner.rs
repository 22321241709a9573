//! The scanner that the settings name, with its feed and with what it knows.

use std::sync::Arc;

use cve_monitor_adapters::clair::v2::{ClairV2Feed, ClairV2Scanner, ClairV2Settings};
use cve_monitor_adapters::clair::v4::{ClairV4Feed, ClairV4Scanner, ClairV4Settings};
use cve_monitor_adapters::clair::{Endpoint, PresharedKey, Signer};
use cve_monitor_adapters::embedded::Database;
use cve_monitor_core::pipeline::Registries;
use cve_monitor_core::ports::{ChangeFeed, Clock, EventStore, ReportArchive, Scanner};

use super::WiringError;
use super::advisories::Advisories;
use super::bells::Ringing;
use crate::config::{Clair, Loaded, ScannerSettings};

/// Where a scanner's knowledge comes from.
#[derive(Debug)]
pub(super) enum Knowledge {
    /// From advisories that we bring in.
    Advisories(Advisories),
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
    pub(super) database: &'a Database,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) archive: Arc<dyn ReportArchive>,
    pub(super) registries: &'a Registries,
    pub(super) clock: Arc<dyn Clock>,
}

pub(super) async fn open(loaded: &Loaded, around: Around<'_>) -> Result<InUse, WiringError> {
    match &loaded.config.scanner {
        ScannerSettings::Embedded => embedded(loaded, &around).await,
        ScannerSettings::ClairV4(clair) => v4(clair, around),
        ScannerSettings::ClairV2(clair) => v2(clair, around),
    }
}

async fn embedded(loaded: &Loaded, around: &Around<'_>) -> Result<InUse, WiringError> {
    let advisories = Advisories::open(loaded, &loaded.config.advisories.folder).await?;
    Ok(InUse {
        scanner: advisories.scanner(around.database.clone(), around.registries.clone()),
        feed: advisories.feed(around.database.clone()),
        knowledge: Knowledge::Advisories(advisories),
        ringing: None,
    })
}
