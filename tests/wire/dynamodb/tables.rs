//! Making tables, and their absence.

use std::path::Path;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use cve_monitor_adapters::aws::dynamodb::{DynamoEventStore, DynamoLayerIndex, create_tables, table_names};
use cve_monitor_adapters::aws::trouble::Kind;
use cve_monitor_core::ports::{AppendError, EventStore as _, LayerIndex as _, LayerIndexError, StoreError};
use cve_monitor_core::scan::Due;
use cve_monitor_core::vocabulary::LayerKey;
use cve_monitor_tests::fakes::aws_proxy::{Fault, Rule, Service, Which};

use super::{Stage, feed, image, noon, ring};

#[test]
fn terraform_and_the_program_make_the_same_tables() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |file: &str| std::fs::read(repository.join(file)).expect("a definition");
    let (one, other) =
        ("terraform/modules/store/tables.json", "crates/adapters/src/aws/dynamodb/tables.json");
    assert!(read(one) == read(other), "{one} and {other} differ: copy the one that is right over the other");
}

#[tokio::test]
async fn tables_are_made_once_and_have_their_history_kept() {
    let Some(stage) = Stage::open("wire-made").await else { return };
    let again = create_tables(&stage.config, "wire-made").await.unwrap();
    assert!(again.iter().all(|table| table.existed), "{again:?}");
    assert_eq!(again.into_iter().map(|table| table.name).collect::<Vec<_>>(), table_names("wire-made"));
    for name in table_names("wire-made") {
        let kept = stage.tables.describe_continuous_backups().table_name(&name).send().await.unwrap();
        assert!(format!("{kept:?}").contains("point_in_time_recovery_status: Some(Enabled)"), "{kept:?}");
        let table = stage.tables.describe_table().table_name(&name).send().await.unwrap();
        let billing = table.table.and_then(|table| table.billing_mode_summary).and_then(|b| b.billing_mode);
        assert_eq!(billing, Some(BillingMode::PayPerRequest));
    }
}

#[tokio::test]
async fn a_table_with_other_keys_is_refused_by_name() {
    let Some(stage) = Stage::open("wire-other").await else { return };
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let attribute =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let create = stage.tables.create_table().table_name("wire-others-heads").key_schema(key);
    let create = create.attribute_definitions(attribute.build().unwrap());
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    let refused = create_tables(&stage.config, "wire-others").await.unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    for named in ["wire-others-heads", "keys id", "partition and rest"] {
        assert!(refused.detail.contains(named), "{refused}");
    }
}

#[tokio::test]
async fn backups_that_are_not_ready_yet_are_waited_for_and_those_that_nobody_knows_are_left_out() {
    let Some(stage) = Stage::open("wire-backups").await else { return };
    let late = Fault::refuse(400, "ContinuousBackupsUnavailableException");
    stage.befall("UpdateContinuousBackups", Which::Next(1), late);
    assert!(create_tables(&stage.config, "wire-backups").await.is_ok());
    assert_eq!(stage.calls("UpdateContinuousBackups"), 4);
    stage.befall("UpdateContinuousBackups", Which::All, Fault::refuse(400, "UnknownOperationException"));
    assert!(create_tables(&stage.config, "wire-backups").await.is_ok());
    stage.proxy.mend();
    stage.befall("UpdateContinuousBackups", Which::All, Fault::denial(Service::DynamoDb));
    let denied = create_tables(&stage.config, "wire-backups").await.unwrap_err();
    assert_eq!(denied.kind, Kind::Denied);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named_with_its_remedy() {
    let Some(stage) = Stage::open("wire-there").await else { return };
    let store = DynamoEventStore::new(&stage.config, "nowhere");
    let index = DynamoLayerIndex::new(&stage.config, "nowhere");
    let names = |why: &str, table: &str| {
        assert!(
            why.contains(table) && why.contains("cve-monitor aws init") && why.contains("terraform"),
            "{why}"
        );
    };
    let refusals = [
        ("nowhere-heads", store.head(&feed("a")).await.unwrap_err()),
        ("nowhere-heads", store.heads("", None, 1).await.unwrap_err()),
        ("nowhere-heads", store.due(&Due::ScannerReady, noon(), None, 1).await.unwrap_err()),
        ("nowhere-events", store.read(&feed("a"), 1, 1).await.unwrap_err()),
        ("nowhere-events", store.read_all(None, 1).await.unwrap_err()),
    ];
    for (table, refusal) in refusals {
        let StoreError::Permanent(why) = refusal else { panic!("{table}: {refusal:?}") };
        names(&why, table);
    }
    for expected in [0, 1] {
        let refused = ring(&store, &feed("a"), expected, 1).await;
        let Err(AppendError::Store(StoreError::Permanent(why))) = refused else { panic!("{refused:?}") };
        names(&why, "nowhere-heads");
    }
    let key = LayerKey("key".to_owned());
    for refused in [
        index.record(&image("app", "1"), std::slice::from_ref(&key)).await,
        index.images(&key, None, 1).await.map(|_| ()),
    ] {
        let Err(LayerIndexError::Permanent(why)) = refused else { panic!("{refused:?}") };
        names(&why, "nowhere-layer-index");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_transient() {
    let Some(stage) = Stage::open("wire-away").await else { return };
    for fault in [
        Fault::failure(Service::DynamoDb),
        Fault::throttling(Service::DynamoDb),
        Fault::refuse(400, "ThrottlingException"),
        Fault::refuse(400, "RequestLimitExceeded"),
        Fault::LoseAnswer,
    ] {
        stage.proxy.mend();
        stage.proxy.add(Rule::for_service(Service::DynamoDb, Which::All, fault.clone()));
        let store = stage.store();
        let head = store.head(&feed("a")).await;
        assert!(matches!(head, Err(StoreError::Transient(_))), "{fault:?}: {head:?}");
        let append = ring(&store, &feed("a"), 1, 1).await;
        assert!(matches!(append, Err(AppendError::Store(StoreError::Transient(_)))), "{fault:?}: {append:?}");
    }
}
