//! The events, and what belongs to them: which images have which layers, and the bodies of reports.

use std::sync::Arc;

use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex};
use cve_monitor_adapters::aws::s3::{S3Archive, S3Settings};
use cve_monitor_adapters::embedded::{SqliteArchive, SqliteEventStore, SqliteLayerIndex};
use cve_monitor_core::ports::{Clock, EventStore, LayerIndex, ReportArchive};

use super::super::WiringError;
use super::super::aws::Aws;
use super::StateFile;
use crate::config::{Bucket, Store, StoreAt};

/// What one kind of store brings.
pub(in super::super) struct Stores {
    pub(in super::super) events: Arc<dyn EventStore>,
    pub(in super::super) index: Arc<dyn LayerIndex>,
    pub(in super::super) archive: Arc<dyn ReportArchive>,
}

pub(in super::super) async fn stores(
    settings: &Store,
    file: &StateFile,
    aws: &Aws,
    clock: &Arc<dyn Clock>,
) -> Result<Stores, WiringError> {
    match &settings.at {
        StoreAt::Sqlite => {
            let database = file.database().await?;
            Ok(Stores {
                events: Arc::new(SqliteEventStore::new(database.clone())),
                index: Arc::new(SqliteLayerIndex::new(database.clone())),
                archive: Arc::new(SqliteArchive::new(database, Arc::clone(clock))),
            })
        }
        StoreAt::DynamoDb { table_prefix, archive } => {
            let sdk = aws.in_region().await?;
            Ok(Stores {
                events: Arc::new(DynamoEventStore::new(sdk, table_prefix)),
                index: Arc::new(DynamoLayerIndex::new(sdk, table_prefix)),
                archive: Arc::new(S3Archive::new(sdk, bucket(archive))),
            })
        }
    }
}

/// A bucket, as the adapters have it.
pub(super) fn bucket(settings: &Bucket) -> S3Settings {
    S3Settings { bucket: settings.name.clone(), kms_key: settings.kms_key.clone() }
}
