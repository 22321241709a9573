//! Which operation of which service a request asks for.

use std::fmt;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// ECR.
    Ecr,
    /// S3.
    S3,
    /// SQS.
    Sqs,
    /// STS.
    Sts,
}

/// The beginnings of the header that names the operation (AWS JSON 1.0 and 1.1).
const TARGETS: [(&str, Service); 3] = [
    ("AmazonSQS.", Service::Sqs),
    ("DynamoDB_20120810.", Service::DynamoDb),
    ("AmazonEC2ContainerRegistry_V20150921.", Service::Ecr),
];

/// A request as it came.
#[derive(Debug)]
pub struct Call {
    /// Whom it asks.
    pub service: Service,
    /// What for, in the words of the service's reference: `PutObject`.
    pub operation: String,
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    /// What tells it from others, its body aside.
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match self.service {
            Service::DynamoDb => "dynamodb",
            Service::Ecr => "ecr",
            Service::S3 => "s3",
            Service::Sqs => "sqs",
            Service::Sts => "sts",
        };
        write!(f, "{service} {}", self.operation)
    }
}

impl Call {
    pub(super) async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let (service, operation) = recognise(&parts.method, &target, &parts.headers, &body);
        let line = format!("{} {service:?} {operation} {target}", parts.method);
        Self { service, operation, method: parts.method, target, line, headers: parts.headers, body }
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn recognise(method: &Method, target: &str, headers: &HeaderMap, body: &[u8]) -> (Service, String) {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = text(header::HeaderName::from_static("x-amz-target"));
    if let Some((prefix, service)) = TARGETS.iter().find(|(prefix, _)| named.starts_with(prefix)) {
        return (*service, named[prefix.len()..].to_owned());
    }
    if text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        let mut fields = url::form_urlencoded::parse(body);
        let action = fields.find_map(|(key, value)| (key == "Action").then(|| value.into_owned()));
        return (Service::Sts, action.unwrap_or_default());
    }
    (Service::S3, s3_operation(method, target))
}

fn s3_operation(method: &Method, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let has_key = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let special: Vec<&str> =
        query.split('&').filter(|part| !part.is_empty() && !part.contains("x-id=")).collect();
    match (method.as_str(), has_key, special.is_empty()) {
        ("PUT", true, true) => "PutObject".to_owned(),
        ("GET", true, true) => "GetObject".to_owned(),
        ("HEAD", true, true) => "HeadObject".to_owned(),
        ("DELETE", true, true) => "DeleteObject".to_owned(),
        ("PUT", false, true) => "CreateBucket".to_owned(),
        ("HEAD", false, true) => "HeadBucket".to_owned(),
        ("GET", false, _) if query.contains("list-type=2") => "ListObjectsV2".to_owned(),
        (method, ..) => format!("{method} ?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_by_header_by_form_and_by_path() {
        let call = |method: Method, target: &str, header: Option<(&'static str, &str)>, body: &str| {
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|(name, value)| {
                (header::HeaderName::from_static(name), value.parse().expect("a value"))
            }));
            let (service, operation) = recognise(&method, target, &headers, body.as_bytes());
            format!("{service:?} {operation}")
        };
        let target = |value| Some(("x-amz-target", value));
        let form = Some(("content-type", "application/x-www-form-urlencoded"));
        assert_eq!(call(Method::POST, "/", target("AmazonSQS.SendMessage"), ""), "Sqs SendMessage");
        assert_eq!(call(Method::POST, "/", target("DynamoDB_20120810.Query"), ""), "DynamoDb Query");
        assert_eq!(call(Method::POST, "/", form, "Version=1&Action=AssumeRole"), "Sts AssumeRole");
        assert_eq!(call(Method::PUT, "/bucket/a/b?x-id=PutObject", None, ""), "S3 PutObject");
        assert_eq!(call(Method::PUT, "/bucket/", None, ""), "S3 CreateBucket");
        assert_eq!(call(Method::GET, "/bucket?list-type=2&prefix=a", None, ""), "S3 ListObjectsV2");
    }
}
