//! The events, and what belongs to them: which images have which layers, and the bodies of reports.

use std::sync::Arc;

use cve_monitor_adapters::embedded::{SqliteArchive, SqliteEventStore, SqliteLayerIndex};
use cve_monitor_core::ports::{Clock, EventStore, LayerIndex, ReportArchive};

use super::super::WiringError;
use super::StateFile;

/// What one kind of store brings.
pub(in super::super) struct Stores {
    pub(in super::super) events: Arc<dyn EventStore>,
    pub(in super::super) index: Arc<dyn LayerIndex>,
    pub(in super::super) archive: Arc<dyn ReportArchive>,
}

pub(in super::super) async fn stores(
    file: &StateFile,
    clock: &Arc<dyn Clock>,
) -> Result<Stores, WiringError> {
    let database = file.database().await?;
    Ok(Stores {
        events: Arc::new(SqliteEventStore::new(database.clone())),
        index: Arc::new(SqliteLayerIndex::new(database.clone())),
        archive: Arc::new(SqliteArchive::new(database, Arc::clone(clock))),
    })
}
