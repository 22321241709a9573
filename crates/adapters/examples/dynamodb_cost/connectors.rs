//! What stands between the SDK and the service: one connector counts what is consumed, one makes up a table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use cve_monitor_core::vocabulary::Digest;
use serde_json::{Value, json};

/// How many images the layer has.
const MILLION: u64 = 1_000_000;

/// The table of the layer index with a million images of one key, a quarter in each shard.
#[derive(Debug)]
struct Rows;

/// Answers from the table that is made up.
pub(crate) fn made_up() -> SharedHttpClient {
    http_client_fn(|_, _| SharedHttpConnector::new(Rows))
}

impl HttpConnector for Rows {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let value =
            |name: &str| body["ExpressionAttributeValues"][name]["S"].as_str().unwrap_or_default().to_owned();
        let shard: u64 = value(":key").rsplit('#').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        // `r.test/app-0000123@…`, whose shard is its number's.
        let after: Option<u64> = value(":after").get(11..18).and_then(|n| n.parse().ok());
        let first = (0..4).map(|n| after.map_or(0, |after| after + 1) + n).find(|n| n % 4 == shard);
        let first = first.unwrap_or(MILLION);
        let limit = usize::try_from(body["Limit"].as_u64().unwrap_or(1)).unwrap_or(1);
        let rows: Vec<u64> = (first..MILLION).step_by(4).take(limit).collect();
        let row = |n: &u64| {
            json!({"key": {"S": value(":key")},
            "image": {"S": format!("r.test/app-{n:07}@{}", Digest::of(&n.to_le_bytes()))}})
        };
        let mut answer = json!({"Items": rows.iter().map(row).collect::<Vec<_>>(), "Count": rows.len()});
        if let Some(last) = rows.last().filter(|last| **last + 4 < MILLION) {
            answer["LastEvaluatedKey"] = row(last);
        }
        HttpConnectorFuture::ready(response(200, answer.to_string().into_bytes()))
    }
}

fn response(status: u16, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    let status = status.try_into().map_err(|e| ConnectorError::other(Box::new(e), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body)))
}

/// What was consumed, by operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<BTreeMap<String, f64>>>);

impl Meter {
    /// What was consumed since the last time that this was asked.
    pub(crate) fn take(&self) -> String {
        let units = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        units.iter().map(|(operation, units)| format!("{operation} {units}")).collect::<Vec<_>>().join(", ")
    }
}

/// Forwards calls, and counts what they consume.
pub(crate) fn metered(meter: &Meter) -> SharedHttpClient {
    let connector =
        SharedHttpConnector::new(Metered { meter: meter.clone(), client: reqwest::Client::new() });
    http_client_fn(move |_, _| connector.clone())
}

/// Asks for the units with each call that has any.
#[derive(Debug)]
struct Metered {
    meter: Meter,
    client: reqwest::Client,
}

impl HttpConnector for Metered {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (meter, client) = (self.meter.clone(), self.client.clone());
        HttpConnectorFuture::new(async move {
            let failed = |e: reqwest::Error| ConnectorError::io(Box::new(e));
            let operation = request.headers().get("x-amz-target").and_then(|t| t.split('.').next_back());
            let operation = operation.unwrap_or_default().to_owned();
            let mut body: Value =
                serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
            if operation.ends_with("Item")
                || operation.ends_with("Items")
                || ["Query", "Scan"].contains(&&*operation)
            {
                body["ReturnConsumedCapacity"] = "TOTAL".into();
            }
            let mut call = client.post(request.uri()).body(body.to_string());
            for (name, value) in request.headers().iter().filter(|(name, _)| *name != "content-length") {
                call = call.header(name, value);
            }
            let answer = call.send().await.map_err(failed)?;
            let (status, answer) = (answer.status().as_u16(), answer.bytes().await.map_err(failed)?);
            let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
            let consumed = match &said["ConsumedCapacity"] {
                Value::Array(tables) => {
                    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
                }
                table => table["CapacityUnits"].as_f64().unwrap_or_default(),
            };
            *meter.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += consumed;
            response(status, answer.to_vec())
        })
    }
}
