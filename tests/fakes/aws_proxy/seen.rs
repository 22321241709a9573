//! Who called what on what: to be held against rights.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::Value;

use super::call::{Call, Service};

/// A call that came, in the words of policies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// The name that the caller's configuration gives the application; empty without one.
    pub caller: String,
    /// The action that it takes: `sqs:SendMessage`.
    pub action: String,
    /// The queue, the table (with `/INDEX` where one is read), the bucket (with `/*` where it is an object); empty for others.
    pub on: String,
}

/// Operations that take the right to another action than their own.
const OF_OTHERS: [(&str, &str); 5] = [
    ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ("DeleteMessageBatch", "DeleteMessage"),
    ("HeadBucket", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("SendMessageBatch", "SendMessage"),
];
/// What the items of a transaction are, and what each takes (developer guide, "IAM and transactions").
const ITEMS: [(&str, &str); 4] = [
    ("ConditionCheck", "ConditionCheckItem"),
    ("Delete", "DeleteItem"),
    ("Put", "PutItem"),
    ("Update", "UpdateItem"),
];

/// What a call needs the rights to.
pub(super) fn of(call: &Call) -> BTreeSet<Seen> {
    let caller = application(&call.headers);
    let service = call.to_string();
    let service = service.split(' ').next().unwrap_or_default();
    let seen =
        |action: &str, on: String| Seen { caller: caller.clone(), action: format!("{service}:{action}"), on };
    let body = call.json();
    if call.operation == "TransactWriteItems" {
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let kinds = items.flat_map(|item| ITEMS.iter().map(move |(kind, action)| (&item[*kind], *action)));
        let there = kinds.filter(|(item, _)| !item.is_null());
        return there.map(|(item, action)| seen(action, text(&item["TableName"]))).collect();
    }
    let other = OF_OTHERS.iter().find(|(operation, _)| *operation == call.operation);
    let action = other.map_or(call.operation.as_str(), |(_, action)| action);
    places(call, &body).into_iter().map(|on| seen(action, on)).collect()
}

fn places(call: &Call, body: &Value) -> Vec<String> {
    match call.service {
        Service::Sqs => {
            let name = text(&body["QueueName"]);
            let url = text(&body["QueueUrl"]);
            vec![if name.is_empty() { url.rsplit('/').next().unwrap_or_default().to_owned() } else { name }]
        }
        Service::DynamoDb => match body["RequestItems"].as_object() {
            Some(tables) => tables.keys().cloned().collect(),
            None => {
                let index = body["IndexName"].as_str().map(|index| format!("/{index}")).unwrap_or_default();
                vec![text(&body["TableName"]) + &index]
            }
        },
        Service::S3 => {
            let path = call.target.split('?').next().unwrap_or_default().trim_start_matches('/');
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            vec![if key.is_empty() { bucket.to_owned() } else { format!("{bucket}/*") }]
        }
        Service::Ecr | Service::Sts => vec![String::new()],
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `app/NAME` in what the SDK says of itself.
fn application(headers: &HeaderMap) -> String {
    let said =
        ["x-amz-user-agent", "user-agent"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let name = said.flat_map(str::split_whitespace).find_map(|word| word.strip_prefix("app/"));
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::Method;

    use super::*;

    fn seen(service: Service, operation: &str, target: &str, body: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", "aws-sdk-rust/1 ua/2.1 app/ingest lang/rust".parse().expect("a value"));
        let call = Call {
            service,
            operation: operation.to_owned(),
            method: Method::POST,
            target: target.to_owned(),
            line: String::new(),
            headers,
            body: Bytes::from(body.to_owned()),
        };
        let all = of(&call).into_iter();
        all.map(|Seen { caller, action, on }| format!("{caller} {action} {on}")).collect()
    }

    #[test]
    fn a_call_is_told_in_the_words_of_policies() {
        let url = r#"{"QueueUrl": "http://127.0.0.1:1/1/p-push"}"#;
        assert_eq!(seen(Service::Sqs, "SendMessageBatch", "/", url), ["ingest sqs:SendMessage p-push"]);
        let due = r#"{"TableName": "p-heads", "IndexName": "due"}"#;
        assert_eq!(seen(Service::DynamoDb, "Query", "/", due), ["ingest dynamodb:Query p-heads/due"]);
        let two =
            r#"{"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]}"#;
        let expected = ["ingest dynamodb:ConditionCheckItem b", "ingest dynamodb:PutItem a"];
        assert_eq!(seen(Service::DynamoDb, "TransactWriteItems", "/", two), expected);
        assert_eq!(seen(Service::S3, "GetObject", "/b/a/b?x-id=GetObject", ""), ["ingest s3:GetObject b/*"]);
        assert_eq!(seen(Service::S3, "HeadBucket", "/b", ""), ["ingest s3:ListBucket b"]);
    }
}
