//! Batches that are done in part, and answers that bring messages twice.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::Answer;
use super::call::Call;

/// The most messages that one answer brings.
const MOST_MESSAGES: usize = 10;

/// Takes the last entry off a batch: the request for the others, none where there are none, and the entry as the answer
/// names what was not done.
pub(super) fn split(call: &Call) -> (Option<Bytes>, Value) {
    let mut body = call.json();
    let left = match call.operation.as_str() {
        "BatchWriteItem" => take_item(&mut body, ""),
        "BatchGetItem" => take_item(&mut body, "Keys"),
        _ => body["Entries"].as_array_mut().and_then(Vec::pop).map(|entry| {
            json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false, "Message": "injected"})
        }),
    };
    let left = left.unwrap_or_else(|| panic!("{call} is no batch with an entry"));
    let others = ["RequestItems", "Entries"].iter().any(|key| match &body[key] {
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(tables) => !tables.is_empty(),
        _ => false,
    });
    (others.then(|| Bytes::from(body.to_string())), left)
}

/// Takes the last item of the last table off a batch of DynamoDB, with the table where nothing is left of it.
fn take_item(body: &mut Value, list: &str) -> Option<Value> {
    let tables = body["RequestItems"].as_object_mut()?;
    let table = tables.keys().next_back()?.clone();
    let asked = tables.get_mut(&table)?;
    let items = if list.is_empty() { &mut *asked } else { &mut asked[list] }.as_array_mut()?;
    let item = items.pop()?;
    let is_empty = items.is_empty();
    let mut left = asked.clone();
    if list.is_empty() {
        left = json!([item]);
    } else {
        left[list] = json!([item]);
    }
    if is_empty {
        tables.remove(&table);
    }
    Some(json!({table: left}))
}

/// The answer to a batch of which this is left.
pub(super) fn half_done(answer: Answer, call: &Call, left: Value) -> Answer {
    changed(answer, |body| match call.operation.as_str() {
        "BatchWriteItem" => body["UnprocessedItems"] = left,
        "BatchGetItem" => {
            body["UnprocessedKeys"] = left;
            if body.get("Responses").is_none() {
                body["Responses"] = json!({});
            }
        }
        _ => {
            if body.get("Successful").is_none() {
                body["Successful"] = json!([]);
            }
            body["Failed"] = json!([left]);
        }
    })
}

/// Whether an answer of `ReceiveMessage` has a message.
pub(super) fn brings_messages(answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["Messages"].as_array().is_some_and(|messages| !messages.is_empty())
}

/// The answer of `ReceiveMessage` with every message twice, as far as ten messages reach.
pub(super) fn repeated(answer: Answer) -> Answer {
    changed(answer, |body| {
        if let Some(messages) = body["Messages"].as_array_mut() {
            let again: Vec<Value> = messages.iter().take(MOST_MESSAGES - messages.len()).cloned().collect();
            messages.extend(again);
        }
    })
}

fn changed(answer: Answer, change: impl FnOnce(&mut Value)) -> Answer {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!({}));
    if answer.status.is_success() {
        change(&mut body);
    }
    Answer { body: Bytes::from(body.to_string()), ..answer }
}
