//! What befalls calls, and which.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::Answer;
use super::call::{Call, Service};

/// What befalls a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is refused, without effect, in the shape of its service.
    Refuse {
        /// The status.
        status: u16,
        /// The service's code.
        code: &'static str,
        /// More of the answer, where it is JSON: `CancellationReasons`.
        more: Value,
    },
    /// It takes effect, and the connection breaks before the answer.
    LoseAnswer,
    /// It is late.
    Delay(Duration),
    /// `ReceiveMessage`: every message stands in the answer twice.
    Repeat,
    /// Batches: the last entry is not done, and the answer says so (`UnprocessedItems`, `UnprocessedKeys`, `Failed`).
    HalfDone,
}

impl Fault {
    /// A refusal with a status and a code.
    #[must_use]
    pub fn refuse(status: u16, code: &'static str) -> Self {
        Self::Refuse { status, code, more: Value::Null }
    }

    /// The service has failed (500), without effect.
    #[must_use]
    pub fn failure(service: Service) -> Self {
        Self::refuse(
            500,
            match service {
                Service::DynamoDb => "InternalServerError",
                Service::Ecr => "ServerException",
                Service::S3 | Service::Sqs => "InternalError",
                Service::Sts => "InternalFailure",
            },
        )
    }

    /// The service asks to slow down.
    #[must_use]
    pub fn throttling(service: Service) -> Self {
        match service {
            Service::DynamoDb => Self::refuse(400, "ProvisionedThroughputExceededException"),
            Service::Ecr | Service::Sqs => Self::refuse(400, "ThrottlingException"),
            Service::S3 => Self::refuse(503, "SlowDown"),
            Service::Sts => Self::refuse(400, "Throttling"),
        }
    }

    /// Rights are missing.
    #[must_use]
    pub fn denial(service: Service) -> Self {
        match service {
            Service::DynamoDb | Service::Ecr => Self::refuse(400, "AccessDeniedException"),
            Service::Sqs => Self::refuse(403, "AccessDeniedException"),
            Service::S3 | Service::Sts => Self::refuse(403, "AccessDenied"),
        }
    }

    /// `TransactWriteItems`: another transaction has its hands on the last of so many items.
    #[must_use]
    pub fn transaction_conflict(items: usize) -> Self {
        let reason = |last| json!({"Code": if last { "TransactionConflict" } else { "None" }});
        let reasons: Vec<Value> = (1..=items).map(|item| reason(item == items)).collect();
        let more = json!({"CancellationReasons": reasons});
        Self::Refuse { status: 400, code: "TransactionCanceledException", more }
    }
}

/// Which of the calls that fit a rule.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// All of them.
    All,
    /// The next so many.
    Next(u32),
    /// Of each operation the first, the third, and so on: whoever tries again is answered.
    EveryOther,
    /// Those that say something for the first time: each request fails once. One that names the time is always new.
    EachOnce,
    /// Of each operation the first, and one in ten of those that follow: the same ones in every run.
    FirstAndOneInTen,
}

/// What befalls which calls.
#[derive(Debug, Clone)]
pub struct Rule {
    service: Service,
    /// None for every operation.
    operation: Option<&'static str>,
    which: Which,
    fault: Fault,
    /// How often each operation was called.
    seen: BTreeMap<String, u32>,
}

impl Rule {
    /// A rule for every operation of a service.
    #[must_use]
    pub fn for_service(service: Service, which: Which, fault: Fault) -> Self {
        Self { service, operation: None, which, fault, seen: BTreeMap::new() }
    }

    /// A rule for one operation, by its name in the service's reference.
    #[must_use]
    pub fn for_operation(service: Service, operation: &'static str, which: Which, fault: Fault) -> Self {
        Self { operation: Some(operation), ..Self::for_service(service, which, fault) }
    }

    pub(super) fn fits(&self, call: &Call) -> bool {
        self.service == call.service && self.operation.is_none_or(|name| name == call.operation)
    }

    /// What befalls a call that fits.
    pub(super) fn applies(&mut self, call: &Call, is_new: bool) -> Option<Fault> {
        let seen = self.seen.entry(call.operation.clone()).or_default();
        *seen += 1;
        let befalls = match &mut self.which {
            Which::All => true,
            Which::Next(0) => false,
            Which::Next(left) => {
                *left -= 1;
                true
            }
            Which::EveryOther => *seen % 2 == 1,
            Which::EachOnce => is_new,
            Which::FirstAndOneInTen => {
                let mut drawn = DefaultHasher::new();
                (&call.operation, *seen).hash(&mut drawn);
                *seen == 1 || drawn.finish().is_multiple_of(10)
            }
        };
        befalls.then(|| self.fault.clone())
    }
}

/// A refusal in the shape of the service.
pub(super) fn refusal(call: &Call, status: u16, code: &str, more: Value) -> Answer {
    const SAID: &str = "a fault that a test injects";
    let (kind, body) = match call.service {
        Service::S3 => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{SAID}</Message>\
                 <RequestId>1</RequestId><HostId>1</HostId></Error>"
            ),
        ),
        Service::Sts => (
            "text/xml",
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{SAID}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            ),
        ),
        Service::Sqs | Service::DynamoDb | Service::Ecr => {
            let (kind, namespace) = match call.service {
                Service::Sqs => ("application/x-amz-json-1.0", "com.amazonaws.sqs#"),
                Service::DynamoDb => ("application/x-amz-json-1.0", "com.amazonaws.dynamodb.v20120810#"),
                _ => ("application/x-amz-json-1.1", ""),
            };
            let mut body = json!({"__type": format!("{namespace}{code}"), "message": SAID});
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            (kind, body.to_string())
        }
    };
    answer(status, kind, if call.method == "HEAD" { String::new() } else { body })
}

/// What a service answers to a batch of which nothing is to be done.
pub(super) fn nothing_done(call: &Call) -> Answer {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    answer(200, kind.unwrap_or("application/x-amz-json-1.0"), "{}".to_owned())
}

fn answer(status: u16, kind: &str, body: String) -> Answer {
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::from_str(kind).ok().map(|kind| (header::CONTENT_TYPE, kind)));
    let status = StatusCode::from_u16(status).expect("a status");
    Answer { status, headers, body: Bytes::from(body) }
}
