//! The tables: one definition, and making them.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType, TableDescription,
    TableStatus,
};
use serde::Deserialize;

use crate::aws::Created;
use crate::aws::trouble::{Kind, Trouble, trouble};

/// The definition of the tables: a copy of `terraform/modules/store/tables.json`.
const TABLES: &str = include_str!("tables.json");

/// How long a new table may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The names of the tables of one prefix.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) events: String,
    pub(super) heads: String,
    pub(super) layer_index: String,
}

impl Names {
    pub(super) fn of(prefix: &str) -> Self {
        let name = |table: &str| format!("{prefix}-{table}");
        Self { events: name("events"), heads: name("heads"), layer_index: name("layer-index") }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    tables: Vec<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    hash_key: Attribute,
    range_key: Attribute,
    indexes: Vec<Index>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    name: String,
    hash_key: Attribute,
    range_key: Attribute,
    projection: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The names of the tables of a prefix.
#[must_use]
pub fn table_names(prefix: &str) -> Vec<String> {
    let Names { events, heads, layer_index } = Names::of(prefix);
    vec![events, heads, layer_index]
}

/// Makes the tables of this prefix, and waits until they are ready: on demand, with point-in-time recovery where the
/// service has it. Tables that are there already stay as they are. For a trial; the terraform module makes the same.
///
/// # Errors
/// Where the service refuses or does not answer, where a table is not ready within two minutes, or where one of these
/// names is a table with other keys. What was made stays: do it again.
pub async fn create_tables(config: &SdkConfig, prefix: &str) -> Result<Vec<Created>, Trouble> {
    let client = Client::new(config);
    let definition: Tables =
        serde_json::from_str(TABLES).map_err(|e| refused("CreateTable", format!("tables.json: {e}")))?;
    let mut created = vec![];
    for table in &definition.tables {
        let name = format!("{prefix}-{}", table.name);
        let existed = create(&client, &name, table).await?;
        created.push(Created { name, existed });
    }
    for (table, Created { name, .. }) in definition.tables.iter().zip(&created) {
        ready(&client, name, table).await?;
        recoverable(&client, name).await?;
    }
    Ok(created)
}

fn refused(operation: &'static str, detail: String) -> Trouble {
    Trouble { kind: Kind::Refused, code: String::new(), operation, detail }
}

/// Whether it was there before.
async fn create(client: &Client, name: &str, table: &Table) -> Result<bool, Trouble> {
    let request = request(client.create_table().table_name(name), table)
        .map_err(|e| refused("CreateTable", format!("tables.json, {}: {e}", table.name)))?;
    match request.send().await {
        Ok(_) => Ok(false),
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(true),
        Err(error) => Err(trouble("CreateTable", &error)),
    }
}

fn request(
    mut request: CreateTableFluentBuilder,
    table: &Table,
) -> Result<CreateTableFluentBuilder, BuildError> {
    request = request.billing_mode(BillingMode::PayPerRequest);
    request = request.set_key_schema(Some(keys(&table.hash_key, &table.range_key)?));
    let indexed = table.indexes.iter().flat_map(|index| [&index.hash_key, &index.range_key]);
    for Attribute { name, kind } in [&table.hash_key, &table.range_key].into_iter().chain(indexed) {
        let kind = ScalarAttributeType::from(kind.as_str());
        request = request.attribute_definitions(
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?,
        );
    }
    for index in &table.indexes {
        let projection = ProjectionType::from(index.projection.as_str());
        request = request.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(keys(&index.hash_key, &index.range_key)?))
                .projection(Projection::builder().projection_type(projection).build())
                .build()?,
        );
    }
    Ok(request)
}

fn keys(hash: &Attribute, range: &Attribute) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(attribute, kind)| {
            KeySchemaElement::builder().attribute_name(&attribute.name).key_type(kind).build()
        })
        .collect()
}

/// Waits until the table and its indexes take requests, and holds it against its definition.
async fn ready(client: &Client, name: &str, table: &Table) -> Result<(), Trouble> {
    let begun = tokio::time::Instant::now();
    loop {
        let answer = client.describe_table().table_name(name).send().await;
        match answer.map_err(|e| trouble("DescribeTable", &e)) {
            Ok(answer) => {
                if let Some(found) = answer.table() {
                    same_keys(name, table, found)?;
                    if is_ready(found) {
                        return Ok(());
                    }
                }
            }
            // It is described moments after it was made (API reference, DescribeTable).
            Err(error) if error.code == "ResourceNotFoundException" => {}
            Err(error) => return Err(error),
        }
        if begun.elapsed() > READY_WITHIN {
            let detail = format!("table {name} is not ready after {} s", READY_WITHIN.as_secs());
            return Err(Trouble { kind: Kind::Transient, ..refused("DescribeTable", detail) });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn is_ready(found: &TableDescription) -> bool {
    let active = |status: Option<&IndexStatus>| status == Some(&IndexStatus::Active);
    found.table_status() == Some(&TableStatus::Active)
        && found.global_secondary_indexes().iter().all(|index| active(index.index_status()))
}

fn same_keys(name: &str, table: &Table, found: &TableDescription) -> Result<(), Trouble> {
    let spelt = |schema: &[KeySchemaElement]| {
        schema.iter().map(|key| key.attribute_name().to_owned()).collect::<Vec<_>>().join(" and ")
    };
    let differs = |what: String, found: String, expected: String| {
        let remedy = "choose another prefix, or remove the table if nothing of it is needed";
        refused("CreateTable", format!("{what} has the keys {found}, expected {expected}: {remedy}"))
    };
    let expected = format!("{} and {}", table.hash_key.name, table.range_key.name);
    let keys = spelt(found.key_schema());
    if keys != expected {
        return Err(differs(format!("table {name}"), keys, expected));
    }
    for index in &table.indexes {
        let there = found.global_secondary_indexes().iter().find(|i| i.index_name() == Some(&index.name));
        let expected = format!("{} and {}", index.hash_key.name, index.range_key.name);
        let keys = there.map_or_else(|| "none at all".to_owned(), |there| spelt(there.key_schema()));
        if keys != expected {
            return Err(differs(format!("index {} of table {name}", index.name), keys, expected));
        }
    }
    Ok(())
}

/// Turns point-in-time recovery on. The emulators of the service do not all know of it.
async fn recoverable(client: &Client, name: &str) -> Result<(), Trouble> {
    let begun = tokio::time::Instant::now();
    loop {
        let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
        let on = on.map_err(|e| refused("UpdateContinuousBackups", e.to_string()))?;
        let request =
            client.update_continuous_backups().table_name(name).point_in_time_recovery_specification(on);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.code() {
            Some("UnknownOperationException") => return Ok(()),
            // For a moment, while the backups of a new table are being set up.
            Some("ContinuousBackupsUnavailableException") if begun.elapsed() < READY_WITHIN => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            _ => return Err(trouble("UpdateContinuousBackups", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_names_the_tables_that_the_stores_use() {
        let definition: Tables = serde_json::from_str(TABLES).unwrap();
        let names: Vec<_> = definition.tables.iter().map(|table| format!("p-{}", table.name)).collect();
        assert_eq!(names, table_names("p"));
    }
}
