//! DynamoDB, as moto and DynamoDB Local stand in for it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use cve_monitor_adapters::aws::SdkConfig;
use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex, create_tables};
use cve_monitor_core::ports::{EventStore, LayerIndex};
use cve_monitor_core::testkit::laws::event_store::EventStoreHarness;
use cve_monitor_core::testkit::laws::layer_index::LayerIndexHarness;
use cve_monitor_core::testkit::laws::{self, Harness, UniqueNames};
use xtask::aws::Emulator;

use crate::emulators;
use crate::rows::Rows;

pub(crate) fn register(rows: &mut Rows) {
    rows.add("event_store", "dynamodb_moto", laws::event_store::LAWS, || {
        Box::pin(async { Ok(OwnTables::fresh(Emulator::Moto).await? as _) })
    });
    rows.add("event_store", "dynamodb_local", laws::event_store::LAWS, || {
        Box::pin(async { Ok(OwnTables::fresh(Emulator::DynamoDbLocal).await? as _) })
    });
    rows.add("layer_index", "dynamodb_moto", laws::layer_index::LAWS, || {
        Box::pin(async { Ok(OwnTables::fresh(Emulator::Moto).await? as _) })
    });
    rows.add("layer_index", "dynamodb_local", laws::layer_index::LAWS, || {
        Box::pin(async { Ok(OwnTables::fresh(Emulator::DynamoDbLocal).await? as _) })
    });
}

/// Tables of a row's own, in an emulator that all rows share.
struct OwnTables {
    names: UniqueNames,
    config: SdkConfig,
    prefix: String,
}

impl OwnTables {
    async fn fresh(emulator: Emulator) -> Result<Box<Self>, String> {
        static PREFIXES: LazyLock<UniqueNames> = LazyLock::new(|| UniqueNames::new("row"));
        let (config, prefix) = (emulators::config(emulator).await?, PREFIXES.make());
        let created = create_tables(&config, &prefix).await.expect("tables");
        assert!(created.iter().all(|table| !table.existed), "{created:?}");
        Ok(Box::new(Self { names: UniqueNames::new("d"), config, prefix }))
    }
}

#[async_trait]
impl Harness for OwnTables {
    async fn advance(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    fn unique(&self) -> String {
        self.names.make()
    }
}

impl EventStoreHarness for OwnTables {
    fn store(&self) -> Arc<dyn EventStore> {
        Arc::new(DynamoEventStore::new(&self.config, &self.prefix))
    }
}

impl LayerIndexHarness for OwnTables {
    fn index(&self) -> Arc<dyn LayerIndex> {
        Arc::new(DynamoLayerIndex::new(&self.config, &self.prefix))
    }
}
